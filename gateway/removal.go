package gateway

import (
	"sync"
	"time"

	"postern/idstore"
)

// removals remembers for a while which objects were just deleted. A list whose
// search was answered before may still bring one; it must not be taken for a new
// object that needs an id.
type removals struct {
	now func() time.Time

	mu   sync.Mutex
	when map[idstore.Anchor]time.Time
}

// removalTime is longer than any request that may have seen the object takes.
const removalTime = 5 * time.Minute

func (r *removals) add(anchors []idstore.Anchor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.when == nil {
		r.when = make(map[idstore.Anchor]time.Time)
	}
	for a, t := range r.when {
		if now.Sub(t) > removalTime {
			delete(r.when, a)
		}
	}
	for _, a := range anchors {
		r.when[a] = now
	}
}

func (r *removals) has(a idstore.Anchor) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.when[a]
	return ok
}
