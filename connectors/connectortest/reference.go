package connectortest

import (
	"slices"
	"testing"

	"postern/connectors"
)

// references checks that references lead to objects and back.
func (s *suite) references(t *testing.T) {
	ann, bob := s.user(t), s.user(t)
	both := s.group(t, s.toUser(ann), s.toUser(bob))
	one := s.group(t, s.toUser(ann))
	none := s.group(t)
	refersTo(t, "a group of two, as created", both.Field(s.g.Ref).Refs, s.toUser(ann), s.toUser(bob))
	refersTo(t, "a group of two", s.members(t, both.Anchor), s.toUser(ann), s.toUser(bob))
	if f := none.Field(s.g.Ref); len(none.Fields) != 1 || !f.Empty() {
		t.Errorf("a group of nobody has %+v", none.Fields)
	}
	if f := both.Field(s.g.Ref); len(f.Values) > 0 || f.Partial {
		t.Errorf("a reference attribute has the values %q, partial %v", f.Values, f.Partial)
	}
	found := s.search(t, s.groups, connectors.Query{Want: s.groupWant()})
	for _, g := range []connectors.Entry{both, one, none} {
		refersTo(t, "a group in a search", found[g.Anchor].Field(s.g.Ref).Refs, g.Field(s.g.Ref).Refs...)
	}

	groupConds := s.groups.Capabilities().Conds
	if groupConds.Has(connectors.CondRefTo) {
		gone := s.gone(t)
		for _, tc := range []struct {
			where connectors.Cond
			want  []connectors.Entry
		}{
			{connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(ann)}, []connectors.Entry{both, one}},
			{connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(bob)}, []connectors.Entry{both}},
			{connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(gone)}, nil},
			{connectors.RefTo{Attr: s.g.Ref, Target: connectors.Target{Collection: s.u.Collection, Anchor: "no anchor"}}, nil},
			{connectors.RefTo{Attr: s.g.Ref, Target: connectors.Target{Collection: "no collection", Anchor: ann.Anchor}}, nil},
			{connectors.Not{Cond: connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(ann)}}, []connectors.Entry{none}},
			{connectors.Not{Cond: connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(gone)}}, []connectors.Entry{both, one, none}},
			{
				connectors.And{
					connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(ann)},
					connectors.Not{Cond: connectors.RefTo{Attr: s.g.Ref, Target: s.toUser(bob)}},
				},
				[]connectors.Entry{one},
			},
		} {
			if groupConds.Has(connectors.KindsOf(tc.where)) {
				s.findsOf(t, tc.where, []connectors.Entry{both, one, none}, tc.want)
			}
		}
	}
	if groupConds.Has(connectors.CondPresent) {
		// Of a group without visible members nothing is said: a directory counts
		// what is hidden too.
		found := s.search(t, s.groups, connectors.Query{Where: connectors.Present{Attr: s.g.Ref}})
		for _, g := range []connectors.Entry{both, one} {
			if _, ok := found[g.Anchor]; !ok {
				t.Error("a group with members is not among those that have some")
			}
		}
	}
	if s.g.Nested {
		got := s.changeMembers(t, one, connectors.Change{AddRefs: []connectors.Target{s.toGroup(both), s.toGroup(none)}})
		refersTo(t, "a group of groups", got, s.toUser(ann), s.toGroup(both), s.toGroup(none))
		got = s.changeMembers(t, one, connectors.Change{DeleteRefs: []connectors.Target{s.toGroup(none), s.toUser(ann)}})
		refersTo(t, "a group of groups", got, s.toGroup(both))
	}

	// A group may be empty, from the beginning or in the end.
	got := s.changeMembers(t, none, connectors.Change{AddRefs: []connectors.Target{s.toUser(bob)}})
	refersTo(t, "the first member", got, s.toUser(bob))
	got = s.changeMembers(t, none, connectors.Change{DeleteRefs: []connectors.Target{s.toUser(bob)}})
	refersTo(t, "after the last member", got)
	s.oneReference(t)
	s.reverse(t)
}

