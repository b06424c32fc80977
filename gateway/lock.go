package gateway

import (
	"context"
	"sync"
)

// locks serialises what is done to one thing within this process: writes to one
// entity, creations under one name. It holds nothing for a key nobody wants.
type locks struct {
	mu   sync.Mutex
	held map[string]*held
}

type held struct {
	free    chan struct{} // one token: whoever has it holds the lock
	waiters int
}

// acquire waits for the key and returns what gives it back, or the context's
// error.
func (l *locks) acquire(ctx context.Context, key string) (release func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[string]*held)
	}
	h, ok := l.held[key]
	if !ok {
		h = &held{free: make(chan struct{}, 1)}
		h.free <- struct{}{}
		l.held[key] = h
	}
	h.waiters++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		if h.waiters--; h.waiters == 0 {
			delete(l.held, key)
		}
		l.mu.Unlock()
	}
	select {
	case <-h.free:
		return func() { h.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
