package connectortest

import (
	"strconv"
	"sync"
	"testing"

	"postern/connectors"
)

// crowd checks that a large group is read whole, or says that it is not.
func (s *suite) crowd(t *testing.T) {
	n := s.h.Crowd
	made := make([]connectors.Target, n)
	const hands = 8
	var wg sync.WaitGroup
	for hand := range hands {
		wg.Go(func() {
			for i := hand; i < n && !t.Failed(); i += hands {
				e, err := s.users.Create(t.Context(), s.u.Draft(s.name()), nil)
				if err != nil {
					t.Errorf("user %d: %v", i, err)
					return
				}
				made[i] = s.toUser(e)
			}
		})
	}
	wg.Wait()
	// Deleted before the users, because a server that keeps references true is
	// slow with them.
	defer s.disband(t, made)
	if t.Failed() {
		return
	}
	g := s.group(t, made[:n/2]...)
	got, err := s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, AddRefs: made[n/2-1:], Lenient: true}}, connectors.Guard{}, s.groupWant())
	if err != nil {
		t.Fatal(err)
	}
	s.whole(t, "the answer", got, made)
	e, err := s.o.RivalGroups.Get(t.Context(), g.Anchor, s.groupWant())
	if err != nil {
		t.Fatal(err)
	}
	s.whole(t, "a get", e, made)
	s.whole(t, "a search", s.search(t, s.groups, connectors.Query{Want: s.groupWant()})[g.Anchor], made)

	got, err = s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, DeleteRefs: made[:1], AddRefs: made[1:2], Lenient: true}},
		connectors.Guard{}, s.groupWant())
	if err != nil {
		t.Fatal(err)
	}
	s.whole(t, "one out", got, made[1:])
	if s.caps.Conds.Has(connectors.CondAnchorIn) {
		in := make(connectors.AnchorIn, 0, n)
		for _, m := range made {
			in = append(in, m.Anchor)
		}
		if found := s.search(t, s.users, connectors.Query{Where: in}); len(found) != n {
			t.Errorf("a search for %d anchors gives %d", n, len(found))
		}
	}
	if err := s.groups.Delete(t.Context(), g.Anchor, connectors.Guard{}); err != nil {
		t.Error(err)
	}
}

func (s *suite) whole(t *testing.T, what string, g connectors.Entry, want []connectors.Target) {
	t.Helper()
	f := g.Field(s.g.Ref)
	if f.Partial {
		t.Logf("%s: %d of %d members, and it says so", what, len(f.Refs), len(want))
		return
	}
	if !sameTargets(f.Refs, want) {
		t.Errorf("%s: %s members, want %d", what, strconv.Itoa(len(f.Refs)), len(want))
	}
}

// disband deletes the users.
func (s *suite) disband(t *testing.T, made []connectors.Target) {
	if s.h.Throwaway {
		return
	}
	const hands = 8
	var wg sync.WaitGroup
	for hand := range hands {
		wg.Go(func() {
			for i := hand; i < len(made); i += hands {
				if made[i].Anchor == "" {
					continue
				}
				if err := s.users.Delete(t.Context(), made[i].Anchor, connectors.Guard{}); err != nil {
					t.Errorf("clean up: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}