func (s *suite) changeMembers(t *testing.T, g connectors.Entry, c connectors.Change) []connectors.Target {
	t.Helper()
	c.Attr = s.g.Ref
	e, err := s.groups.Apply(t.Context(), g.Anchor, []connectors.Change{c}, connectors.Guard{}, s.groupWant())
	if err != nil {
		t.Fatalf("members %+v: %v", c, err)
	}
	refersTo(t, "a get after a change", s.members(t, g.Anchor), e.Field(s.g.Ref).Refs...)
	return e.Field(s.g.Ref).Refs
}

// findsOf checks which of some groups a search finds.
func (s *suite) findsOf(t *testing.T, where connectors.Cond, of, want []connectors.Entry) {
	t.Helper()
	found := s.search(t, s.groups, connectors.Query{Where: where})
	for i, g := range of {
		_, ok := found[g.Anchor]
		wants := slices.ContainsFunc(want, func(e connectors.Entry) bool { return e.Anchor == g.Anchor })
		if ok != wants {
			t.Errorf("%v: found %v, want %v, of group %d", where, ok, wants, i)
		}
	}
}

// oneReference checks a user's reference to another.
func (s *suite) oneReference(t *testing.T) {
	if s.u.Ref == "" {
		return
	}
	boss, next := s.user(t), s.user(t)
	u := s.user(t, connectors.Field{Attr: s.u.Ref, Refs: []connectors.Target{s.toUser(boss)}})
	refersTo(t, s.u.refName(), u.Field(s.u.Ref).Refs, s.toUser(boss))
	u = s.apply(t, u.Anchor, connectors.Change{
		Attr: s.u.Ref, DeleteRefs: []connectors.Target{s.toUser(boss)}, AddRefs: []connectors.Target{s.toUser(next)},
	})
	refersTo(t, s.u.refName(), u.Field(s.u.Ref).Refs, s.toUser(next))
	_, err := s.users.Apply(t.Context(), u.Anchor, []connectors.Change{
		{Attr: s.u.Ref, DeleteRefs: []connectors.Target{s.toUser(boss)}, AddRefs: []connectors.Target{s.toUser(boss)}},
	}, connectors.Guard{}, nil)
	fails(t, "a change of the reference before the last", err, connectors.GuardFailed)
	// To itself, which some find hard.
	u = s.apply(t, u.Anchor, connectors.Change{
		Attr: s.u.Ref, DeleteRefs: []connectors.Target{s.toUser(next)}, AddRefs: []connectors.Target{s.toUser(u)},
	})
	refersTo(t, s.u.refName(), u.Field(s.u.Ref).Refs, s.toUser(u))
	u = s.apply(t, u.Anchor, connectors.Change{Attr: s.u.Ref, DeleteRefs: []connectors.Target{s.toUser(u)}})
	refersTo(t, s.u.refName(), u.Field(s.u.Ref).Refs)
	s.holds(t, u, s.u.Ref)
}

func (u Users) refName() string { return "the user's " + string(u.Ref) }

