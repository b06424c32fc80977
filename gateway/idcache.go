package gateway

import (
	"sync"

	"postern/connectors"
)

// idCache remembers the SCIM ids of objects that others refer to, so that
// reading a large group again does not look each member up in the identity
// table again. What is in the table never changes for an anchor but by Remove,
// which forgets it here.
type idCache struct {
	mu    sync.RWMutex
	known map[idSpace]map[connectors.Anchor]string
	size  int
}

// idSpace is what an anchor's id depends on beside the anchor.
type idSpace struct{ kind, domain string }

// maxCachedIDs bounds the cache, to some 15 MB. Beyond it arbitrary ones go.
const maxCachedIDs = 100_000

// find fills in the ids that are known, aligned with the targets, and returns
// the places of the others.
func (c *idCache) find(targets []connectors.Target, domain func(kind string) string, ids []string) (missing []int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var space idSpace
	var known map[connectors.Anchor]string
	for i := range targets {
		if kind := targets[i].Collection; kind != space.kind {
			space = idSpace{kind, domain(kind)}
			known = c.known[space]
		}
		id, ok := known[targets[i].Anchor]
		if !ok {
			missing = append(missing, i)
		}
		ids[i] = id
	}
	return missing
}

func (c *idCache) keep(s idSpace, a connectors.Anchor, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[s] == nil {
		if c.known == nil {
			c.known = make(map[idSpace]map[connectors.Anchor]string)
		}
		c.known[s] = make(map[connectors.Anchor]string)
	}
	if _, ok := c.known[s][a]; ok {
		return
	}
	if c.size >= maxCachedIDs {
		c.evict()
	}
	c.known[s][a] = id
	c.size++
}

// evict drops an arbitrary id of the largest space.
func (c *idCache) evict() {
	var largest map[connectors.Anchor]string
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

func (c *idCache) forget(kind string, a connectors.Anchor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, known := range c.known {
		if _, ok := known[a]; ok && s.kind == kind {
			delete(known, a)
			c.size--
		}
	}
}
