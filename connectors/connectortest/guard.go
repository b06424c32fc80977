package connectortest

import (
	"testing"

	"postern/connectors"
)

// guardTouched checks that the old values of a change are its guard, which they
// are at every level.
func (s *suite) guardTouched(t *testing.T) {
	u := s.user(t, has(s.u.Plain, "read"), has(s.u.Multi, "a", "b"))
	s.rival(t, u.Anchor, swap(s.u.Plain, "read", "moved"))
	s.rival(t, u.Anchor, swap(s.u.Multi, "a", ""))
	moved := s.read(t, u.Anchor)
	for what, c := range map[string]connectors.Change{
		"a single value that another changed": swap(s.u.Plain, "read", "mine"),
		"a value that another took away":      swap(s.u.Multi, "a", "c"),
	} {
		g := connectors.Guard{Level: min(connectors.GuardTouched, s.caps.Guard)}
		_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{c}, g, s.want)
		fails(t, what, err, connectors.GuardFailed)
		s.sameEntry(t, "after a change of "+what, s.read(t, u.Anchor), moved)
	}

	m := s.user(t)
	g := s.group(t, s.toUser(m))
	_, err := s.o.RivalGroups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, DeleteRefs: []connectors.Target{s.toUser(m)}}}, connectors.Guard{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, DeleteRefs: []connectors.Target{s.toUser(m)}}}, connectors.Guard{}, nil)
	fails(t, "a member that another took out", err, connectors.GuardFailed)
}

// guardValues checks values that were read and are not written.
func (s *suite) guardValues(t *testing.T) {
	if s.caps.Guard < connectors.GuardValues {
		t.Skipf("the strongest guard is %q", s.caps.Guard)
	}
	v := s.user(t)
	with := []connectors.Field{has(s.u.Plain, "plain"), has(s.u.Other, "read"), has(s.u.Multi, "a", "b")}
	if s.u.Ref != "" {
		with = append(with, connectors.Field{Attr: s.u.Ref, Refs: []connectors.Target{s.toUser(v)}})
	}
	moves := []struct {
		what string
		move connectors.Change
	}{
		{"another value", swap(s.u.Other, "read", "moved")},
		{"no value any more", swap(s.u.Other, "read", "")},
		{"one of several values gone", swap(s.u.Multi, "b", "")},
		{"the value that is written", swap(s.u.Plain, "plain", "moved")},
		{"a renamed object", connectors.Change{}},
	}
	if s.u.Ref != "" {
		moves = append(moves, struct {
			what string
			move connectors.Change
		}{"a reference gone", connectors.Change{Attr: s.u.Ref, DeleteRefs: []connectors.Target{s.toUser(v)}}})
	}
	for _, tc := range moves {
		u := s.user(t, with...)
		if tc.move.Attr == "" {
			tc.move = swap(s.u.Naming, u.Field(s.u.Naming).Values[0], s.name())
		}
		g := connectors.Guard{Level: connectors.GuardValues, Read: u.Fields}
		s.rival(t, u.Anchor, tc.move)
		moved := s.read(t, u.Anchor)
		_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Plain, "plain", "mine")}, g, s.want)
		fails(t, tc.what, err, connectors.GuardFailed)
		s.sameEntry(t, "after "+tc.what, s.read(t, u.Anchor), moved)
		fails(t, "delete, "+tc.what, s.users.Delete(t.Context(), u.Anchor, g), connectors.GuardFailed)
		s.sameEntry(t, "after the delete, "+tc.what, s.read(t, u.Anchor), moved)
	}

	u := s.user(t, with...)
	for _, change := range []connectors.Change{
		swap(s.u.Plain, "plain", "mine"), swap(s.u.Other, "read", "written"), swap(s.u.Multi, "a", "c"),
		swap(s.u.Naming, u.Field(s.u.Naming).Values[0], s.name()),
	} {
		got, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{change},
			connectors.Guard{Level: connectors.GuardValues, Read: u.Fields}, s.want)
		if err != nil {
			t.Fatalf("with all as it was read, %+v: %v", change, err)
		}
		for _, f := range u.Fields {
			if f.Attr != change.Attr && f.Attr != s.u.Ref {
				s.holds(t, got, f.Attr, f.Values...)
			}
		}
		u = got
	}
	if err := s.users.Delete(t.Context(), u.Anchor, connectors.Guard{Level: connectors.GuardValues, Read: u.Fields}); err != nil {
		t.Errorf("delete with all as it was read: %v", err)
	}
}

