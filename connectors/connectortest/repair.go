package connectortest

import (
	"testing"

	"postern/connectors"
)

// repair checks that references follow an object that is renamed, by themselves or
// by being repaired.
func (s *suite) repair(t *testing.T) {
	repairer, ok := connectors.As[connectors.Repairer](s.users)
	if !ok {
		t.Skip("the connector repairs no references")
	}
	_, err := repairer.TraceName(t.Context(), s.gone(t).Anchor)
	if k := connectors.KindOf(err); err != nil && k != connectors.NotFound {
		t.Errorf("a trace of what is gone: %v", err)
	}
	u, stay := s.user(t), s.user(t)
	g, alone := s.group(t, s.toUser(u), s.toUser(stay)), s.group(t, s.toUser(u))
	report := stay
	if s.u.Ref != "" {
		report = s.user(t, connectors.Field{Attr: s.u.Ref, Refs: []connectors.Target{s.toUser(u)}})
	}
	name := u.Field(s.u.Naming).Values[0]
	for _, to := range []connectors.Value{s.name(), s.name() + `+a=b,c`} {
		if s.u.Refuses != nil && s.u.Refuses(to) {
			continue
		}
		trace, err := repairer.TraceName(t.Context(), u.Anchor)
		if err != nil {
			t.Fatal(err)
		}
		if trace != "" {
			if renamed, err := repairer.Repair(t.Context(), trace, u.Anchor); renamed || err != nil {
				t.Errorf("before it is renamed: %v, %v", renamed, err)
			}
		}
		s.apply(t, u.Anchor, swap(s.u.Naming, name, to))
		name = to
		for range 2 {
			if trace == "" {
				break
			}
			if renamed, err := repairer.Repair(t.Context(), trace, u.Anchor); !renamed || err != nil {
				t.Fatalf("once it is renamed: %v, %v", renamed, err)
			}
		}
		refersTo(t, "the group", s.members(t, g.Anchor), s.toUser(u), s.toUser(stay))
		refersTo(t, "the group with one member", s.members(t, alone.Anchor), s.toUser(u))
		if s.u.Ref != "" {
			refersTo(t, s.u.refName(), s.read(t, report.Anchor).Field(s.u.Ref).Refs, s.toUser(u))
		}
	}
	trace, err := repairer.TraceName(t.Context(), u.Anchor)
	if err != nil {
		t.Fatal(err)
	}
	if trace == "" {
		return
	}

	// What another object has the name of by now is left to that.
	s.apply(t, u.Anchor, swap(s.u.Naming, name, s.name()))
	other := s.make(t, s.users, s.u.Draft(name), s.want)
	if renamed, err := repairer.Repair(t.Context(), trace, u.Anchor); !renamed || err != nil {
		t.Errorf("of a name that is taken: %v, %v", renamed, err)
	}
	holder := other
	if s.h.RenamesKeepReferences {
		holder = u
	}
	refersTo(t, "the group of a name that is taken", s.members(t, alone.Anchor), s.toUser(holder))
	if err := s.users.Delete(t.Context(), u.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	_, err = repairer.Repair(t.Context(), trace, u.Anchor)
	fails(t, "of what is gone", err, connectors.NotFound)
}
