package gateway

import (
	"sync"

	"postern/connectors"
)

// idCache remembers the SCIM ids of objects that others refer to, so that
// reading a large group again does not look each member up in the identity
// table again. What is in the table for an anchor changes only by a deletion and by
// an administrator's operation, which forget it here.
type idCache struct {
	mu    sync.RWMutex
	known map[idSpace]map[connectors.Anchor]referent
	size  int
	age   uint64 // how often everything was forgotten
}

// idSpace is what an anchor's id depends on beside the anchor.
type idSpace struct{ kind, domain string }

// A referent is what a reference to an object shows: the id of its entity, and
// where the object is not the primary one of that, which one is.
type referent struct {
	id      string
	primary connectors.Anchor
}

// maxCachedIDs bounds the cache, to some 30 MB. Beyond it arbitrary ones go.
const maxCachedIDs = 250_000

// find fills in the ids that are known, aligned with the targets, and returns
// the places of the others, and the primary objects of those that are not.
// age is to be handed to keep.
func (c *idCache) find(targets []connectors.Target, domain func(kind string) string, ids []string) (missing []int, primaries map[int]connectors.Anchor, age uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var space idSpace
	var known map[connectors.Anchor]referent
	for i := range targets {
		if kind := targets[i].Collection; kind != space.kind {
			space = idSpace{kind, domain(kind)}
			known = c.known[space]
		}
		r, ok := known[targets[i].Anchor]
		if !ok {
			missing = append(missing, i)
		}
		if r.primary != "" {
			if primaries == nil {
				primaries = make(map[int]connectors.Anchor)
			}
			primaries[i] = r.primary
		}
		ids[i] = r.id
	}
	return missing, primaries, c.age
}

// keep remembers what was looked up after a find, unless everything was
// forgotten since.
func (c *idCache) keep(age uint64, s idSpace, a connectors.Anchor, r referent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.age != age {
		return
	}
	if c.known[s] == nil {
		if c.known == nil {
			c.known = make(map[idSpace]map[connectors.Anchor]referent)
		}
		c.known[s] = make(map[connectors.Anchor]referent)
	}
	if _, ok := c.known[s][a]; ok {
		return
	}
	if c.size >= maxCachedIDs {
		c.evict()
	}
	c.known[s][a] = r
	c.size++
}

// evict drops an arbitrary id of the largest space.
func (c *idCache) evict() {
	var largest map[connectors.Anchor]referent
	for _, known := range c.known {
		if len(known) > len(largest) {
			largest = known
		}
	}
	for a := range largest {
		delete(largest, a)
		c.size--
		return
	}
}

// forget drops what is known of one object. What is being looked up at the same
// time is not kept either.
func (c *idCache) forget(kind string, a connectors.Anchor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.age++
	for s, known := range c.known {
		if _, ok := known[a]; ok && s.kind == kind {
			delete(known, a)
			c.size--
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
