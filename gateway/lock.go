package gateway

import (
	"context"
	"slices"
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

// try takes the key if nobody has it or waits for it.
func (l *locks) try(key string) (release func(), ok bool) {
	l.mu.Lock()
	_, busy := l.held[key]
	l.mu.Unlock()
	if busy {
		return nil, false
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel() // somebody may be faster, and is not waited for
	release, err := l.acquire(ended, key)
	return release, err == nil
}

// acquireAll waits for all keys, in one order for everybody.
func (l *locks) acquireAll(ctx context.Context, keys []string) (release func(), err error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	var held []func()
	release = func() {
		for _, free := range slices.Backward(held) {
			free()
		}
	}
	for _, key := range keys {
		free, err := l.acquire(ctx, key)
		if err != nil {
			release()
			return nil, err
		}
		held = append(held, free)
	}
	return release, nil
}
