package connectortest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/connectors"
)

// watcher returns the users as a Watcher, and skips the test where the driver declares
// that it is none.
func (s *suite) watcher(t *testing.T) connectors.Watcher {
	t.Helper()
	if !s.caps.Watch {
		t.Skip("the driver can not watch")
	}
	return watcherOf(t, s.users)
}

func watcherOf(t *testing.T, c connectors.Connector) connectors.Watcher {
	t.Helper()
	w, ok := connectors.As[connectors.Watcher](c)
	if !ok {
		t.Fatal("the driver declares that it can watch, and is no Watcher")
	}
	return w
}

// A stream is a Watch under way.
type stream struct {
	events chan connectors.Event
	end    func() error // ends the watch and returns its error
	at     connectors.Cursor
}

// follow begins to watch.
func follow(t *testing.T, w connectors.Watcher, since connectors.Cursor) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &stream{events: make(chan connectors.Event), at: since}
	var failed error
	var running sync.WaitGroup
	running.Go(func() {
		defer close(s.events)
		for e, err := range w.Watch(ctx, since) {
			if failed != nil {
				failed = fmt.Errorf("the watch went on after %w", failed)
				return
			}
			if failed = err; err != nil {
				continue
			}
			select {
			case s.events <- e:
			case <-ctx.Done():
				return
			}
		}
	})
	s.end = sync.OnceValue(func() error {
		cancel()
		running.Wait()
		return failed
	})
	t.Cleanup(func() { _ = s.end() })
	return s
}

