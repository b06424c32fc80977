package connectortest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"postern/connectors"
)

// Run runs the suite. It must not run in parallel with other tests of the same
// process, because it looks for goroutines that are left behind.
func Run(t *testing.T, h Harness) {
	if h.Crowd == 0 {
		h.Crowd = 2000
	}
	seed := h.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	s := &suite{
		h:      h,
		u:      h.Users,
		g:      h.Groups,
		prefix: "ct" + strconv.FormatUint(rand.Uint64()%(36*36*36*36), 36) + "x",
		rng:    rand.New(rand.NewPCG(seed, seed)),
		serial: new(atomic.Int64),
		want:   wanted(h.Users),
	}
	s.o = s.open(t, Options{})
	s.users, s.groups, s.caps = s.o.Users, s.o.Groups, s.o.Users.Capabilities()
	for _, test := range []struct {
		name string
		run  func(*suite, *testing.T)
	}{
		{"Capabilities", (*suite).capabilities},
		{"Create", (*suite).create},
		{"CreateFails", (*suite).createFails},
		{"Get", (*suite).get},
		{"Delete", (*suite).delete},
		{"Scope", (*suite).scope},
		{"Change", (*suite).change},
		{"ChangeIsWhole", (*suite).changeIsWhole},
		{"Lenient", (*suite).lenient},
		{"Secret", (*suite).secret},
		{"Rename", (*suite).rename},
		{"RenameFails", (*suite).renameFails},
		{"Places", (*suite).places},
		{"PlacesFail", (*suite).placesFail},
		{"PlacesUndeclared", (*suite).placesUndeclared},
		{"Values", (*suite).values},
		{"Names", (*suite).names},
		{"GuardTouched", (*suite).guardTouched},
		{"GuardValues", (*suite).guardValues},
		{"GuardEntry", (*suite).guardEntry},
		{"GuardAbove", (*suite).guardAbove},
		{"Race", (*suite).race},
		{"Conditions", (*suite).conditions},
		{"ConditionsRandom", (*suite).conditionsRandom},
		{"ConditionsUndeclared", (*suite).conditionsUndeclared},
		{"Pages", (*suite).pages},
		{"References", (*suite).references},
		{"ReferencesRefused", (*suite).referencesRefused},
		{"ReferencesDead", (*suite).referencesDead},
		{"Sweep", (*suite).sweep},
		{"Repair", (*suite).repair},
		{"Watch", (*suite).watch},
		{"WatchElsewhere", (*suite).watchElsewhere},
		{"WatchKeeps", (*suite).watchKeeps},
		{"Cancel", (*suite).cancel},
		{"Stall", (*suite).stall},
		{"Break", (*suite).breakDown},
		{"Crowd", (*suite).crowd},
		{"Goroutines", (*suite).goroutines},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(s, t) })
	}
}

// A suite is one run.
type suite struct {
	h      Harness
	o      Opened
	u      Users
	g      Groups
	users  connectors.Connector
	groups connectors.Connector

	prefix string // of the names of this run
	serial *atomic.Int64
	rng    *rand.Rand
	caps   connectors.Capabilities // of the users
	want   []connectors.Attr       // all readable attributes of a user
}

func wanted(u Users) []connectors.Attr {
	all := []connectors.Attr{
		u.Naming, u.Plain, u.Other, u.Multi, u.Exact, u.Integer, u.Boolean, u.Time, u.Binary, u.Long, u.Unique, u.Ref,
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(a connectors.Attr) bool { return a == "" })
}

// name returns a name that no object has.
func (s *suite) name() connectors.Value {
	return connectors.Value(s.prefix + strconv.FormatInt(s.serial.Add(1), 36))
}

// user makes a user with a fresh name, to be deleted after the test.
func (s *suite) user(t *testing.T, fields ...connectors.Field) connectors.Entry {
	t.Helper()
	return s.make(t, s.users, set(s.u.Draft(s.name()), fields...), s.want)
}

// group makes a group with a fresh name and these members.
func (s *suite) group(t *testing.T, members ...connectors.Target) connectors.Entry {
	t.Helper()
	d := s.g.Draft(s.name())
	if len(members) > 0 {
		d = set(d, connectors.Field{Attr: s.g.Ref, Refs: members})
	}
	return s.make(t, s.groups, d, s.groupWant())
}

func (s *suite) groupWant() []connectors.Attr {
	return []connectors.Attr{s.g.Naming, s.g.Ref}
}

func (s *suite) make(t *testing.T, c connectors.Connector, d connectors.Draft, want []connectors.Attr) connectors.Entry {
	t.Helper()
	e, err := c.Create(t.Context(), d, want)
	if err != nil {
		t.Fatalf("create %q: %v", d.Field(d.Name).Values, err)
	}
	s.discard(t, c, e.Anchor)
	return e
}