// guardEntry checks that any write of another is seen, also one that undid
// itself.
func (s *suite) guardEntry(t *testing.T) {
	if s.caps.Guard < connectors.GuardEntry {
		t.Skipf("the strongest guard is %q", s.caps.Guard)
	}
	mine := []connectors.Change{swap(s.u.Plain, "plain", "mine")}
	for _, tc := range []struct {
		what  string
		moves []connectors.Change
	}{
		{"another attribute changed", []connectors.Change{swap(s.u.Other, "", "new")}},
		{"a value was added", []connectors.Change{swap(s.u.Multi, "", "new")}},
		{"case changed", []connectors.Change{swap(s.u.Plain, "plain", "PLAIN")}},
		{"it is as it was again", []connectors.Change{swap(s.u.Plain, "plain", "x"), swap(s.u.Plain, "x", "plain")}},
		{"it was renamed", nil},
	} {
		u := s.user(t, has(s.u.Plain, "plain"))
		if tc.moves == nil {
			tc.moves = []connectors.Change{swap(s.u.Naming, u.Field(s.u.Naming).Values[0], s.name())}
		}
		g := connectors.Guard{Level: connectors.GuardEntry, Stamp: u.Stamp}
		if u.Stamp == "" {
			t.Fatal("Create gave no stamp")
		}
		for _, m := range tc.moves {
			s.rival(t, u.Anchor, m)
		}
		moved := s.read(t, u.Anchor)
		_, err := s.users.Apply(t.Context(), u.Anchor, mine, g, s.want)
		fails(t, tc.what, err, connectors.GuardFailed)
		_, err = s.users.Apply(t.Context(), u.Anchor,
			[]connectors.Change{swap(s.u.Naming, moved.Field(s.u.Naming).Values[0], s.name())}, g, s.want)
		fails(t, "rename, "+tc.what, err, connectors.GuardFailed)
		fails(t, "delete, "+tc.what, s.users.Delete(t.Context(), u.Anchor, g), connectors.GuardFailed)
		s.sameEntry(t, "after: "+tc.what, s.read(t, u.Anchor), moved)
	}

	u := s.user(t, has(s.u.Plain, "1"))
	for _, c := range []connectors.Change{
		swap(s.u.Plain, "1", "2"), swap(s.u.Plain, "2", "3"),
		swap(s.u.Naming, u.Field(s.u.Naming).Values[0], s.name()), swap(s.u.Plain, "3", "4"),
	} {
		got, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{c},
			connectors.Guard{Level: connectors.GuardEntry, Stamp: u.Stamp}, s.want)
		if err != nil {
			t.Fatalf("with the last answer's stamp, %+v: %v", c, err)
		}
		if got.Stamp == u.Stamp || got.Stamp == "" {
			t.Errorf("a write left the stamp %q at %q", u.Stamp, got.Stamp)
		}
		if now := s.read(t, u.Anchor); now.Stamp != got.Stamp {
			t.Errorf("the stamp is %q, the answer said %q", now.Stamp, got.Stamp)
		}
		u = got
	}
	found := s.search(t, s.users, connectors.Query{Want: s.want})
	if got := found[u.Anchor].Stamp; got != u.Stamp {
		t.Errorf("a search gives the stamp %q, want %q", got, u.Stamp)
	}
	if err := s.users.Delete(t.Context(), u.Anchor, connectors.Guard{Level: connectors.GuardEntry, Stamp: u.Stamp}); err != nil {
		t.Errorf("delete with the present stamp: %v", err)
	}
}

// guardAbove checks that a driver promises no more than it declares.
func (s *suite) guardAbove(t *testing.T) {
	if s.caps.Guard == connectors.GuardEntry {
		t.Skip("there is nothing above the declared guard")
	}
	u := s.user(t, has(s.u.Plain, "plain"))
	for level := s.caps.Guard + 1; level <= connectors.GuardEntry; level++ {
		g := connectors.Guard{Level: level, Stamp: u.Stamp, Read: u.Fields}
		_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Plain, "plain", "mine")}, g, s.want)
		fails(t, "a change guarded by "+level.String(), err, connectors.Unsupported)
		fails(t, "a delete guarded by "+level.String(), s.users.Delete(t.Context(), u.Anchor, g), connectors.Unsupported)
		s.sameEntry(t, "after that", s.read(t, u.Anchor), u)
	}
}
