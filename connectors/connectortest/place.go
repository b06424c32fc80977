package connectortest

import (
	"slices"
	"testing"

	"postern/connectors"
)

// to is the change that puts an object into a container.
func to(p connectors.Place) connectors.Change { return connectors.Change{Place: &p} }

// lies demands that a user lies in one of the two places and not in the other.
func (s *suite) lies(t *testing.T, what string, a connectors.Anchor, where int) {
	t.Helper()
	m, ok := connectors.As[connectors.Mover](s.users)
	if !ok {
		t.Fatal("a driver that declares places does not say where an object lies")
	}
	for i, p := range s.u.Containers {
		if in, err := m.LiesIn(t.Context(), a, p); err != nil || in != (i == where) {
			t.Errorf("%s: it lies in %q: %v, %v", what, p, in, err)
		}
	}
}

func (s *suite) placed(t *testing.T, name connectors.Value, p connectors.Place, fields ...connectors.Field) connectors.Entry {
	t.Helper()
	d := set(s.u.Draft(name), fields...)
	d.Place = p
	return s.make(t, s.users, d, s.want)
}

func (s *suite) needPlaces(t *testing.T) {
	t.Helper()
	if !s.caps.Places || s.u.Places[0].IsZero() {
		t.Skip("no places")
	}
}

// places makes users in a place, and moves them with all that can be asked at once.
func (s *suite) places(t *testing.T) {
	s.needPlaces(t)
	const signs = `+a=b,"c"`
	for _, first := range []connectors.Value{s.name(), s.name() + signs} {
		if s.u.Refuses != nil && s.u.Refuses(first) {
			continue
		}
		u := s.placed(t, first, s.u.Places[0], has(s.u.Plain, "kept"))
		s.lies(t, "made there", u.Anchor, 0)
		g := s.group(t, s.toUser(u))
		now := first
		for _, step := range []struct {
			what    string
			where   int
			name    connectors.Value
			changes []connectors.Change
		}{
			{"moved", 1, "", nil},
			{"moved to where it lies", 1, "", nil},
			{"moved back with a change", 0, "", []connectors.Change{swap(s.u.Plain, "kept", "moved")}},
			{"moved to where it lies with a change", 0, "", []connectors.Change{swap(s.u.Plain, "moved", "stayed")}},
			{"moved and renamed", 1, s.name(), nil},
			{"moved, renamed and changed", 0, s.name() + signs, []connectors.Change{swap(s.u.Plain, "stayed", "all"), swap(s.u.Other, "", "too")}},
		} {
			changes := append(slices.Clone(step.changes), to(s.u.Places[step.where]))
			if step.name != "" && step.name != now {
				changes = append(changes, swap(s.u.Naming, now, step.name))
				now = step.name
			}
			got, err := s.users.Apply(t.Context(), u.Anchor, changes, connectors.Guard{}, s.want)
			if err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			if got.Anchor != u.Anchor {
				t.Errorf("%s: the anchor changed from %x to %x", step.what, string(u.Anchor), string(got.Anchor))
			}
			if vs := got.Field(s.u.Naming).Values; !slices.Equal(vs, []connectors.Value{now}) {
				t.Errorf("%s: the name is %q, want %q", step.what, vs, now)
			}
			for _, c := range step.changes {
				s.holds(t, got, c.Attr, c.Add...)
			}
			s.sameEntry(t, step.what, s.read(t, u.Anchor), got)
			s.lies(t, step.what, u.Anchor, step.where)
			if s.h.RenamesKeepReferences {
				refersTo(t, step.what+", the group", s.members(t, g.Anchor), s.toUser(u))
			}
		}
	}
}

// placesFail asks for moves that can not be: then nothing else is done either.
func (s *suite) placesFail(t *testing.T) {
	s.needPlaces(t)
	u := s.placed(t, s.name(), s.u.Places[0], has(s.u.Plain, "kept"))
	other := s.placed(t, s.name(), s.u.Places[1])
	name, taken := u.Field(s.u.Naming).Values[0], other.Field(s.u.Naming).Values[0]
	change := swap(s.u.Plain, "kept", "lost")
	for _, tc := range []struct {
		what    string
		changes []connectors.Change
		kind    connectors.Kind
	}{
		{"to no container", []connectors.Change{change, to(s.u.NoPlace)}, connectors.Invalid},
		{"to where its name is taken", []connectors.Change{change, to(s.u.Places[1]), swap(s.u.Naming, name, taken)}, connectors.Exists},
		{"with a change that can not be", []connectors.Change{to(s.u.Places[1]), swap(s.u.Plain, "other", "lost")}, connectors.GuardFailed},
	} {
		_, err := s.users.Apply(t.Context(), u.Anchor, tc.changes, connectors.Guard{}, s.want)
		fails(t, tc.what, err, tc.kind)
		s.lies(t, tc.what, u.Anchor, 0)
		s.holds(t, s.read(t, u.Anchor), s.u.Plain, "kept")
	}
	s.rival(t, u.Anchor, swap(s.u.Plain, "kept", "moved"))
	stale := connectors.Guard{Level: s.caps.Guard, Stamp: u.Stamp, Read: u.Fields}
	_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{to(s.u.Places[1])}, stale, s.want)
	fails(t, "of what has changed", err, connectors.GuardFailed)
	s.lies(t, "of what has changed", u.Anchor, 0)

	d := s.u.Draft(s.name())
	d.Place = s.u.NoPlace
	_, err = s.users.Create(t.Context(), d, s.want)
	fails(t, "made in no container", err, connectors.Invalid)
}

// placesUndeclared asks a driver for what it says that it can not do.
func (s *suite) placesUndeclared(t *testing.T) {
	if s.caps.Places {
		t.Skip("there are places")
	}
	u := s.user(t, has(s.u.Plain, "kept"))
	p := connectors.PlaceOf("somewhere")
	_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Plain, "kept", "lost"), to(p)}, connectors.Guard{}, s.want)
	fails(t, "a move", err, connectors.Unsupported)
	s.holds(t, s.read(t, u.Anchor), s.u.Plain, "kept")
	d := s.u.Draft(s.name())
	d.Place = p
	_, err = s.users.Create(t.Context(), d, s.want)
	fails(t, "made in a place", err, connectors.Unsupported)
}