// reverse checks the attribute that shows a user's groups.
func (s *suite) reverse(t *testing.T) {
	if s.u.Reverse == "" {
		return
	}
	groupsOf := func(u connectors.Entry) []connectors.Target {
		t.Helper()
		e, err := s.users.Get(t.Context(), u.Anchor, []connectors.Attr{s.u.Reverse})
		if err != nil {
			t.Fatal(err)
		}
		return e.Field(s.u.Reverse).Refs
	}
	u := s.user(t)
	refersTo(t, "the groups of a new user", groupsOf(u))
	g, h := s.group(t, s.toUser(u)), s.group(t)
	refersTo(t, "the groups of a member of one", groupsOf(u), s.toGroup(g))
	s.changeMembers(t, h, connectors.Change{AddRefs: []connectors.Target{s.toUser(u)}})
	refersTo(t, "the groups of a member of two", groupsOf(u), s.toGroup(g), s.toGroup(h))
	if s.caps.Conds.Has(connectors.CondRefTo) {
		found := s.search(t, s.users, connectors.Query{Where: connectors.RefTo{Attr: s.u.Reverse, Target: s.toGroup(g)}})
		if _, ok := found[u.Anchor]; !ok || len(found) != 1 {
			t.Errorf("a search for the members of a group gives %d users", len(found))
		}
	}
	// Under a guard too: it is a condition on the group, not on its members.
	left, err := s.groups.Apply(t.Context(), g.Anchor,
		[]connectors.Change{{Attr: s.g.Ref, DeleteRefs: []connectors.Target{s.toUser(u)}}}, s.strongest(t, g), s.groupWant())
	if err != nil {
		t.Fatal(err)
	}
	refersTo(t, "the group that was left", left.Field(s.g.Ref).Refs)
	refersTo(t, "the groups of who left one", groupsOf(u), s.toGroup(h))
	if err := s.groups.Delete(t.Context(), h.Anchor, s.strongest(t, h)); err != nil {
		t.Fatal(err)
	}
	refersTo(t, "the groups of who was in a deleted one", groupsOf(u))
	_, err = s.users.Apply(t.Context(), u.Anchor,
		[]connectors.Change{{Attr: s.u.Reverse, AddRefs: []connectors.Target{s.toGroup(g)}}}, connectors.Guard{}, nil)
	if m, _ := rule(s.caps, s.u.Reverse); m.ReadOnly {
		fails(t, "a write of a computed attribute", err, connectors.Invalid, connectors.Denied)
	}
}

// strongest returns the strongest guard that there is for the group as it is.
func (s *suite) strongest(t *testing.T, g connectors.Entry) connectors.Guard {
	t.Helper()
	now, err := s.groups.Get(t.Context(), g.Anchor, s.groupWant())
	if err != nil {
		t.Fatal(err)
	}
	return connectors.Guard{Level: s.groups.Capabilities().Guard, Stamp: now.Stamp, Read: now.Fields}
}

// referencesRefused checks that no reference to nothing is written.
func (s *suite) referencesRefused(t *testing.T) {
	u, gone := s.user(t), s.gone(t)
	g := s.group(t, s.toUser(u))
	fresh := s.user(t)
	bad := map[string]connectors.Target{
		"a deleted user":              s.toUser(gone),
		"a malformed anchor":          {Collection: s.u.Collection, Anchor: "cn=x,dc=y"},
		"an unknown collection":       {Collection: "no collection", Anchor: u.Anchor},
		"a user under another anchor": {Collection: s.g.Collection, Anchor: u.Anchor},
	}
	if !s.g.Nested {
		bad["a group"] = s.toGroup(s.group(t))
	}
	for what, target := range bad {
		for _, lenient := range []bool{false, true} {
			_, err := s.groups.Apply(t.Context(), g.Anchor, []connectors.Change{
				{Attr: s.g.Ref, AddRefs: []connectors.Target{s.toUser(fresh), target}, Lenient: lenient},
			}, connectors.Guard{}, nil)
			fails(t, "a reference to "+what, err, connectors.Invalid)
			refersTo(t, "after a reference to "+what, s.members(t, g.Anchor), s.toUser(u))
		}
		// Out of the group it is already.
		_, err := s.groups.Apply(t.Context(), g.Anchor, []connectors.Change{
			{Attr: s.g.Ref, DeleteRefs: []connectors.Target{target}, Lenient: true},
		}, connectors.Guard{}, nil)
		if err != nil {
			t.Errorf("taking %s out: %v", what, err)
		}
		_, err = s.groups.Apply(t.Context(), g.Anchor, []connectors.Change{
			{Attr: s.g.Ref, DeleteRefs: []connectors.Target{target}},
		}, connectors.Guard{}, nil)
		fails(t, "taking "+what+" out, not leniently", err, connectors.GuardFailed)
	}
	refersTo(t, "the group", s.members(t, g.Anchor), s.toUser(u))
}

