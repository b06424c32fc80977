package connectortest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors"
)

// stall checks that a backend that does not answer holds nobody for longer than
// their context, and that it can be used again when it answers.
func (s *suite) stall(t *testing.T) {
	if s.o.Stall == nil {
		t.Skip("the harness can not make the backend stall")
	}
	o := s.open(t, Options{})
	u, gone := s.pair(t, o.Users)
	release := o.Stall()
	for what, do := range s.operations(o.Users, u, gone) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := within(t, what, func() error { return do(ctx) })
		cancel()
		fails(t, what+" of a backend that does not answer", err, connectors.Timeout, connectors.Unavailable)
	}
	release()
	s.recovers(t, o.Users, u, gone)
}

// breakDown checks that a backend out of reach is neither an empty one nor one
// that has lost an object.
func (s *suite) breakDown(t *testing.T) {
	if s.o.Break == nil {
		t.Skip("the harness can not make the backend unreachable")
	}
	o := s.open(t, Options{})
	u, gone := s.pair(t, o.Users)
	mend := o.Break()
	for range 3 {
		for what, do := range s.operations(o.Users, u, gone) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			err := within(t, what, func() error { return do(ctx) })
			cancel()
			fails(t, what+" of a backend out of reach", err, connectors.Timeout, connectors.Unavailable)
		}
	}
	mend()
	s.recovers(t, o.Users, u, gone)
	s.settles(t, u)
}

// settles reads with the suite's own connector, whose connections the outage may
// have cut, until many reads at once are answered: a write on a connection that is dead
// without its knowing it can only end with Timeout.
func (s *suite) settles(t *testing.T, u connectors.Entry) {
	t.Helper()
	if !eventually(patience, func() bool {
		var failed atomic.Bool
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				_, err := s.users.Get(t.Context(), u.Anchor, nil)
				if err != nil && connectors.KindOf(err) != connectors.NotFound { // it may be another backend's
					failed.Store(true)
				}
			})
		}
		wg.Wait()
		return !failed.Load()
	}) {
		t.Error("the connector does not come back after an outage")
	}
}

// pair makes a user that stays and one that is gone.
func (s *suite) pair(t *testing.T, users connectors.Connector) (stays, gone connectors.Entry) {
	t.Helper()
	stays = s.make(t, users, s.u.Draft(s.name()), s.want)
	gone = s.make(t, users, s.u.Draft(s.name()), s.want)
	if err := users.Delete(t.Context(), gone.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	return stays, gone
}

// recovers waits until everything works again.
func (s *suite) recovers(t *testing.T, users connectors.Connector, u, gone connectors.Entry) {
	t.Helper()
	for what, do := range s.operations(users, u, gone) {
		var err error
		if !eventually(patience, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err = do(ctx)
			return err == nil
		}) {
			t.Errorf("%s, when the backend was back: %v", what, err)
		}
	}
	e, err := users.Get(t.Context(), u.Anchor, s.want)
	if err != nil {
		t.Fatal(err)
	}
	s.sameEntry(t, "the user", e, u)
}

// eventually asks until the answer is yes or the time is over.
func eventually(within time.Duration, ok func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); time.Now().Before(end); <-tick.C {
		if ok() {
			return true
		}
	}
	return ok()
}
