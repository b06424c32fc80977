package memory

import (
	"context"
	"errors"
	"testing"
	"time"

	"postern/connectors"
)

var schema = map[connectors.Attr]connectors.Matching{
	"uid":          {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true, SingleValue: true},
	"cn":           {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true},
	"displayName":  {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true, Ordering: true, SingleValue: true},
	"mail":         {Rule: connectors.RuleIgnoreCase, Substring: true},
	"serial":       {Rule: connectors.RuleInteger, Ordering: true, SingleValue: true},
	"userPassword": {Rule: connectors.RuleOctets},
}

func company(o Options) *Backend {
	o.Collections = []Collection{
		{
			Name:       "Users",
			Matching:   schema,
			Unique:     []connectors.Attr{"mail"},
			WriteOnly:  []connectors.Attr{"userPassword"},
			References: map[connectors.Attr][]string{"manager": {"Users"}},
			Reverse:    map[connectors.Attr]Reverse{"memberOf": {"Groups", "member"}},
			Created:    "createTimestamp", Modified: "modifyTimestamp",
		},
		{
			Name:       "Groups",
			Matching:   schema,
			Required:   []connectors.Attr{"cn"},
			References: map[connectors.Attr][]string{"member": {"Users", "Groups"}},
		},
	}
	return New(o)
}

func user(uid connectors.Value, more ...connectors.Field) connectors.Draft {
	return connectors.Draft{
		Name:   "uid",
		Fields: append([]connectors.Field{{Attr: "uid", Values: []connectors.Value{uid}}}, more...),
	}
}

func group(cn connectors.Value, members ...connectors.Target) connectors.Draft {
	return connectors.Draft{Name: "cn", Fields: []connectors.Field{
		{Attr: "cn", Values: []connectors.Value{cn}},
		{Attr: "member", Refs: members},
	}}
}

