package ldap

import (
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"postern/connectors"
)

// A cache remembers which names are which objects, and where objects are. A
// name is a DN exactly as the server sends it, a DN in normal form, or the
// digits of a GUID: whatever can be had from a reference without work. An object
// may be known by several.
//
// A large group has very many names, so a name is held as a hash of 128 bits,
// whose seeds nobody outside knows, and an object by its anchor: some 80 bytes
// for a member. Where an object is, its DN, is held only of what was read itself
// or as one of few.
//
// There are two generations of half the capacity. When the younger is full it
// becomes the older, whose records are forgotten: no order of use is kept,
// because a look-up would have to write it.
type cache struct {
	ttl   time.Duration
	half  int
	seeds [2]maphash.Seed
	start time.Time

	mu              sync.RWMutex
	collections     []string // what known.collection counts
	young, old      map[nameKey]known
	placed, placed2 map[connectors.Anchor]*record // young and old
	// gone says when objects were last forgotten: what is known of their names
	// from before is not so any more.
	gone map[connectors.Anchor]tick
}

// A nameKey is the hash of a name.
type nameKey [2]uint64

// A tick is a time since the cache was made, in tenths of a second: enough for
// thirteen years.
type tick uint32

const tickTime = 100 * time.Millisecond

// known is which object a name is: without an anchor, one of no collection, or
// none.
type known struct {
	anchor     connectors.Anchor
	expires    tick
	collection uint16
}

// A record is where an object is. It is replaced, not changed.
type record struct {
	target  connectors.Target
	dn      string
	read    int64 // when the entry itself was read under its anchor, or 0
	expires int64 // nanoseconds since 1970
}

// deadFor bounds how long a name that is no object's is remembered: the object
// may be created behind the gateway's back.
const deadFor = 5 * time.Second

// maxGone bounds gone. Beyond it all is forgotten.
const maxGone = 10_000

func newCache(c RefCache) *cache {
	k := &cache{ttl: c.TTL, half: c.Entries / 2, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, start: time.Now()}
	k.clear()
	return k
}

func (k *cache) clear() {
	k.young, k.old = map[nameKey]known{}, map[nameKey]known{}
	k.placed, k.placed2 = map[connectors.Anchor]*record{}, map[connectors.Anchor]*record{}
	k.gone = map[connectors.Anchor]tick{}
}

func (k *cache) key(name string) nameKey {
	return nameKey{maphash.String(k.seeds[0], name), maphash.String(k.seeds[1], name)}
}

func (k *cache) now() tick { return tick(time.Since(k.start) / tickTime) }

// find returns the object of a name; a zero target is none in any collection. It
// is called with k.mu held for reading, so that the members of a group take the
// lock once.
func (k *cache) find(name string, now tick) (t connectors.Target, ok bool) {
	key := k.key(name)
	r, ok := k.young[key]
	if !ok {
		if r, ok = k.old[key]; !ok {
			return t, false
		}
	}
	if r.expires <= now {
		return t, false
	}
	if r.anchor == "" {
		return t, true
	}
	if len(k.gone) > 0 {
		if at, ok := k.gone[r.anchor]; ok && r.expires <= at+k.ticks(k.ttl) { // it was put no later
			return t, false
		}
	}
	return connectors.Target{Collection: k.collections[r.collection], Anchor: r.anchor}, true
}

func (k *cache) ticks(d time.Duration) tick { return tick(d / tickTime) }

// place returns the record of an object, or nil.
func (k *cache) place(t connectors.Target) *record {
	now := time.Now().UnixNano()
	k.mu.RLock()
	defer k.mu.RUnlock()
	r, ok := k.placed[t.Anchor]
	if !ok {
		r = k.placed2[t.Anchor]
	}
	if r == nil || r.target != t || r.expires < now {
		return nil
	}
	return r
}

// name remembers which object names are, or that they are no object's if t is
// zero. The anchor must not be a part of a message, which would stay alive.
func (k *cache) name(t connectors.Target, names ...string) {
	if k.half <= 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.young) >= k.half {
		k.old, k.young = k.young, map[nameKey]known{}
	}
	r := known{anchor: t.Anchor, expires: k.now() + k.ticks(k.ttl)}
	if t.Anchor == "" {
		r.expires = k.now() + k.ticks(min(k.ttl, deadFor))
	} else {
		r.collection = k.number(t.Collection)
	}
	for _, n := range names {
		k.young[k.key(n)] = r
	}
}

// number is what a collection is counted as.
func (k *cache) number(collection string) uint16 {
	for i, c := range k.collections {
		if c == collection {
			return uint16(i)
		}
	}
	k.collections = append(k.collections, collection)
	return uint16(len(k.collections) - 1)
}

// put remembers where an object is. read says that it was looked up under its
// anchor.
func (k *cache) put(t connectors.Target, dn string, read bool) {
	if k.half <= 0 {
		return
	}
	now := time.Now()
	// The strings are parts of whole messages.
	t.Anchor = connectors.Anchor(strings.Clone(string(t.Anchor)))
	r := &record{target: t, dn: strings.Clone(dn), expires: now.Add(k.ttl).UnixNano()}
	if read {
		r.read = now.UnixNano()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.placed) >= k.half {
		k.placed2, k.placed = k.placed, map[connectors.Anchor]*record{}
	}
	k.placed[t.Anchor] = r
}

// forget drops what is known under a name, and of the object it is.
func (k *cache) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unname(name)
}

// unname is called with k.mu held.
func (k *cache) unname(name string) {
	key := k.key(name)
	for _, m := range []map[nameKey]known{k.young, k.old} {
		if r, ok := m[key]; ok {
			delete(m, key)
			k.drop(r.anchor)
		}
	}
}

// forgetObject drops what is known of an object.
func (k *cache) forgetObject(t connectors.Target) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(t.Anchor)
}

// forgetAll drops everything.
func (k *cache) forgetAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clear()
}

// moved notes that an object has a DN now: what is known of its other names, and of others
// under that one, is not so any more.
func (k *cache) moved(a connectors.Anchor, dn string) {
	normal, _ := normalizeDN(dn)
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.placed[a]
	if !ok {
		r = k.placed2[a]
	}
	k.unname(dn)
	k.unname(normal)
	k.drop(a)
	if r != nil && r.dn == dn {
		k.placed[a] = r
	}
}

// drop is called with k.mu held.
func (k *cache) drop(a connectors.Anchor) {
	if a == "" {
		return
	}
	delete(k.placed, a)
	delete(k.placed2, a)
	now := k.now()
	if len(k.gone) >= maxGone {
		for a, at := range k.gone {
			if at+k.ticks(k.ttl) < now {
				delete(k.gone, a)
			}
		}
		if len(k.gone) >= maxGone {
			k.clear()
		}
	}
	k.gone[connectors.Anchor(strings.Clone(string(a)))] = now
}