// next waits for an event, notes where to go on after it and checks its form.
func (s *stream) next(t *testing.T) connectors.Event {
	t.Helper()
	var e connectors.Event
	if err := within(t, "a watch", func() error {
		var ok bool
		if e, ok = <-s.events; !ok {
			return fmt.Errorf("the watch ended: %w", s.end())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if (e.Kind == connectors.Resync) != (e.Anchor == "") {
		t.Errorf("%v of the object %x", e.Kind, string(e.Anchor))
	}
	if e.Cursor != "" {
		s.at = e.Cursor
	}
	return e
}

// until waits for one event of one object, and refuses a Resync before it.
func (s *stream) until(t *testing.T, kind connectors.EventKind, a connectors.Anchor) {
	t.Helper()
	for {
		e := s.next(t)
		if e.Kind == connectors.Resync {
			t.Fatalf("a resync before that the object %x is %v: %s", string(a), kind, e.Reason)
		}
		if e.Kind == kind && e.Anchor == a {
			return
		}
	}
}

// begins checks that a watch begins with a Resync.
func (s *stream) begins(t *testing.T, what string) {
	t.Helper()
	if e := s.next(t); e.Kind != connectors.Resync {
		t.Fatalf("%s begins with %v of %x, want a resync", what, e.Kind, string(e.Anchor))
	}
}

// watch checks that a watch tells of what another writer does, goes on from a cursor
// with what happened meanwhile, and ends with its context.
func (s *suite) watch(t *testing.T) {
	w := s.watcher(t)
	old := s.user(t)
	watched := follow(t, w, "")
	watched.begins(t, "a watch without a cursor")
	made := s.make(t, s.o.RivalUsers, s.u.Draft(s.name()), s.want)
	watched.until(t, connectors.Changed, made.Anchor)
	s.rival(t, made.Anchor, swap(s.u.Naming, made.Field(s.u.Naming).Values[0], s.name()))
	watched.until(t, connectors.Changed, made.Anchor)
	if err := s.o.RivalUsers.Delete(t.Context(), old.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	watched.until(t, connectors.Gone, old.Anchor)
	fails(t, "a watch whose context has ended", watched.end(), connectors.Timeout, connectors.Unavailable)

	second := s.make(t, s.o.RivalUsers, s.u.Draft(s.name()), s.want)
	if err := s.o.RivalUsers.Delete(t.Context(), made.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	at := watched.at
	for _, want := range []struct {
		kind connectors.EventKind
		a    connectors.Anchor
	}{{connectors.Changed, second.Anchor}, {connectors.Gone, made.Anchor}} {
		again := follow(t, w, at) // twice from the same place: neither waits for the other
		again.until(t, want.kind, want.a)
		_ = again.end()
	}
}

// watchElsewhere checks that a cursor of another collection, and what is none at all,
// is not gone on from.
func (s *suite) watchElsewhere(t *testing.T) {
	w := s.watcher(t)
	watched := follow(t, w, "")
	watched.begins(t, "a watch without a cursor")
	for what, at := range map[string]connectors.Cursor{"a cursor with more behind it": watched.at + "0", "no cursor": "\x00nonsense"} {
		other := follow(t, w, at)
		other.begins(t, "a watch from "+what)
		_ = other.end()
	}
	other := follow(t, watcherOf(t, s.groups), watched.at)
	other.begins(t, "a watch from a cursor of another collection")
	_ = other.end()
	_ = watched.end()
}

// watchKeeps checks that a snapshot which events keep up is what there is, while others
// write and the watch is broken off again and again.
func (s *suite) watchKeeps(t *testing.T) {
	w := s.watcher(t)
	m := mirrored{suite: s, held: make(map[connectors.Anchor]connectors.Value)}
	for range 5 {
		s.user(t)
	}
	seeds := [2]uint64{s.rng.Uint64(), s.rng.Uint64()}
	var writers sync.WaitGroup
	for _, seed := range seeds {
		writers.Go(func() { s.scribble(t, rand.New(rand.NewPCG(seed, seed)), 60) })
	}
	written := make(chan struct{})
	go func() {
		writers.Wait()
		close(written)
	}()
	breaks := rand.New(rand.NewPCG(seeds[0], seeds[1]))
	var at connectors.Cursor
	for done := false; !done; {
		watched := follow(t, w, at)
		for left := breaks.IntN(25); left > 0 && !done && !t.Failed(); left-- {
			select {
			case <-written:
				done = true
			case e, ok := <-watched.events:
				if !ok {
					t.Fatalf("the watch ended: %v", watched.end())
				}
				m.heed(t, e)
				if e.Cursor != "" {
					watched.at = e.Cursor
				}
			}
		}
		_ = watched.end()
		at, done = watched.at, done || t.Failed()
	}
	writers.Wait()
	if t.Failed() {
		return
	}
	watched := follow(t, w, at)
	for wrong := m.differences(t); len(wrong) > 0; wrong = m.differences(t) {
		select {
		case e, ok := <-watched.events:
			if !ok {
				t.Fatalf("the watch ended: %v", watched.end())
			}
			m.heed(t, e)
		case <-time.After(patience):
			t.Fatalf("nothing more is told, and\n%s", strings.Join(wrong, "\n"))
		}
	}
	_ = watched.end()
}

// scribble makes, renames and deletes users.
func (s *suite) scribble(t *testing.T, rng *rand.Rand, writes int) {
	var own []connectors.Entry
	for range writes {
		if t.Failed() {
			return
		}
		i := 0
		if len(own) > 0 {
			i = rng.IntN(len(own))
		}
		var err error
		switch what := rng.IntN(4); {
		case len(own) == 0 || what < 2:
			var e connectors.Entry
			if e, err = s.o.RivalUsers.Create(t.Context(), s.u.Draft(s.name()), s.want); err == nil {
				s.discard(t, s.users, e.Anchor)
				own = append(own, e)
			}
		case what == 2:
			old := own[i].Field(s.u.Naming).Values[0]
			own[i], err = s.o.RivalUsers.Apply(t.Context(), own[i].Anchor, []connectors.Change{swap(s.u.Naming, old, s.name())}, connectors.Guard{}, s.want)
		default:
			err = s.o.RivalUsers.Delete(t.Context(), own[i].Anchor, connectors.Guard{})
			own = append(own[:i], own[i+1:]...)
		}
		if err != nil {
			t.Errorf("a write meanwhile: %v", err)
			return
		}
	}
}

// mirrored is what one who watches knows: the names of all users.
type mirrored struct {
	*suite
	held map[connectors.Anchor]connectors.Value
}

// heed does what an event says.
func (m *mirrored) heed(t *testing.T, e connectors.Event) {
	t.Helper()
	if e.Kind == connectors.Resync {
		clear(m.held)
		for a, e := range m.search(t, m.users, connectors.Query{Want: []connectors.Attr{m.u.Naming}}) {
			m.held[a] = e.Field(m.u.Naming).Values[0]
		}
		return
	}
	got, err := m.users.Get(t.Context(), e.Anchor, []connectors.Attr{m.u.Naming})
	switch {
	case err == nil:
		m.held[e.Anchor] = got.Field(m.u.Naming).Values[0]
	case connectors.KindOf(err) == connectors.NotFound && classified(err):
		delete(m.held, e.Anchor)
	default:
		t.Fatal(errors.Join(errors.New("after an event"), err))
	}
}

// differences says what is known and not so.
func (m *mirrored) differences(t *testing.T) (wrong []string) {
	t.Helper()
	all := m.search(t, m.o.RivalUsers, connectors.Query{Want: []connectors.Attr{m.u.Naming}})
	for a, e := range all {
		if name := e.Field(m.u.Naming).Values[0]; m.held[a] != name {
			wrong = append(wrong, fmt.Sprintf("the object %x is known as %q, and is called %q", string(a), m.held[a], name))
		}
	}
	for a, name := range m.held {
		if _, ok := all[a]; !ok {
			wrong = append(wrong, fmt.Sprintf("the object %x is known as %q, and is gone", string(a), name))
		}
	}
	return wrong
}
