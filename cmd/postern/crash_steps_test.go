package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"postern/connectors"
	"postern/idstore"
)

// steps counts what a gateway does to its identity table and its directory, and
// lets something happen at one of them: the process ends, as by kill -9, or its disk
// is full from then on.
type steps struct {
	mu     sync.Mutex
	n, at  int    // at 0 is never
	happen func() // nil ends the process
	hit    bool
}

// arm counts anew, up to the step where it happens.
func (s *steps) arm(at int, happen func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n, s.at, s.happen, s.hit = 0, at, happen, false
}

func (s *steps) wasHit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hit
}

// step is where it may happen. Whoever ends the process keeps the lock, so that
// nobody else goes on for the moment that it takes.
func (s *steps) step(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n++; s.at == 0 || s.n != s.at {
		return
	}
	s.hit = true
	if s.happen != nil {
		s.happen()
		return
	}
	fmt.Printf("killed at step %d: %s\n", s.n, what)
	killSelf()
}

func killSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		fmt.Println(err)
	}
	select {} // the signal is on its way
}

// killStore is a store with a step before and after each update.
type killStore struct {
	idstore.Store
	steps *steps
}

func (s killStore) Update(ctx context.Context, fn func(idstore.Tx) error) error {
	s.steps.step("before an update")
	err := s.Store.Update(ctx, fn)
	s.steps.step("after an update")
	return err
}

// killConnector is a connector with a step before and after whatever may change
// something. Its backend is one that leaves references behind.
type killConnector struct {
	connectors.Connector
	sweeper interface {
		connectors.Sweeper
		connectors.Repairer
	}
	steps *steps
}

func (c killConnector) Unwrap() connectors.Connector { return c.Connector }

func (c killConnector) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	c.steps.step("before a create")
	e, err := c.Connector.Create(ctx, d, want)
	c.steps.step("after a create")
	return e, err
}

func (c killConnector) Apply(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (connectors.Entry, error) {
	c.steps.step("before an apply")
	e, err := c.Connector.Apply(ctx, a, cs, g, want)
	c.steps.step("after an apply")
	return e, err
}

func (c killConnector) Delete(ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
	c.steps.step("before a delete")
	err := c.Connector.Delete(ctx, a, g)
	c.steps.step("after a delete")
	return err
}

func (c killConnector) Trace(ctx context.Context, a connectors.Anchor) (string, error) {
	c.steps.step("before a trace")
	trace, err := c.sweeper.Trace(ctx, a)
	c.steps.step("after a trace")
	return trace, err
}

func (c killConnector) Sweep(ctx context.Context, trace string) error {
	c.steps.step("before a sweep")
	err := c.sweeper.Sweep(ctx, trace)
	c.steps.step("after a sweep")
	return err
}

func (c killConnector) TraceName(ctx context.Context, a connectors.Anchor) (string, error) {
	return c.sweeper.TraceName(ctx, a)
}

func (c killConnector) Repair(ctx context.Context, trace string, a connectors.Anchor) (bool, error) {
	c.steps.step("before a repair")
	renamed, err := c.sweeper.Repair(ctx, trace, a)
	c.steps.step("after a repair")
	return renamed, err
}