// referencesDead checks that what references leave behind is not shown, and is
// no obstacle.
func (s *suite) referencesDead(t *testing.T) {
	// Deleted past this connector, which may go on to show what it resolved a
	// moment ago. Who asks for the first time must not.
	stay, leave := s.user(t), s.user(t)
	g := s.group(t, s.toUser(stay), s.toUser(leave))
	refersTo(t, "the group", s.members(t, g.Anchor), s.toUser(stay), s.toUser(leave))
	if err := s.o.RivalUsers.Delete(t.Context(), leave.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	e, err := s.o.RivalGroups.Get(t.Context(), g.Anchor, s.groupWant())
	if err != nil {
		t.Fatal(err)
	}
	refersTo(t, "the group, for who deleted its member", e.Field(s.g.Ref).Refs, s.toUser(stay))

	g = s.group(t, s.toUser(stay))
	leave = s.user(t)
	got := s.changeMembers(t, g, connectors.Change{AddRefs: []connectors.Target{s.toUser(leave)}, Lenient: true})
	refersTo(t, "the group", got, s.toUser(stay), s.toUser(leave))
	if err := s.users.Delete(t.Context(), leave.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	refersTo(t, "the group without the deleted user", s.members(t, g.Anchor), s.toUser(stay))
	got = s.changeMembers(t, g, connectors.Change{DeleteRefs: []connectors.Target{s.toUser(stay)}})
	refersTo(t, "the group without anybody", got)

	if s.o.Plant == nil {
		return
	}
	s.o.Plant(t, g.Anchor)
	refersTo(t, "the group with strangers", s.members(t, g.Anchor))
	got = s.changeMembers(t, g, connectors.Change{AddRefs: []connectors.Target{s.toUser(stay)}})
	refersTo(t, "the group with strangers and one", got, s.toUser(stay))
	if e := s.search(t, s.groups, connectors.Query{Want: s.groupWant()})[g.Anchor]; len(e.Field(s.g.Ref).Refs) != 1 {
		t.Errorf("in a search the group has %d members", len(e.Field(s.g.Ref).Refs))
	}
}

// sweep checks that the next object of a name does not inherit the references
// to the last.
func (s *suite) sweep(t *testing.T) {
	sweeper, ok := connectors.As[connectors.Sweeper](s.users)
	if !ok {
		t.Skip("the connector can not sweep")
	}
	_, err := sweeper.Trace(t.Context(), s.gone(t).Anchor)
	fails(t, "a trace of what is gone", err, connectors.NotFound)

	name := s.name()
	u := s.make(t, s.users, s.u.Draft(name), s.want)
	stay := s.user(t)
	g, alone := s.group(t, s.toUser(u), s.toUser(stay)), s.group(t, s.toUser(u))
	report := stay
	if s.u.Ref != "" {
		report = s.user(t, connectors.Field{Attr: s.u.Ref, Refs: []connectors.Target{s.toUser(u)}})
	}
	trace, err := sweeper.Trace(t.Context(), u.Anchor)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.users.Delete(t.Context(), u.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sweeper.Sweep(t.Context(), trace); err != nil {
			t.Fatal(err)
		}
	}
	s.make(t, s.users, s.u.Draft(name), s.want)
	refersTo(t, "the group", s.members(t, g.Anchor), s.toUser(stay))
	refersTo(t, "the group whose only member went", s.members(t, alone.Anchor))
	if s.u.Ref != "" {
		refersTo(t, s.u.refName(), s.read(t, report.Anchor).Field(s.u.Ref).Refs)
	}

	// The same for a group in a group.
	sweeper, ok = connectors.As[connectors.Sweeper](s.groups)
	if !s.g.Nested || !ok {
		return
	}
	name = s.name()
	inner := s.make(t, s.groups, s.g.Draft(name), s.groupWant())
	outer := s.group(t, s.toGroup(inner))
	if trace, err = sweeper.Trace(t.Context(), inner.Anchor); err != nil {
		t.Fatal(err)
	}
	if err := s.groups.Delete(t.Context(), inner.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	if err := sweeper.Sweep(t.Context(), trace); err != nil {
		t.Fatal(err)
	}
	s.make(t, s.groups, s.g.Draft(name), s.groupWant())
	refersTo(t, "the outer group", s.members(t, outer.Anchor))
}
