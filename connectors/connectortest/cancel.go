package connectortest

import (
	"context"
	"errors"
	"testing"
	"time"

	"postern/connectors"
)

// patience is how long the suite waits before it says that something hangs. It
// is no measure of speed.
const patience = 30 * time.Second

// cancel checks that a context that ends ends the operation, and nothing else.
func (s *suite) cancel(t *testing.T) {
	u := s.user(t, has(s.u.Plain, "0"), has(s.u.Other, "0"))
	for range 5 {
		s.user(t)
	}
	gone := s.gone(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for what, do := range s.operations(s.users, u, gone) {
		err := within(t, what, func() error { return do(ended) })
		fails(t, what+" in a context that has ended", err, connectors.Timeout, connectors.Unavailable)
		if e, ok := errors.AsType[*connectors.Error](err); ok && e.Kind == connectors.Unavailable && !e.Unsent {
			t.Errorf("%s in a context that has ended: %v, and not unsent", what, err)
		}
	}
	s.sameEntry(t, "after that", s.read(t, u.Anchor), u)

	// In the middle of a search.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var failed error
	n := 0
	err := within(t, "a search", func() error {
		for _, err := range s.users.Search(ctx, connectors.Query{Want: s.want}) {
			cancel()
			n++
			failed = err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		fails(t, "a search cancelled after its first entry", failed, connectors.Timeout, connectors.Unavailable)
	} else if all := len(s.search(t, s.users, connectors.Query{})); n != all {
		t.Errorf("a cancelled search gave %d of %d entries and no error", n, all)
	}

	// At any moment of a write, which then was done or was not. The old values
	// are the guard against the one before that is still under way.
	for i := range 60 {
		before := s.read(t, u.Anchor).Field(s.u.Plain).Values[0]
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*40)*time.Microsecond)
		to := connectors.Value(time.Duration(i + 1).String())
		err := within(t, "a write", func() error {
			_, err := s.users.Apply(ctx, u.Anchor,
				[]connectors.Change{swap(s.u.Plain, before, to), swap(s.u.Other, before, to)}, connectors.Guard{}, s.want)
			return err
		})
		cancel()
		if err != nil {
			fails(t, "a write in a context that ended", err, connectors.Timeout, connectors.Unavailable, connectors.GuardFailed)
		}
		now := s.read(t, u.Anchor)
		s.holds(t, now, s.u.Other, now.Field(s.u.Plain).Values...)
		if got := now.Field(s.u.Plain).Values; err == nil && (len(got) != 1 || got[0] != to) {
			t.Errorf("a write that succeeded left %q, want %q", got, to)
		}
	}
	for what, do := range s.operations(s.users, u, gone) {
		if err := within(t, what, func() error { return do(t.Context()) }); err != nil {
			t.Errorf("%s, after others were cancelled: %v", what, err)
		}
	}
}

// operations are all methods, in ways that change nothing: a Create finds the
// name taken, a Delete the object gone. Without an error they got an answer.
func (s *suite) operations(users connectors.Connector, u, gone connectors.Entry) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"get": func(ctx context.Context) error {
			_, err := users.Get(ctx, u.Anchor, s.want)
			return err
		},
		"search": func(ctx context.Context) error {
			_, err := collect(ctx, users, connectors.Query{Want: s.want})
			return err
		},
		"create": func(ctx context.Context) error {
			_, err := users.Create(ctx, s.u.Draft(u.Field(s.u.Naming).Values[0]), s.want)
			if connectors.KindOf(err) == connectors.Exists {
				return nil
			}
			return err
		},
		"apply": func(ctx context.Context) error {
			_, err := users.Apply(ctx, u.Anchor, []connectors.Change{
				{Attr: s.u.Multi, Lenient: true, Delete: []connectors.Value{"never there"}},
			}, connectors.Guard{}, s.want)
			return err
		},
		"delete": func(ctx context.Context) error {
			err := users.Delete(ctx, gone.Anchor, connectors.Guard{})
			if connectors.KindOf(err) == connectors.NotFound {
				return nil
			}
			return err
		},
	}
}

// within fails the test if do does not come back.
func within(t *testing.T, what string, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
		return nil
	}
}
