package ldap_test

import (
	"context"
	"slices"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// watched are the events of a watch, until the test ends.
func watched(t *testing.T, c connectors.Connector, since connectors.Cursor) <-chan connectors.Event {
	t.Helper()
	w, ok := connectors.As[connectors.Watcher](c)
	if !ok || !c.Capabilities().Watch {
		t.Fatal("it can not be watched")
	}
	ctx, cancel := context.WithCancel(t.Context())
	events, ended := make(chan connectors.Event), make(chan struct{})
	go func() {
		defer close(ended)
		for e, err := range w.Watch(ctx, since) {
			if err != nil {
				if ctx.Err() == nil {
					t.Error(err)
				}
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return events
}

// comes waits for an event of a kind, of an object if that is named.
func comes(t *testing.T, events <-chan connectors.Event, kind connectors.EventKind, a connectors.Anchor) connectors.Event {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e.Kind == kind && (a == "" || e.Anchor == a) {
				return e
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no event says that anything is %v", kind)
		}
	}
}

// TestWatchKeepsTheCache gives the name of a deleted user to another, past the
// connector, whose memory is long: a group then has the other one. Active Directory
// lets no reference outlive what it names.
func TestWatchKeepsTheCache(t *testing.T) {
	for _, kind := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389} {
		t.Run(string(kind), func(t *testing.T) {
			d := start(t, kind, ldaptest.WithoutIntegrity)
			config := d.config(d.url())
			config.RefCache = ldap.RefCache{TTL: time.Hour}
			dir, rival := d.open(t, config), d.open(t, d.config(d.url()))
			t.Cleanup(func() { dir.Close(); rival.Close() })
			users, groups := collection(t, dir, "User"), collection(t, dir, "Group")
			others := collection(t, rival, "User")
			make := func(name connectors.Value) connectors.Target {
				e, err := others.Create(t.Context(), d.user(name), nil)
				if err != nil {
					t.Fatal(err)
				}
				return connectors.Target{Collection: "User", Anchor: e.Anchor}
			}
			first := make("first")
			draft := d.group("holders")
			draft.Fields = append(draft.Fields, connectors.Field{Attr: "member", Refs: []connectors.Target{first}})
			group, err := groups.Create(t.Context(), draft, nil)
			if err != nil {
				t.Fatal(err)
			}
			members := func(want ...connectors.Target) {
				t.Helper()
				e, err := groups.Get(t.Context(), group.Anchor, []connectors.Attr{"member"})
				if got := e.Field("member").Refs; err != nil || !slices.Equal(got, want) {
					t.Errorf("the members are %x, %v, want %x", got, err, want)
				}
			}
			events := watched(t, users, "")
			comes(t, events, connectors.Resync, "")
			members(first)
			if err := others.Delete(t.Context(), first.Anchor, connectors.Guard{}); err != nil {
				t.Fatal(err)
			}
			second := make("first")
			comes(t, events, connectors.Changed, second.Anchor)
			members(second)
			// A renaming leaves the old name behind in the group, for the next who has it.
			rename := []connectors.Change{{Attr: d.naming(), Delete: value("first"), Add: value("second")}}
			if _, err := others.Apply(t.Context(), second.Anchor, rename, connectors.Guard{}, nil); err != nil {
				t.Fatal(err)
			}
			comes(t, events, connectors.Changed, second.Anchor)
			third := make("first")
			comes(t, events, connectors.Changed, third.Anchor)
			e, err := groups.Get(t.Context(), group.Anchor, []connectors.Attr{"member"})
			if err != nil || slices.Contains(e.Field("member").Refs, second) && slices.Contains(e.Field("member").Refs, third) {
				t.Errorf("one name is two members: %x, %v", e.Field("member").Refs, err)
			}
		})
	}
}

// TestWatchContainers renames a container, and moves it out of the base and back in, while
// it is watched and while it is not: nobody tells of what is below.
func TestWatchContainers(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			d := start(t, kind)
			dir := d.open(t, d.config(d.url()))
			t.Cleanup(func() { dir.Close() })
			users, admin := collection(t, dir, "User"), d.admin(t)
			if err := admin.Add(addRequest("ou=staff,"+d.PeopleBase, "organizationalUnit", "ou", "staff")); err != nil {
				t.Fatal(err)
			}
			person := addRequest(string(d.naming())+"=below,ou=staff,"+d.PeopleBase, d.users.ObjectClass[3])
			for _, f := range d.user("below").Fields {
				person.Attribute(string(f.Attr), []string{string(f.Values[0])})
			}
			if err := admin.Add(person); err != nil {
				t.Fatal(err)
			}
			move := func(dn, rdn, to string) {
				t.Helper()
				if err := admin.ModifyDN(goldap.NewModifyDNRequest(dn, rdn, true, to)); err != nil {
					t.Fatal(err)
				}
			}
			events := watched(t, users, "")
			at := comes(t, events, connectors.Resync, "").Cursor
			move("ou=staff,"+d.PeopleBase, "ou=people", "")
			comes(t, events, connectors.Resync, "")
			move("ou=people,"+d.PeopleBase, "ou=people", d.GroupsBase)
			comes(t, events, connectors.Resync, "")
			move("ou=people,"+d.GroupsBase, "ou=staff", d.PeopleBase)
			last := comes(t, events, connectors.Resync, "").Cursor
			// From then on: the container is where it was at the end.
			made, err := users.Create(t.Context(), d.user("after"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if e := <-watched(t, users, last); e.Kind != connectors.Changed || e.Anchor != made.Anchor {
					t.Errorf("first comes %v of %x (%s)", e.Kind, string(e.Anchor), e.Reason)
				}
			}
			move("ou=staff,"+d.PeopleBase, "ou=left", d.GroupsBase)
			for _, since := range []connectors.Cursor{at, last} {
				if e := <-watched(t, users, since); e.Kind != connectors.Resync {
					t.Errorf("first comes %v of %x", e.Kind, string(e.Anchor))
				}
			}
		})
	}
}