func create(t *testing.T, c connectors.Connector, d connectors.Draft) connectors.Entry {
	t.Helper()
	e, err := c.Create(t.Context(), d, []connectors.Attr{"uid", "cn"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func expect(t *testing.T, err error, k connectors.Kind, a connectors.Attr) {
	t.Helper()
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok || e.Kind != k || e.Attr != a {
		t.Fatalf("got %v, want %v about %q", err, k, a)
	}
}

func members(t *testing.T, c connectors.Connector, g connectors.Anchor) []connectors.Target {
	t.Helper()
	e, err := c.Get(t.Context(), g, []connectors.Attr{"member"})
	if err != nil {
		t.Fatal(err)
	}
	return e.Field("member").Refs
}

func TestConflictsAreNamedAsTheCallerSpellsThem(t *testing.T) {
	b := company(Options{})
	users := b.Collection("Users")
	create(t, users, user("ann", connectors.Field{Attr: "mail", Values: []connectors.Value{"ann@x.org"}}))
	for _, tc := range []struct {
		draft connectors.Draft
		kind  connectors.Kind
		attr  connectors.Attr
	}{
		{user("ANN "), connectors.Exists, "uid"},
		{user("bob", connectors.Field{Attr: "Mail", Values: []connectors.Value{"ANN@x.org"}}), connectors.Exists, "mail"},
		{user("bob", connectors.Field{Attr: "displayNAME", Values: []connectors.Value{"a", "b"}}), connectors.Invalid, "displayNAME"},
		{user("bob", connectors.Field{Attr: "mail", Values: []connectors.Value{"a", "A"}}), connectors.Invalid, "mail"},
		{user("bob", connectors.Field{Attr: "mail", Values: []connectors.Value{""}}), connectors.Invalid, "mail"},
		{user("bob", connectors.Field{Attr: "serial", Values: []connectors.Value{"x"}}), connectors.Invalid, "serial"},
		{user("bob", connectors.Field{Attr: "shoe", Values: []connectors.Value{"x"}}), connectors.Invalid, "shoe"},
		{user("bob", connectors.Field{Attr: "modifyTimestamp", Values: []connectors.Value{"20200101000000Z"}}), connectors.Invalid, "modifyTimestamp"},
		{user("bob", connectors.Field{Attr: "memberOf", Refs: []connectors.Target{{Collection: "Groups", Anchor: "g"}}}), connectors.Invalid, "memberOf"},
		{user("bob", connectors.Field{Attr: "manager", Values: []connectors.Value{"ann"}}), connectors.Invalid, "manager"},
		{connectors.Draft{Name: "uid"}, connectors.Invalid, "uid"},
	} {
		_, err := users.Create(t.Context(), tc.draft, nil)
		expect(t, err, tc.kind, tc.attr)
	}
	create(t, users, user("bob"))
}

func TestDeadReferencesStayUntilSwept(t *testing.T) {
	for _, integrity := range []bool{false, true} {
		b := company(Options{Integrity: integrity})
		users, groups := b.Collection("Users"), b.Collection("Groups")
		ann := create(t, users, user("ann"))
		g := create(t, groups, group("staff", connectors.Target{Collection: "Users", Anchor: ann.Anchor}))

		sweeper := users.(connectors.Sweeper)
		trace, err := sweeper.Trace(t.Context(), ann.Anchor)
		if err != nil {
			t.Fatal(err)
		}
		if err := users.Delete(t.Context(), ann.Anchor, connectors.Guard{}); err != nil {
			t.Fatal(err)
		}
		if got := members(t, groups, g.Anchor); len(got) != 0 {
			t.Fatalf("integrity %v: a dead member is shown: %v", integrity, got)
		}
		again := create(t, users, user("Ann"))
		inherited := members(t, groups, g.Anchor)
		if want := !integrity; (len(inherited) == 1 && inherited[0].Anchor == again.Anchor) != want {
			t.Fatalf("integrity %v: the next of that name inherited %v", integrity, inherited)
		}
		for range 2 {
			if err := sweeper.Sweep(t.Context(), trace); err != nil {
				t.Fatal(err)
			}
		}
		if got := members(t, groups, g.Anchor); len(got) != 0 {
			t.Fatalf("integrity %v: still %v after the sweep", integrity, got)
		}
	}
}

func TestReferencesFollowARename(t *testing.T) {
	b := company(Options{})
	users, groups := b.Collection("Users"), b.Collection("Groups")
	ann := create(t, users, user("ann"))
	self := connectors.Target{Collection: "Users", Anchor: ann.Anchor}
	g := create(t, groups, group("staff", self))
	e, err := users.Apply(t.Context(), ann.Anchor, []connectors.Change{{Attr: "manager", AddRefs: []connectors.Target{self}}},
		connectors.Guard{}, []connectors.Attr{"memberOf"})
	if err != nil || len(e.Field("memberOf").Refs) != 1 {
		t.Fatal(e, err)
	}
	e, err = users.Apply(t.Context(), ann.Anchor, []connectors.Change{
		{Attr: "uid", Delete: []connectors.Value{"ann"}, Add: []connectors.Value{"anne"}},
	}, connectors.Guard{Level: connectors.GuardEntry, Stamp: e.Stamp}, []connectors.Attr{"manager", "memberOf"})
	if err != nil || len(e.Field("manager").Refs) != 1 || len(e.Field("memberOf").Refs) != 1 {
		t.Fatal(e, err)
	}
	now, err := users.Get(t.Context(), ann.Anchor, nil)
	if err != nil || now.Stamp != e.Stamp {
		t.Fatalf("the returned stamp %q is stale: %q, %v", e.Stamp, now.Stamp, err)
	}
	if got := members(t, groups, g.Anchor); len(got) != 1 || got[0] != self {
		t.Fatal(got)
	}
	create(t, users, user("ann"))
	if got := members(t, groups, g.Anchor); len(got) != 1 || got[0] != self {
		t.Fatal(got)
	}
}

func TestPlantedReferencesAreHidden(t *testing.T) {
	b := company(Options{})
	users, groups := b.Collection("Users"), b.Collection("Groups")
	ann := create(t, users, user("ann"))
	g := create(t, groups, group("staff"))
	here := connectors.Target{Collection: "Users", Anchor: ann.Anchor}
	if !b.Plant(here, "manager", "Groups", "staff") || !b.Plant(here, "manager", "Users", "nobody") {
		t.Fatal("not planted")
	}
	e, err := users.Get(t.Context(), ann.Anchor, []connectors.Attr{"manager"})
	if err != nil || !e.Field("manager").Empty() {
		t.Fatal(e, err)
	}
	if b.Plant(connectors.Target{Collection: "Groups", Anchor: "x"}, "member", "Users", "ann") {
		t.Fatal("planted into nothing")
	}
	_ = g
}

func TestWriteOnly(t *testing.T) {
	b := company(Options{})
	users := b.Collection("Users")
	ann := create(t, users, user("ann", connectors.Field{Attr: "userPassword", Values: []connectors.Value{"s3"}}))
	e, err := users.Apply(t.Context(), ann.Anchor,
		[]connectors.Change{{Attr: "USERPASSWORD", Replace: true, Add: []connectors.Value{"s4"}}},
		connectors.Guard{}, []connectors.Attr{"userPassword"})
	if err != nil || len(e.Fields) != 0 {
		t.Fatal(e, err)
	}
	if got := b.Stored("Users", ann.Anchor, "userPassword"); len(got) != 1 || got[0] != "s4" {
		t.Fatal(got)
	}
	for _, where := range []connectors.Cond{
		connectors.Present{Attr: "userPassword"},
		connectors.Equal{Attr: "userPassword", Value: "s4"},
		connectors.Not{Cond: connectors.Equal{Attr: "userPassword", Value: "other"}},
	} {
		for e, err := range users.Search(t.Context(), connectors.Query{Where: where}) {
			t.Fatalf("%v gave %v, %v", where, e, err)
		}
	}
}

func TestFaults(t *testing.T) {
	b := company(Options{})
	users := b.Collection("Users")
	ann := create(t, users, user("ann"))
	change := []connectors.Change{{Attr: "displayName", Lenient: true, Add: []connectors.Value{"Ann"}}}

	b.Fail(func(op Op, done bool) error {
		if op == OpApply && !done {
			return errors.New("no route")
		}
		return nil
	})
	_, err := users.Apply(t.Context(), ann.Anchor, change, connectors.Guard{}, nil)
	if e, ok := errors.AsType[*connectors.Error](err); !ok || e.Kind != connectors.Unavailable || !e.Unsent {
		t.Fatal(err)
	}
	if got := b.Stored("Users", ann.Anchor, "displayName"); got != nil {
		t.Fatal(got)
	}

	b.Fail(func(_ Op, done bool) error {
		if done {
			return errors.New("reset by peer")
		}
		return nil
	})
	_, err = users.Apply(t.Context(), ann.Anchor, change, connectors.Guard{}, nil)
	if e, ok := errors.AsType[*connectors.Error](err); !ok || e.Kind != connectors.Timeout || e.Unsent {
		t.Fatal(err)
	}
	if got := b.Stored("Users", ann.Anchor, "displayName"); len(got) != 1 {
		t.Fatal("the lost answer's write is not there")
	}
	for _, err := range users.Search(t.Context(), connectors.Query{}) {
		if err != nil && connectors.KindOf(err) != connectors.Timeout {
			t.Fatal(err)
		}
	}
	b.Fail(func(Op, bool) error { return &connectors.Error{Kind: connectors.Denied} })
	expect(t, users.Delete(t.Context(), ann.Anchor, connectors.Guard{}), connectors.Denied, "")
	b.Fail(nil)
	if err := users.Delete(t.Context(), ann.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
}

func TestAHangingBackendLetsGo(t *testing.T) {
	b := company(Options{})
	release, asked := make(chan struct{}), make(chan struct{}, 1)
	b.Fail(func(Op, bool) error { asked <- struct{}{}; <-release; return nil })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := b.Collection("Users").Get(ctx, "a", nil)
		failed <- err
	}()
	<-asked
	cancel()
	expect(t, <-failed, connectors.Timeout, "")
}

func TestLatencyHonoursTheContext(t *testing.T) {
	b := company(Options{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := b.Collection("Users").Create(ctx, user("ann"), nil)
	expect(t, err, connectors.Timeout, "")
	_, err = b.Collection("Users").Create(ctx, user("ann"), nil)
	if e, ok := errors.AsType[*connectors.Error](err); !ok || !e.Unsent {
		t.Fatal(err)
	}
}

func TestSearchLimit(t *testing.T) {
	b := company(Options{SearchLimit: 2})
	users := b.Collection("Users")
	for _, uid := range []connectors.Value{"a", "b", "c"} {
		create(t, users, user(uid))
	}
	for _, tc := range []struct {
		query connectors.Query
		n     int
		fails bool
	}{
		{connectors.Query{}, 2, true},
		{connectors.Query{Limit: 2}, 2, false},
		{connectors.Query{Limit: 3}, 2, true},
		{connectors.Query{Where: connectors.Not{Cond: connectors.Equal{Attr: "uid", Value: "A"}}}, 2, false},
	} {
		n := 0
		var failed error
		for _, err := range users.Search(t.Context(), tc.query) {
			if err != nil {
				failed = err
			} else {
				n++
			}
		}
		if n != tc.n || (connectors.KindOf(failed) == connectors.TooMany) != tc.fails {
			t.Errorf("%+v: %d entries, %v", tc.query, n, failed)
		}
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := company(Options{Now: func() time.Time { return now }})
	users := b.Collection("Users")
	want := []connectors.Attr{"createTimestamp", "modifyTimestamp"}
	e, err := users.Create(t.Context(), user("ann"), want)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	e, err = users.Apply(t.Context(), e.Anchor,
		[]connectors.Change{{Attr: "displayName", Add: []connectors.Value{"Ann"}}}, connectors.Guard{}, want)
	if err != nil {
		t.Fatal(err)
	}
	if c, m := e.Field("createTimestamp").Values, e.Field("modifyTimestamp").Values; c[0] != "20260102030405Z" || m[0] != "20260102040405Z" {
		t.Fatal(c, m)
	}
}
