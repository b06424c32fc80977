package ldap_test

import (
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap/ldaptest"
)

// TestMoveOut moves entries out of their collection: under their name, also one that
// 389-DS can not move directly, or under a longer one where the container has that.
func TestMoveOut(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			d := start(t, kind)
			_, above, _ := strings.Cut(d.PeopleBase, ",")
			admin, leavers, within := d.admin(t), "ou=Leavers,"+above, "ou=Left,"+d.PeopleBase
			for _, dn := range []string{leavers, within} {
				if err := admin.Add(addRequest(dn, "organizationalUnit")); err != nil {
					t.Fatal(err)
				}
			}
			held := func(dn string) (names []string) {
				t.Helper()
				found, err := admin.Search(goldap.NewSearchRequest(dn, goldap.ScopeSingleLevel, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range found.Entries {
					names = append(names, e.DN)
				}
				return names
			}
			opened := d.open(t, d.config(d.url()))
			defer opened.Close()
			users, groups := collection(t, opened, "User"), collection(t, opened, "Group")
			mover := func(c connectors.Connector) connectors.Mover {
				m, ok := connectors.As[connectors.Mover](c)
				if !ok {
					t.Fatal("it moves nothing")
				}
				return m
			}
			make := func(c connectors.Connector, draft connectors.Draft) connectors.Entry {
				t.Helper()
				e, err := c.Create(t.Context(), draft, []connectors.Attr{"displayName"})
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
			gone := func(c connectors.Connector, a connectors.Anchor) {
				t.Helper()
				if _, err := c.Get(t.Context(), a, nil); connectors.KindOf(err) != connectors.NotFound {
					t.Errorf("what was moved out: %v", err)
				}
				if err := mover(c).MoveOut(t.Context(), a, leavers, connectors.Guard{}); connectors.KindOf(err) != connectors.NotFound {
					t.Errorf("moved once more: %v", err)
				}
			}

			for i, name := range []connectors.Value{"plain", `zz+a=b,"c"`} {
				e := make(users, d.user(name))
				if err := mover(users).MoveOut(t.Context(), e.Anchor, "ou=Nowhere,"+above, connectors.Guard{}); connectors.KindOf(err) != connectors.Unavailable {
					t.Errorf("to a container that is not there: %v", err)
				}
				for range 2 { // what lies there is left
					if err := mover(users).MoveOut(t.Context(), e.Anchor, within, connectors.Guard{}); err != nil {
						t.Fatalf("%q within the base: %v", name, err)
					}
				}
				if lies, err := mover(users).LiesIn(t.Context(), e.Anchor, strings.ToUpper(within)); !lies || err != nil {
					t.Errorf("%q lies there: %v, %v", name, lies, err)
				}
				if lies, err := mover(users).LiesIn(t.Context(), e.Anchor, d.PeopleBase); lies || err != nil {
					t.Errorf("%q lies in the base: %v, %v", name, lies, err)
				}
				if got, err := users.Get(t.Context(), e.Anchor, nil); err != nil || got.Anchor != e.Anchor {
					t.Errorf("%q after it was moved: %v", name, err)
				}
				if err := mover(users).MoveOut(t.Context(), e.Anchor, leavers, connectors.Guard{}); err != nil {
					t.Fatalf("%q: %v", name, err)
				}
				gone(users, e.Anchor)
				if names := held(leavers); len(names) != i+1 || len(held(within)) != 0 {
					t.Errorf("the container holds %q", names)
				}
			}

			first := make(groups, d.group("of a name"))
			if err := mover(groups).MoveOut(t.Context(), first.Anchor, leavers, connectors.Guard{}); err != nil {
				t.Fatal(err)
			}
			second := make(groups, d.group("of a name"))
			if err := mover(groups).MoveOut(t.Context(), second.Anchor, leavers, connectors.Guard{}); err != nil {
				t.Fatal(err)
			}
			gone(groups, second.Anchor)
			if names := held(leavers); len(names) != 4 {
				t.Errorf("the container holds %q", names)
			}

			third := make(users, d.user("guarded"))
			if level := users.Capabilities().Guard; level == connectors.GuardEntry {
				guard := connectors.Guard{Level: level, Stamp: third.Stamp}
				change := connectors.Change{Attr: "displayName", Add: value("Someone else was here")}
				if _, err := users.Apply(t.Context(), third.Anchor, []connectors.Change{change}, connectors.Guard{}, nil); err != nil {
					t.Fatal(err)
				}
				if err := mover(users).MoveOut(t.Context(), third.Anchor, leavers, guard); connectors.KindOf(err) != connectors.GuardFailed {
					t.Errorf("of what has changed: %v", err)
				}
			} else {
				guard := connectors.Guard{Level: level, Read: []connectors.Field{{Attr: "displayName", Values: value("Nobody")}}}
				if err := mover(users).MoveOut(t.Context(), third.Anchor, leavers, guard); connectors.KindOf(err) != connectors.GuardFailed {
					t.Errorf("of what is not as it was read: %v", err)
				}
			}
			if _, err := users.Get(t.Context(), third.Anchor, nil); err != nil {
				t.Errorf("what was not moved: %v", err)
			}
		})
	}
}