// TestWatchCursors goes on from a cursor where it does not hold: at another URL, which may be
// another server, and with another filter.
func TestWatchCursors(t *testing.T) {
	d := start(t, ldaptest.OpenLDAP)
	watch := func(d *directory, url string, since connectors.Cursor) <-chan connectors.Event {
		dir := d.open(t, d.config(url))
		t.Cleanup(func() { dir.Close() })
		return watched(t, collection(t, dir, "User"), since)
	}
	owner := d.open(t, d.config(d.url()))
	t.Cleanup(func() { owner.Close() })
	events := watched(t, collection(t, owner, "User"), "")
	comes(t, events, connectors.Resync, "")
	made, err := collection(t, owner, "User").Create(t.Context(), d.user("made"), nil)
	if err != nil {
		t.Fatal(err)
	}
	at := comes(t, events, connectors.Changed, made.Anchor).Cursor
	other := *d
	other.users.Filter = "(objectClass=person)"
	for what, events := range map[string]<-chan connectors.Event{
		"another URL": watch(d, d.URL, at), "another filter": watch(&other, d.url(), at),
	} {
		if e := comes(t, events, connectors.Resync, ""); e.Reason != "the cursor is of another server, base or filter" {
			t.Errorf("%s: %s", what, e.Reason)
		}
	}
	next, err := collection(t, owner, "User").Create(t.Context(), d.user("next"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := <-watch(d, d.url(), at); e.Kind != connectors.Changed || e.Anchor != next.Anchor {
		t.Errorf("where it holds, it goes on with %v of %x", e.Kind, string(e.Anchor))
	}
}

// TestWatchAfterKill goes on with a server that was killed, and has forgotten how far it had
// come.
func TestWatchAfterKill(t *testing.T) {
	d := start(t, ldaptest.OpenLDAP)
	owner := d.open(t, d.config(d.url()))
	t.Cleanup(func() { owner.Close() })
	users := collection(t, owner, "User")
	make := func(name connectors.Value) connectors.Anchor {
		e, err := users.Create(t.Context(), d.user(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		return e.Anchor
	}
	ctx, cancel := context.WithCancel(t.Context())
	var at connectors.Cursor
	for e, err := range users.(connectors.Watcher).Watch(ctx, "") {
		if err != nil {
			break
		}
		if e.Kind == connectors.Resync {
			make("before")
			continue
		}
		at = e.Cursor
		cancel()
	}
	cancel()
	d.Kill()
	if err := d.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := watched(t, users, at)
	comes(t, events, connectors.Resync, "")
	comes(t, events, connectors.Changed, make("after"))
}

// stranger is a server to which one binds as somebody who may read people and groups alone.
func stranger(t *testing.T, kind ldaptest.Kind) *directory {
	t.Helper()
	d := start(t, kind)
	owner := d.open(t, d.config(d.url()))
	t.Cleanup(func() { owner.Close() })
	draft := d.user("stranger")
	secret := d.harness(t, true).Users
	draft.Fields = append(draft.Fields, connectors.Field{Attr: secret.Secret, Values: secret.Secrets[:1]})
	if d.ad() {
		draft.Fields = append(draft.Fields, connectors.Field{Attr: "userAccountControl", Values: value("66048")})
	}
	if _, err := collection(t, owner, "User").Create(t.Context(), draft, nil); err != nil {
		t.Fatal(err)
	}
	return newDirectory(&ldaptest.Server{Kind: kind, URL: d.URL, TLSURL: d.TLSURL, CAFile: d.CAFile, Base: d.Base, PeopleBase: d.PeopleBase, GroupsBase: d.GroupsBase,
		ServiceDN: string(d.naming()) + "=stranger," + d.PeopleBase, ServicePassword: "Uncommon-4711"})
}

// TestUnwatched asks where nobody tells, and of anchors that nobody tells of.
func TestUnwatched(t *testing.T) {
	d := demo(t)
	other := start(t, ldaptest.OpenLDAP)
	named, without := *other, *other
	named.users.Anchor = "uid"
	without.without = []string{ldap.WithoutWatch}
	all := map[string]*directory{"no overlay": d, "another anchor": &named, "switched off": &without,
		"no changelog": stranger(t, ldaptest.DS389), "nothing deleted": stranger(t, ldaptest.ActiveDirectory)}
	for name, d := range all {
		t.Run(name, func(t *testing.T) {
			dir := d.open(t, d.config(d.url()))
			t.Cleanup(func() { dir.Close() })
			users := collection(t, dir, "User")
			if users.Capabilities().Watch {
				t.Error("it is declared")
			}
			for _, err := range users.(connectors.Watcher).Watch(t.Context(), "") {
				if connectors.KindOf(err) != connectors.Unsupported {
					t.Error(err)
				}
			}
			said := false
			for _, f := range dir.Check(t.Context(), nil) {
				said = said || f.Collection == "User" && len(f.Message) > 30 && f.Message[:30] == "what others do is not followed"
			}
			if !said {
				t.Error("check does not say so")
			}
		})
	}
}
