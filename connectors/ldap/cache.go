package ldap

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postern/connectors"
)

// A cache remembers which names are which objects. A name is a DN exactly as
// the server sends it, a DN in normal form, or the digits of a GUID: whatever
// can be had from a reference without work. A record may be known by several.
//
// There are two generations of half the capacity. When the younger is full it
// becomes the older, whose records are forgotten: no order of use is kept,
// because a look-up would have to write it.
type cache struct {
	ttl  time.Duration
	half int

	mu                sync.RWMutex
	young, old        map[string]*record
	anchors, anchors2 map[connectors.Anchor]*record // young and old
}

// A record is what is known of one name. It is replaced, not changed, save that
// it can be made to expire.
type record struct {
	target  connectors.Target // zero: an object of no collection, or none
	dn      string
	read    int64        // when the entry itself was read under its anchor, or 0
	expires atomic.Int64 // nanoseconds since 1970
}

// deadFor bounds how long a name that is no object's is remembered: the object
// may be created behind the gateway's back.
const deadFor = 5 * time.Second

func newCache(c RefCache) *cache {
	k := &cache{ttl: c.TTL, half: c.Entries / 2}
	k.clear()
	return k
}

func (k *cache) clear() {
	k.young, k.old = map[string]*record{}, map[string]*record{}
	k.anchors, k.anchors2 = map[connectors.Anchor]*record{}, map[connectors.Anchor]*record{}
}

// find returns the record of a name, or nil. It is called with k.mu held for
// reading, so that the members of a group take the lock once.
func (k *cache) find(name string, now int64) *record {
	r, ok := k.young[name]
	if !ok {
		r = k.old[name]
	}
	if r == nil || r.expires.Load() < now {
		return nil
	}
	return r
}

// place returns the record of an object, or nil.
func (k *cache) place(t connectors.Target) *record {
	now := time.Now().UnixNano()
	k.mu.RLock()
	defer k.mu.RUnlock()
	r, ok := k.anchors[t.Anchor]
	if !ok {
		r = k.anchors2[t.Anchor]
	}
	if r == nil || r.target != t || r.expires.Load() < now {
		return nil
	}
	return r
}

// put remembers an object, or that names are no object's if t is zero.
func (k *cache) put(t connectors.Target, dn string, read bool, names ...string) {
	if k.half <= 0 {
		return
	}
	now := time.Now()
	ttl := k.ttl
	if t == (connectors.Target{}) {
		ttl = min(ttl, deadFor)
	}
	// The strings are parts of whole messages, which must not stay alive.
	r := &record{target: connectors.Target{Collection: t.Collection, Anchor: connectors.Anchor(strings.Clone(string(t.Anchor)))}, dn: strings.Clone(dn)}
	if read {
		r.read = now.UnixNano()
	}
	r.expires.Store(now.Add(ttl).UnixNano())

	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.young) >= k.half || len(k.anchors) >= k.half {
		k.old, k.anchors2 = k.young, k.anchors
		k.young, k.anchors = map[string]*record{}, map[connectors.Anchor]*record{}
	}
	for _, n := range names {
		if n == dn {
			n = r.dn
		} else {
			n = strings.Clone(n)
		}
		k.young[n] = r
	}
	if t.Anchor != "" {
		k.anchors[r.target.Anchor] = r
	}
}

// forget drops what is known under a name, and of the object it is.
func (k *cache) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range []map[string]*record{k.young, k.old} {
		if r, ok := m[name]; ok {
			r.expires.Store(0)
			delete(m, name)
		}
	}
}

// forgetObject drops what is known of an object.
func (k *cache) forgetObject(t connectors.Target) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range []map[connectors.Anchor]*record{k.anchors, k.anchors2} {
		if r, ok := m[t.Anchor]; ok {
			r.expires.Store(0)
			delete(m, t.Anchor)
		}
	}
}
