package connectortest

import (
	"slices"
	"strings"
	"testing"

	"postern/connectors"
)

func (s *suite) rename(t *testing.T) {
	u := s.user(t, has(s.u.Plain, "kept"))
	g := s.group(t, s.toUser(u))
	first := u.Field(s.u.Naming).Values[0]
	now := first
	for _, step := range []struct {
		what string
		to   connectors.Value
		more []connectors.Change
	}{
		{"a new name", s.name(), nil},
		{"a name in other case", "", nil},
		{"a name with signs", s.name() + `+a=b,c`, nil},
		{"a name and another attribute", s.name(), []connectors.Change{swap(s.u.Plain, "kept", "moved"), swap(s.u.Other, "", "too")}},
		{"the first name again", first, nil},
	} {
		if step.to == "" {
			step.to = connectors.Value(strings.ToUpper(string(now)))
		}
		changes := append(slices.Clone(step.more), swap(s.u.Naming, now, step.to))
		got, err := s.users.Apply(t.Context(), u.Anchor, changes, connectors.Guard{}, s.want)
		if s.u.Refuses != nil && s.u.Refuses(step.to) {
			fails(t, step.what, err, connectors.Invalid)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if got.Anchor != u.Anchor {
			t.Errorf("%s: the anchor changed from %x to %x", step.what, string(u.Anchor), string(got.Anchor))
		}
		if vs := got.Field(s.u.Naming).Values; !slices.Equal(vs, []connectors.Value{step.to}) {
			t.Errorf("%s: the name is %q, want %q", step.what, vs, step.to)
		}
		s.sameEntry(t, step.what, s.read(t, u.Anchor), got)
		if found := s.named(t, s.users, s.u.Naming, step.to); !slices.Equal(found, []connectors.Anchor{u.Anchor}) {
			t.Errorf("%s: the new name belongs to %x", step.what, found)
		}
		m, _ := rule(s.caps, s.u.Naming)
		if found := s.named(t, s.users, s.u.Naming, now); len(found) > 0 && m.Equal(now, step.to) == connectors.False {
			t.Errorf("%s: the old name belongs to %x", step.what, found)
		}
		if s.h.RenamesKeepReferences {
			refersTo(t, step.what+", the group", s.members(t, g.Anchor), s.toUser(u))
		}
		for _, c := range step.more {
			s.holds(t, got, c.Attr, c.Add...)
		}
		now = step.to
	}
	// Nobody holds the names in between any more.
	s.apply(t, u.Anchor, swap(s.u.Naming, now, s.name()))
	if again := s.make(t, s.users, s.u.Draft(first), s.want); again.Anchor == u.Anchor {
		t.Error("the next object of the first name has the anchor of the renamed one")
	}

	// A group keeps its members when it is renamed.
	v := s.user(t)
	g = s.group(t, s.toUser(v))
	to := s.name()
	got, err := s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{swap(s.g.Naming, g.Field(s.g.Naming).Values[0], to)}, connectors.Guard{}, s.groupWant())
	if err != nil {
		t.Fatalf("a group: %v", err)
	}
	if vs := got.Field(s.g.Naming).Values; got.Anchor != g.Anchor || !slices.Equal(vs, []connectors.Value{to}) {
		t.Errorf("the group is %x %q, want %x %q", string(got.Anchor), vs, string(g.Anchor), to)
	}
	refersTo(t, "the renamed group", got.Field(s.g.Ref).Refs, s.toUser(v))
}

func (s *suite) renameFails(t *testing.T) {
	u, other := s.user(t, has(s.u.Plain, "kept")), s.user(t)
	name, taken := u.Field(s.u.Naming).Values[0], other.Field(s.u.Naming).Values[0]
	for _, tc := range []struct {
		what    string
		changes []connectors.Change
		kinds   []connectors.Kind
	}{
		{"to a name that is taken", []connectors.Change{swap(s.u.Naming, name, taken)}, []connectors.Kind{connectors.Exists}},
		{
			"to a name that is taken, and another attribute",
			[]connectors.Change{swap(s.u.Plain, "kept", "lost"), swap(s.u.Naming, name, taken)}, []connectors.Kind{connectors.Exists},
		},
		{"from a name that it has not", []connectors.Change{swap(s.u.Naming, s.name(), s.name())}, []connectors.Kind{connectors.GuardFailed}},
		{"to no name", []connectors.Change{swap(s.u.Naming, name, "")}, []connectors.Kind{connectors.Invalid}},
		{"of an object that is gone", nil, []connectors.Kind{connectors.NotFound}},
	} {
		a := u.Anchor
		if tc.changes == nil {
			gone := s.gone(t)
			a, tc.changes = gone.Anchor, []connectors.Change{swap(s.u.Naming, gone.Field(s.u.Naming).Values[0], s.name())}
		}
		_, err := s.users.Apply(t.Context(), a, tc.changes, connectors.Guard{}, s.want)
		fails(t, "a rename "+tc.what, err, tc.kinds...)
		now := s.read(t, u.Anchor)
		now.Stamp = u.Stamp // something that was taken back is seen there
		s.sameEntry(t, "after a rename "+tc.what, now, u)
		s.sameEntry(t, "the other, after a rename "+tc.what, s.read(t, other.Anchor), other)
	}
	// A second writer's rename is no obstacle for one that knows the new name.
	to := s.name()
	s.rival(t, u.Anchor, swap(s.u.Naming, name, to))
	_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Naming, name, s.name())}, connectors.Guard{}, nil)
	fails(t, "a rename from the name before the last", err, connectors.GuardFailed)
	s.apply(t, u.Anchor, swap(s.u.Plain, "kept", "found"))
	if got := s.read(t, u.Anchor).Field(s.u.Naming).Values; !slices.Equal(got, []connectors.Value{to}) {
		t.Errorf("the name is %q, want %q", got, to)
	}
}
