package connectortest

import (
	"slices"
	"testing"

	"postern/connectors"
)

func (s *suite) change(t *testing.T) {
	u := s.user(t, has(s.u.Other, "kept"))
	for _, step := range []struct {
		what    string
		changes []connectors.Change
		attr    connectors.Attr
		want    []connectors.Value
	}{
		{"nothing", nil, s.u.Plain, nil},
		{"an empty change", []connectors.Change{{Attr: s.u.Plain}}, s.u.Plain, nil},
		{"add to an absent attribute", []connectors.Change{swap(s.u.Plain, "", "One")}, s.u.Plain, []connectors.Value{"One"}},
		{"one for another", []connectors.Change{swap(s.u.Plain, "One", "Two")}, s.u.Plain, []connectors.Value{"Two"}},
		{"case alone", []connectors.Change{swap(s.u.Plain, "Two", "TWO")}, s.u.Plain, []connectors.Value{"TWO"}},
		{"a value for itself", []connectors.Change{swap(s.u.Plain, "TWO", "TWO")}, s.u.Plain, []connectors.Value{"TWO"}},
		{"the last value", []connectors.Change{swap(s.u.Plain, "TWO", "")}, s.u.Plain, nil},
		{
			"several values", []connectors.Change{{Attr: s.u.Multi, Add: []connectors.Value{"a", "b", "c"}}},
			s.u.Multi, []connectors.Value{"a", "b", "c"},
		},
		{
			"some values", []connectors.Change{{Attr: s.u.Multi, Delete: []connectors.Value{"a", "c"}, Add: []connectors.Value{"d"}}},
			s.u.Multi, []connectors.Value{"b", "d"},
		},
		{
			"two changes of one attribute, in their order",
			[]connectors.Change{swap(s.u.Multi, "", "e"), swap(s.u.Multi, "e", "f")},
			s.u.Multi, []connectors.Value{"b", "d", "f"},
		},
		{
			"two attributes", []connectors.Change{swap(s.u.Plain, "", "x"), swap(s.u.Multi, "b", "")},
			s.u.Multi, []connectors.Value{"d", "f"},
		},
		{
			"all values", []connectors.Change{{Attr: s.u.Multi, Delete: []connectors.Value{"f", "d"}}},
			s.u.Multi, nil,
		},
	} {
		got, err := s.users.Apply(t.Context(), u.Anchor, step.changes, connectors.Guard{}, s.want)
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		s.holds(t, got, step.attr, step.want...)
		s.holds(t, got, s.u.Other, "kept")
		s.sameEntry(t, "a second writer's get", s.read(t, u.Anchor), got)
		if t.Failed() {
			t.Fatalf("in the step %q", step.what)
		}
		// Case is part of the value, whatever the rule says.
		if step.attr == s.u.Plain && !slices.Equal(got.Field(s.u.Plain).Values, step.want) {
			t.Errorf("%s: %q, want %q", step.what, got.Field(s.u.Plain).Values, step.want)
		}
	}
}

// changeIsWhole checks that of a write that fails nothing happens.
func (s *suite) changeIsWhole(t *testing.T) {
	u := s.user(t, has(s.u.Plain, "old"), has(s.u.Multi, "a", "b"))
	good := []connectors.Change{swap(s.u.Other, "", "new"), swap(s.u.Plain, "old", "new")}
	gone := connectors.Target{Collection: s.u.Collection, Anchor: s.gone(t).Anchor}
	type test struct {
		what  string
		bad   connectors.Change
		kinds []connectors.Kind
	}
	tests := []test{
		{"a value that is not there", swap(s.u.Multi, "c", ""), []connectors.Kind{connectors.GuardFailed}},
		{"a value of an absent attribute", swap(s.u.Other, "x", "y"), []connectors.Kind{connectors.GuardFailed}},
		{"one value there and one not", connectors.Change{Attr: s.u.Multi, Delete: []connectors.Value{"a", "c"}}, []connectors.Kind{connectors.GuardFailed}},
		{"a value that is there already", swap(s.u.Multi, "", "b"), []connectors.Kind{connectors.GuardFailed}},
	}
	if m, _ := rule(s.caps, s.u.Plain); m.SingleValue {
		tests = append(tests, test{
			"a second value for a single one", connectors.Change{Attr: s.u.Plain, Add: []connectors.Value{"second"}},
			[]connectors.Kind{connectors.Invalid, connectors.GuardFailed},
		})
	}
	if s.u.Ref != "" {
		tests = append(tests, test{
			"a reference to nothing", connectors.Change{Attr: s.u.Ref, AddRefs: []connectors.Target{gone}},
			[]connectors.Kind{connectors.Invalid},
		})
	}
	for _, tc := range tests {
		for _, order := range [][]connectors.Change{
			append(slices.Clone(good), tc.bad),
			append([]connectors.Change{tc.bad}, good...),
			{good[0], tc.bad, good[1]},
		} {
			_, err := s.users.Apply(t.Context(), u.Anchor, order, connectors.Guard{}, s.want)
			fails(t, tc.what, err, tc.kinds...)
			s.sameEntry(t, "after "+tc.what, s.read(t, u.Anchor), u)
		}
	}
	// The rename is another operation in many backends.
	name := u.Field(s.u.Naming).Values[0]
	renamed := append(slices.Clone(good), swap(s.u.Naming, name, s.name()), swap(s.u.Multi, "c", ""))
	_, err := s.users.Apply(t.Context(), u.Anchor, renamed, connectors.Guard{}, s.want)
	fails(t, "a rename and a value that is not there", err, connectors.GuardFailed)
	now := s.read(t, u.Anchor)
	now.Stamp = u.Stamp // a rename that was taken back is seen there
	s.sameEntry(t, "after a rename and a value that is not there", now, u)

	_, err = s.users.Apply(t.Context(), u.Anchor, []connectors.Change{swap(s.u.Plain, "old", "new")}, connectors.Guard{}, nil)
	if err != nil {
		t.Errorf("the good change alone: %v", err)
	}
}

