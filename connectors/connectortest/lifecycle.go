package connectortest

import (
	"slices"
	"strings"
	"testing"

	"postern/connectors"
)

func (s *suite) capabilities(t *testing.T) {
	for name, c := range map[string]connectors.Connector{"users": s.users, "groups": s.groups} {
		caps := c.Capabilities()
		if !caps.Conds.Has(connectors.CondAll) || !connectors.AllConds.Has(caps.Conds) {
			t.Errorf("%s declare the conditions %b", name, caps.Conds)
		}
		if caps.Guard > connectors.GuardEntry {
			t.Errorf("%s declare the guard %d", name, caps.Guard)
		}
		for a := range caps.Matching {
			if string(a) != strings.ToLower(string(a)) {
				t.Errorf("%s have %q in their schema, which is not lower case", name, a)
			}
		}
	}
	for _, a := range s.want {
		if _, known := rule(s.caps, a); !known {
			t.Errorf("the schema does not know %q of the harness", a)
		}
	}
}

func (s *suite) create(t *testing.T) {
	name := s.name()
	e := s.make(t, s.users, set(s.u.Draft(name),
		has(s.u.Plain, "Plain"), has(s.u.Multi, "one", "Two", "three")), s.want)
	if e.Anchor == "" {
		t.Fatal("no anchor")
	}
	s.holds(t, e, s.u.Naming, name)
	s.holds(t, e, s.u.Plain, "Plain")
	s.holds(t, e, s.u.Multi, "one", "Two", "three")
	s.holds(t, e, s.u.Other)
	s.sameEntry(t, "a second writer's get", s.read(t, e.Anchor), e)
	if got := s.named(t, s.users, s.u.Naming, name); !slices.Equal(got, []connectors.Anchor{e.Anchor}) {
		t.Errorf("a search by name gives %x", got)
	}

	// A field without values is an attribute that is absent (RFC 4512 §2.2).
	e = s.user(t, has(s.u.Plain), has(s.u.Multi))
	s.holds(t, e, s.u.Plain)
	s.holds(t, e, s.u.Multi)
	s.holds(t, s.read(t, e.Anchor), s.u.Plain)
}

// createFails checks how a Create fails, and that it leaves nothing behind.
func (s *suite) createFails(t *testing.T) {
	first := s.user(t)
	name := first.Field(s.u.Naming).Values[0]
	_, err := s.users.Create(t.Context(), s.u.Draft(name), nil)
	fails(t, "a second object of that name", err, connectors.Exists)
	if got := s.named(t, s.users, s.u.Naming, name); !slices.Equal(got, []connectors.Anchor{first.Anchor}) {
		t.Errorf("after a conflict the name belongs to %x", got)
	}

	if s.u.Unique != "" {
		taken := connectors.Value("unique" + string(s.name()))
		s.user(t, has(s.u.Unique, taken))
		name := s.name()
		_, err := s.users.Create(t.Context(), set(s.u.Draft(name), has(s.u.Unique, taken)), nil)
		fails(t, "a second object with that unique value", err, connectors.Exists)
		if got := s.named(t, s.users, s.u.Naming, name); len(got) > 0 {
			t.Errorf("a conflict left %x behind", got)
		}
	}

	// An empty value is refused or taken for none, and never stored.
	name = s.name()
	e, err := s.users.Create(t.Context(), set(s.u.Draft(name), has(s.u.Plain, "")), s.want)
	if err == nil {
		s.discard(t, s.users, e.Anchor)
		s.holds(t, e, s.u.Plain)
	} else {
		fails(t, "an empty value", err, connectors.Invalid)
		if got := s.named(t, s.users, s.u.Naming, name); len(got) > 0 {
			t.Errorf("a refused draft left %x behind", got)
		}
	}

	name = s.name()
	unknown := connectors.Target{Collection: s.u.Collection, Anchor: s.gone(t).Anchor}
	_, err = s.groups.Create(t.Context(),
		set(s.g.Draft(name), connectors.Field{Attr: s.g.Ref, Refs: []connectors.Target{unknown}}), nil)
	fails(t, "a draft that names an object that there is not", err, connectors.Invalid)
	if got := s.named(t, s.groups, s.g.Naming, name); len(got) > 0 {
		t.Errorf("a refused draft left the group %x behind", got)
	}
}

// gone returns a user that was deleted.
func (s *suite) gone(t *testing.T) connectors.Entry {
	t.Helper()
	e := s.user(t)
	if err := s.users.Delete(t.Context(), e.Anchor, connectors.Guard{}); err != nil {
		t.Fatalf("delete: %v", err)
	}
	return e
}

