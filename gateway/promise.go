package gateway

import (
	"sync"
	"time"

	"postern/idstore"
)

// A promise is a creation that was carried out while its client got no answer.
// When the client asks for the same again, it is told of that object, once.
type promise struct {
	scope            idstore.Scope
	name, externalID string
}

func promiseOf(in idstore.Intent) promise { return promise{in.Scope, in.Name, in.ExternalID} }

// promises keeps what was created without an answer for as long as clients are
// known to try again.
type promises struct {
	now func() time.Time

	mu   sync.Mutex
	kept map[promise]promised
}

type promised struct {
	rec  idstore.Record
	when time.Time
}

const promiseTime = 30 * time.Minute

func (p *promises) keep(of promise, rec idstore.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for other, kept := range p.kept {
		if now.Sub(kept.when) > promiseTime {
			delete(p.kept, other)
		}
	}
	if p.kept == nil {
		p.kept = make(map[promise]promised)
	}
	p.kept[of] = promised{rec, now}
}

// restore keeps what was taken for as long as it would have been.
func (p *promises) restore(of promise, kept promised) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, newer := p.kept[of]; !newer {
		p.kept[of] = kept
	}
}

// take returns what was promised, once.
func (p *promises) take(of promise) (promised, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, ok := p.kept[of]
	delete(p.kept, of)
	return kept, ok && p.now().Sub(kept.when) <= promiseTime
}

// forget drops what is promised of an entity that was deleted.
func (p *promises) forget(e idstore.EntityID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for of, kept := range p.kept {
		if kept.rec.Entity == e {
			delete(p.kept, of)
		}
	}
}