// lenient checks changes of sets.
func (s *suite) lenient(t *testing.T) {
	u := s.user(t, has(s.u.Multi, "a", "b"))
	for _, step := range []struct {
		what     string
		del, add []connectors.Value
		want     []connectors.Value
	}{
		{"add what is there", nil, []connectors.Value{"a"}, []connectors.Value{"a", "b"}},
		{"add old and new", nil, []connectors.Value{"b", "c"}, []connectors.Value{"a", "b", "c"}},
		{"take away what is not there", []connectors.Value{"x"}, nil, []connectors.Value{"a", "b", "c"}},
		{"take away both", []connectors.Value{"x", "a"}, nil, []connectors.Value{"b", "c"}},
		{"all at once", []connectors.Value{"b", "y"}, []connectors.Value{"c", "d"}, []connectors.Value{"c", "d"}},
		{"to the last", []connectors.Value{"c", "d", "z"}, nil, nil},
		{"of an absent attribute", []connectors.Value{"c"}, nil, nil},
	} {
		got, err := s.users.Apply(t.Context(), u.Anchor,
			[]connectors.Change{{Attr: s.u.Multi, Delete: step.del, Add: step.add, Lenient: true}}, connectors.Guard{}, s.want)
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		s.holds(t, got, s.u.Multi, step.want...)
		s.sameEntry(t, step.what, s.read(t, u.Anchor), got)
		if t.Failed() {
			t.Fatalf("in the step %q", step.what)
		}
	}
	s.lenientMembers(t)
}

func (s *suite) lenientMembers(t *testing.T) {
	ann, bob, eve := s.toUser(s.user(t)), s.toUser(s.user(t)), s.toUser(s.user(t))
	g := s.group(t, ann)
	for _, step := range []struct {
		what     string
		del, add []connectors.Target
		want     []connectors.Target
	}{
		{"add the member that is there", nil, []connectors.Target{ann}, []connectors.Target{ann}},
		{"add old and new members", nil, []connectors.Target{ann, bob}, []connectors.Target{ann, bob}},
		{"take a stranger out", []connectors.Target{eve}, nil, []connectors.Target{ann, bob}},
		{"take a member and a stranger out", []connectors.Target{eve, ann}, nil, []connectors.Target{bob}},
		{"members in and out", []connectors.Target{bob, ann}, []connectors.Target{eve}, []connectors.Target{eve}},
		{"the last one out", []connectors.Target{eve, bob}, nil, nil},
		{"out of an empty group", []connectors.Target{ann}, nil, nil},
		{"into an empty group", nil, []connectors.Target{bob, eve}, []connectors.Target{bob, eve}},
	} {
		got, err := s.groups.Apply(t.Context(), g.Anchor,
			[]connectors.Change{{Attr: s.g.Ref, DeleteRefs: step.del, AddRefs: step.add, Lenient: true}},
			connectors.Guard{}, s.groupWant())
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		refersTo(t, step.what+", the answer", got.Field(s.g.Ref).Refs, step.want...)
		refersTo(t, step.what, s.members(t, g.Anchor), step.want...)
	}
	for what, c := range map[string]connectors.Change{
		"take a stranger out": {Attr: s.g.Ref, DeleteRefs: []connectors.Target{ann}},
		"add a member twice":  {Attr: s.g.Ref, AddRefs: []connectors.Target{bob}},
	} {
		_, err := s.groups.Apply(t.Context(), g.Anchor, []connectors.Change{c}, connectors.Guard{}, nil)
		fails(t, what+" of a group, not leniently", err, connectors.GuardFailed)
		refersTo(t, what, s.members(t, g.Anchor), bob, eve)
	}
}