func (s *suite) get(t *testing.T) {
	e := s.user(t, has(s.u.Plain, "Plain"), has(s.u.Other, "Other"))

	got, err := s.users.Get(t.Context(), e.Anchor, []connectors.Attr{s.u.Plain})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Fields) != 1 || got.Anchor != e.Anchor {
		t.Errorf("get of %s alone gives %+v", s.u.Plain, got)
	}
	got, err = s.users.Get(t.Context(), e.Anchor, nil)
	if err != nil || len(got.Fields) != 0 || got.Anchor != e.Anchor {
		t.Errorf("get of nothing gives %+v, %v", got, err)
	}
	if s.caps.Matching != nil {
		// Where names are those of LDAP, the caller's spelling comes back.
		loud := connectors.Attr(strings.ToUpper(string(s.u.Plain)))
		got, err = s.users.Get(t.Context(), e.Anchor, []connectors.Attr{loud})
		if err != nil {
			t.Fatal(err)
		}
		s.holds(t, got, loud, "Plain")
	}

	// A caller may do as it likes with what it was given.
	got, err = s.users.Get(t.Context(), e.Anchor, s.want)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Fields {
		clear(got.Fields[i].Values)
		clear(got.Fields[i].Refs)
	}
	again, err := s.users.Get(t.Context(), e.Anchor, s.want)
	if err != nil {
		t.Fatal(err)
	}
	s.sameEntry(t, "a get after the caller changed the last one's values", again, e)
}

func (s *suite) delete(t *testing.T) {
	e := s.user(t)
	name := e.Field(s.u.Naming).Values[0]
	if err := s.users.Delete(t.Context(), e.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]connectors.Connector{"the deleter": s.users, "a second writer": s.o.RivalUsers} {
		_, err := c.Get(t.Context(), e.Anchor, s.want)
		fails(t, who+"'s get of a deleted object", err, connectors.NotFound)
		_, err = c.Apply(t.Context(), e.Anchor, []connectors.Change{swap(s.u.Plain, "", "x")}, connectors.Guard{}, nil)
		fails(t, who+"'s change of a deleted object", err, connectors.NotFound)
		err = c.Delete(t.Context(), e.Anchor, connectors.Guard{})
		fails(t, who+"'s delete of a deleted object", err, connectors.NotFound)
		if got := s.named(t, c, s.u.Naming, name); len(got) > 0 {
			t.Errorf("%s still finds %x", who, got)
		}
	}
	again := s.make(t, s.users, s.u.Draft(name), s.want)
	if again.Anchor == e.Anchor {
		t.Error("the next object of that name has the anchor of the last")
	}
	_, err := s.users.Get(t.Context(), e.Anchor, s.want)
	fails(t, "get of the last object of that name", err, connectors.NotFound)

	// Deleted past this connector, which may have it cached.
	if err := s.o.RivalUsers.Delete(t.Context(), again.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	_, err = s.users.Get(t.Context(), again.Anchor, s.want)
	fails(t, "get of an object deleted by another", err, connectors.NotFound)
	_, err = s.users.Apply(t.Context(), again.Anchor, []connectors.Change{swap(s.u.Plain, "", "x")}, connectors.Guard{}, nil)
	fails(t, "change of an object deleted by another", err, connectors.NotFound)
}

// scope checks that no anchor reaches outside of its collection.
func (s *suite) scope(t *testing.T) {
	u, g := s.user(t), s.group(t)
	for _, tc := range []struct {
		what   string
		in     connectors.Connector
		anchor connectors.Anchor
		attr   connectors.Attr
	}{
		{"a group among the users", s.users, g.Anchor, s.u.Plain},
		{"a user among the groups", s.groups, u.Anchor, s.g.Naming},
		{"the empty anchor", s.users, "", s.u.Plain},
		{"a malformed anchor", s.users, "*)(objectClass=*", s.u.Plain},
		{"an anchor of zeroes", s.users, connectors.Anchor(make([]byte, 16)), s.u.Plain},
		{"a long anchor", s.users, connectors.Anchor(strings.Repeat("x", 10_000)), s.u.Plain},
	} {
		_, err := tc.in.Get(t.Context(), tc.anchor, nil)
		fails(t, "get of "+tc.what, err, connectors.NotFound)
		_, err = tc.in.Apply(t.Context(), tc.anchor, []connectors.Change{swap(tc.attr, "", "reached")}, connectors.Guard{}, nil)
		fails(t, "change of "+tc.what, err, connectors.NotFound)
		fails(t, "delete of "+tc.what, tc.in.Delete(t.Context(), tc.anchor, connectors.Guard{}), connectors.NotFound)
		if s.caps.Conds.Has(connectors.CondAnchorIn) {
			if found := s.search(t, tc.in, connectors.Query{Where: connectors.AnchorIn{tc.anchor}}); len(found) > 0 {
				t.Errorf("a search finds %s", tc.what)
			}
		}
	}
	s.sameEntry(t, "the user", s.read(t, u.Anchor), u)
	if _, err := s.groups.Get(t.Context(), g.Anchor, nil); err != nil {
		t.Errorf("the group: %v", err)
	}
}
