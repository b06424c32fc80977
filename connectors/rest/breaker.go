package rest

import (
	"sync"
	"time"
)

// A breaker refuses calls while an application is down, so that nobody waits for
// what is known not to come. After a pause one call is let through to find out.
type breaker struct {
	Breaker
	now func() time.Time

	mu       sync.Mutex
	failures int
	until    time.Time // when open: the next try
	probing  bool
}

// A ticket is what a call was let through with.
type ticket struct{ probe bool }

// allow reports whether a call may be made. Every call that was allowed is
// followed by one done.
func (b *breaker) allow() (ticket, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < b.Failures {
		return ticket{}, true
	}
	if b.probing || b.now().Before(b.until) {
		return ticket{}, false
	}
	b.probing = true
	return ticket{probe: true}, true
}

// An outcome is what a call says about the application.
type outcome uint8

const (
	unknown outcome = iota // it was given up here
	up
	down
)

func (b *breaker) done(k ticket, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k.probe {
		b.probing = false
	}
	switch o {
	case up:
		b.failures = 0
	case down:
		if b.failures++; b.failures >= b.Failures {
			b.until = b.now().Add(b.Pause)
		}
	case unknown:
	}
}