// discard deletes an object after the test, if it is still there.
func (s *suite) discard(t *testing.T, c connectors.Connector, a connectors.Anchor) {
	if s.h.Throwaway {
		return
	}
	t.Cleanup(func() {
		err := c.Delete(context.WithoutCancel(t.Context()), a, connectors.Guard{})
		if err != nil && connectors.KindOf(err) != connectors.NotFound {
			t.Errorf("clean up: %v", err)
		}
	})
}

func (s *suite) toUser(e connectors.Entry) connectors.Target {
	return connectors.Target{Collection: s.u.Collection, Anchor: e.Anchor}
}

func (s *suite) toGroup(e connectors.Entry) connectors.Target {
	return connectors.Target{Collection: s.g.Collection, Anchor: e.Anchor}
}

// read returns a user as a second writer sees it, with no cache in between.
func (s *suite) read(t *testing.T, a connectors.Anchor) connectors.Entry {
	t.Helper()
	e, err := s.o.RivalUsers.Get(t.Context(), a, s.want)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return e
}

// members returns the members of a group as the first connector sees them.
func (s *suite) members(t *testing.T, g connectors.Anchor) []connectors.Target {
	t.Helper()
	e, err := s.groups.Get(t.Context(), g, s.groupWant())
	if err != nil {
		t.Fatalf("get group: %v", err)
	}
	return e.Field(s.g.Ref).Refs
}

// apply carries out changes without a guard that must succeed.
func (s *suite) apply(t *testing.T, a connectors.Anchor, cs ...connectors.Change) connectors.Entry {
	t.Helper()
	e, err := s.users.Apply(t.Context(), a, cs, connectors.Guard{}, s.want)
	if err != nil {
		t.Fatalf("apply %+v: %v", cs, err)
	}
	return e
}

// rival carries out one change as the second writer.
func (s *suite) rival(t *testing.T, a connectors.Anchor, c connectors.Change) {
	t.Helper()
	_, err := s.o.RivalUsers.Apply(t.Context(), a, []connectors.Change{c}, connectors.Guard{}, nil)
	if err != nil {
		t.Fatalf("rival apply %+v: %v", c, err)
	}
}

// search returns what a search finds, each entry once.
func (s *suite) search(t *testing.T, c connectors.Connector, q connectors.Query) map[connectors.Anchor]connectors.Entry {
	t.Helper()
	found, err := collect(t.Context(), c, q)
	if err != nil {
		t.Fatalf("search %v: %v", q.Where, err)
	}
	return found
}

func collect(ctx context.Context, c connectors.Connector, q connectors.Query) (map[connectors.Anchor]connectors.Entry, error) {
	found := make(map[connectors.Anchor]connectors.Entry)
	var failed error
	for e, err := range c.Search(ctx, q) {
		switch _, twice := found[e.Anchor]; {
		case failed != nil:
			return nil, fmt.Errorf("the search went on after %w", failed)
		case err != nil:
			failed = err
		case twice:
			return nil, fmt.Errorf("entry %x came twice", string(e.Anchor))
		default:
			found[e.Anchor] = e
		}
	}
	return found, failed
}

// named returns the anchors of the objects with this name.
func (s *suite) named(t *testing.T, c connectors.Connector, naming connectors.Attr, name connectors.Value) []connectors.Anchor {
	t.Helper()
	var as []connectors.Anchor
	if caps := c.Capabilities(); caps.Conds.Has(connectors.CondEqual) {
		for a := range s.search(t, c, connectors.Query{Where: connectors.Equal{Attr: naming, Value: name}}) {
			as = append(as, a)
		}
		return as
	}
	m, _ := rule(c.Capabilities(), naming)
	for a, e := range s.search(t, c, connectors.Query{Want: []connectors.Attr{naming}}) {
		if slices.ContainsFunc(e.Field(naming).Values, func(v connectors.Value) bool { return m.Equal(v, name) == connectors.True }) {
			as = append(as, a)
		}
	}
	return as
}

// fails checks that an error is of one of the kinds, and an Error at all.
func fails(t *testing.T, what string, err error, kinds ...connectors.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeded, want %v", what, kinds)
		return
	}
	if !classified(err) || !slices.Contains(kinds, connectors.KindOf(err)) {
		t.Errorf("%s: %v, want %v", what, err, kinds)
	}
}

// set returns the draft with these fields in place of its own of the same name.
func set(d connectors.Draft, fields ...connectors.Field) connectors.Draft {
	d.Fields = slices.Clone(d.Fields)
	for _, f := range fields {
		d.Fields = slices.DeleteFunc(d.Fields, func(g connectors.Field) bool {
			return strings.EqualFold(string(f.Attr), string(g.Attr))
		})
		d.Fields = append(d.Fields, f)
	}
	return d
}

func has(a connectors.Attr, vs ...connectors.Value) connectors.Field {
	return connectors.Field{Attr: a, Values: vs}
}

// swap is the change of one value for another.
func swap(a connectors.Attr, from, to connectors.Value) connectors.Change {
	c := connectors.Change{Attr: a}
	if from != "" {
		c.Delete = []connectors.Value{from}
	}
	if to != "" {
		c.Add = []connectors.Value{to}
	}
	return c
}
