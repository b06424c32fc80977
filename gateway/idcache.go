package gateway

import (
	"strings"
	"sync"

	"postern/connectors"
	"postern/idstore"
)

// idCache remembers the SCIM ids of objects that others refer to, so that
// reading a large group again does not look each member up in the identity
// table again. What is in the table for an anchor changes only by a deletion and by
// an administrator's operation, which forget it here.
type idCache struct {
	mu    sync.RWMutex
	known map[idSpace]*idsKnown
	size  int
	age   uint64 // how often everything was forgotten
}

// idSpace is what an anchor's id depends on beside the anchor.
type idSpace struct{ kind, domain string }

// idsKnown are the ids of one space, without their text: a large group has very
// many.
type idsKnown struct {
	ids       map[connectors.Anchor]idstore.PublicID
	primaries map[connectors.Anchor]connectors.Anchor // of the few that are not the primary object of their entity
}

// maxCachedIDs bounds the cache, to some 30 MB. Beyond it arbitrary ones go.
const maxCachedIDs = 400_000

// find fills in the ids that are known, aligned with the targets, and returns
// the places of the others, and the primary objects of those that are not.
// age is to be handed to keep.
func (c *idCache) find(targets []connectors.Target, domain func(kind string) string, ids []string) (missing []int, primaries map[int]connectors.Anchor, age uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var space idSpace
	known := new(idsKnown)
	var text strings.Builder // one for all ids
	var buf [publicIDLen]byte
	for i := range targets {
		if kind := targets[i].Collection; kind != space.kind {
			space = idSpace{kind, domain(kind)}
			if known = c.known[space]; known == nil {
				known = new(idsKnown)
			}
		}
		id, ok := known.ids[targets[i].Anchor]
		if !ok {
			missing = append(missing, i)
			continue
		}
		if text.Len() == 0 {
			text.Grow((len(targets) - i) * publicIDLen)
		}
		text.Write(id.AppendText(buf[:0]))
		if primary, ok := known.primaries[targets[i].Anchor]; ok {
			if primaries == nil {
				primaries = make(map[int]connectors.Anchor)
			}
			primaries[i] = primary
		}
	}
	all, next := text.String(), 0
	for i := range ids {
		if next < len(missing) && missing[next] == i {
			next++
			continue
		}
		ids[i], all = all[:publicIDLen], all[publicIDLen:]
	}
	return missing, primaries, c.age
}

// publicIDLen is the length of an id in its canonical form, in bytes.
const publicIDLen = 36

// keep remembers what was looked up after a find, unless everything was
// forgotten since. primary is the primary object of the entity, or empty where
// that is the object itself.
func (c *idCache) keep(age uint64, s idSpace, a connectors.Anchor, id idstore.PublicID, primary connectors.Anchor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.age != age {
		return
	}
	known := c.known[s]
	if known == nil {
		if c.known == nil {
			c.known = make(map[idSpace]*idsKnown)
		}
		known = &idsKnown{ids: make(map[connectors.Anchor]idstore.PublicID), primaries: make(map[connectors.Anchor]connectors.Anchor)}
		c.known[s] = known
	}
	if _, ok := known.ids[a]; ok {
		return
	}
	if c.size >= maxCachedIDs {
		c.evict()
	}
	known.ids[a] = id
	if primary != "" {
		known.primaries[a] = primary
	}
	c.size++
}

// evict drops an arbitrary id of the largest space.
func (c *idCache) evict() {
	var largest *idsKnown
	for _, known := range c.known {
		if largest == nil || len(known.ids) > len(largest.ids) {
			largest = known
		}
	}
	for a := range largest.ids {
		c.drop(largest, a)
		return
	}
}

func (c *idCache) drop(known *idsKnown, a connectors.Anchor) {
	delete(known.ids, a)
	delete(known.primaries, a)
	c.size--
}

// forget drops what is known of one object. What is being looked up at the same
// time is not kept either.
func (c *idCache) forget(kind string, a connectors.Anchor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	for s, known := range c.known {
		if _, ok := known.ids[a]; ok && s.kind == kind {
			c.drop(known, a)
		}
	}
}

// forgetAll drops everything.
func (c *idCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.size = nil, 0
	c.age++
}
