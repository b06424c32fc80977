package ldap_test

import (
	"fmt"
	"slices"
	"testing"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestParts changes the members of a group by more than one Modify has room for:
// all of it happens, or what has happened is undone, and only that. Members that
// are to come and are there, and those that are to go and are not, do not matter.
func TestParts(t *testing.T) {
	for _, tc := range []struct {
		kind    ldaptest.Kind
		without []string
	}{
		{kind: ldaptest.OpenLDAP}, {kind: ldaptest.DS389}, {kind: ldaptest.ActiveDirectory},
		{ldaptest.ActiveDirectory, []string{ldap.WithoutExtendedDN, ldap.WithoutPermissive}},
	} {
		t.Run(fmt.Sprint(tc.kind, tc.without), func(t *testing.T) {
			d := start(t, tc.kind)
			d.without = tc.without
			dir := d.open(t, d.config(d.TLSURL))
			defer dir.Close()
			users, groups := collection(t, dir, "User"), collection(t, dir, "Group")
			var people []connectors.Target
			for i := range 70 {
				e, err := users.Create(t.Context(), d.user(connectors.Value(fmt.Sprintf("part%03d", i))), nil)
				if err != nil {
					t.Fatal(err)
				}
				people = append(people, connectors.Target{Collection: "User", Anchor: e.Anchor})
			}
			ldap.Shorten(dir, 600) // some ten of them
			draft := d.group("parts")
			draft.Fields = append(draft.Fields, connectors.Field{Attr: "member", Refs: people[:30]})
			g, err := groups.Create(t.Context(), draft, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := func(step string, members ...connectors.Target) {
				t.Helper()
				e, err := groups.Get(t.Context(), g.Anchor, []connectors.Attr{"member"})
				if err != nil {
					t.Fatal(err)
				}
				place := func(ts []connectors.Target) (at []int) {
					for _, m := range ts {
						at = append(at, slices.Index(people, m))
					}
					slices.Sort(at)
					return at
				}
				if got, want := place(e.Field("member").Refs), place(members); !slices.Equal(got, want) {
					t.Fatalf("%s: the members are %v, want %v", step, got, want)
				}
			}
			apply := func(changes ...connectors.Change) error {
				_, err := groups.Apply(t.Context(), g.Anchor, changes, connectors.Guard{}, nil)
				return err
			}
			members := connectors.Change{Attr: "member", Lenient: true, AddRefs: people[25:50], DeleteRefs: slices.Concat(people[:10], people[60:])}
			if err := apply(members); err != nil {
				t.Fatal(err)
			}
			want("added and deleted", people[10:50]...)
			if err := apply(members); err != nil {
				t.Fatal(err)
			}
			want("once more", people[10:50]...)

			members = connectors.Change{Attr: "member", Lenient: true, AddRefs: people[40:70], DeleteRefs: people[:20]}
			unknown := connectors.Change{Attr: "noSuchAttribute", Add: value("x")}
			if err := apply(members, unknown); err == nil || connectors.KindOf(err) == connectors.Timeout {
				t.Errorf("an attribute that is not there: %v", err)
			}
			want("refused at the end", people[10:50]...)

			strict := connectors.Change{Attr: "member", AddRefs: people[50:70], DeleteRefs: slices.Concat(people[10:30], people[:1])}
			if err := apply(strict); connectors.KindOf(err) != connectors.GuardFailed {
				t.Errorf("a member is to go and is not there: %v", err)
			}
			want("refused in the midst", people[10:50]...)

			dead := connectors.Target{Collection: "User", Anchor: connectors.Anchor(make([]byte, 16))}
			members = connectors.Change{Attr: "member", Lenient: true, AddRefs: append(slices.Clone(people[50:]), dead)}
			if err := apply(members); connectors.KindOf(err) != connectors.Invalid {
				t.Errorf("a member that is nobody: %v", err)
			}
			want("refused at once", people[10:50]...)

			if err := apply(connectors.Change{Attr: "member", Lenient: true, DeleteRefs: people}); err != nil {
				t.Fatal(err)
			}
			want("emptied")
		})
	}
}
