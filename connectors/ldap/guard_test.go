package ldap_test

import (
	"slices"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestGuardEverything guards a write by every value that a real mapping reads,
// computed ones too: the guard must hold when nothing has changed, whatever the
// server makes of deleting and adding each of them.
func TestGuardEverything(t *testing.T) {
	common := []connectors.Attr{"givenName", "sn", "cn", "displayName", "initials", "title", "telephoneNumber", "mobile", "facsimileTelephoneNumber",
		"street", "l", "st", "postalCode", "employeeNumber", "employeeType", "preferredLanguage", "homePhone", "pager", "description", "o", "postOfficeBox"}
	tests := []struct {
		kind  ldaptest.Kind
		write []connectors.Attr
		read  []connectors.Attr
	}{
		{ldaptest.OpenLDAP, append(slices.Clone(common), "mail", "businessCategory", "departmentNumber", "roomNumber", "ou", "labeledURI"),
			[]connectors.Attr{"uid", "memberOf", "manager", "createTimestamp", "modifyTimestamp", "entryUUID", "objectClass", "pwdChangedTime"}},
		{ldaptest.DS389, append(slices.Clone(common), "mail", "businessCategory", "departmentNumber", "roomNumber", "ou", "labeledURI"),
			[]connectors.Attr{"uid", "memberOf", "manager", "createTimestamp", "modifyTimestamp", "nsUniqueId", "entryUUID", "nsAccountLock"}},
		{ldaptest.ActiveDirectory, append(slices.Clone(common), "department", "company", "division", "employeeID", "streetAddress", "co", "info",
			"physicalDeliveryOfficeName", "otherMailbox", "otherTelephone", "proxyAddresses", "extensionAttribute1", "wWWHomePage", "mail"),
			[]connectors.Attr{"userPrincipalName", "sAMAccountName", "userAccountControl", "memberOf", "manager", "whenCreated", "whenChanged", "objectSid",
				"objectGUID", "distinguishedName", "name", "pwdLastSet", "lastLogonTimestamp", "primaryGroupID", "accountExpires", "uSNChanged", "badPwdCount", "lockoutTime"}},
	}
	for _, tc := range tests {
		t.Run(string(tc.kind), func(t *testing.T) {
			d := start(t, tc.kind)
			d.without = []string{ldap.WithoutAssertion}
			dir := d.open(t, d.config(d.TLSURL))
			defer dir.Close()
			users, groups := collection(t, dir, "User"), collection(t, dir, "Group")
			known := users.Capabilities().Matching
			draft := d.user("everything")
			for _, a := range tc.write {
				if _, ok := known[lower(a)]; !ok || !draft.Field(a).Empty() {
					continue
				}
				v := connectors.Value("de 4711")
				switch a {
				case "mail":
					v = "everything@example.com"
				case "preferredLanguage":
					v = "de"
				}
				if err := d.accepts(t, a); err != nil {
					continue
				}
				draft.Fields = append(draft.Fields, connectors.Field{Attr: a, Values: value(v)})
			}
			if d.ad() {
				draft.Fields = append(draft.Fields,
					connectors.Field{Attr: "sAMAccountName", Values: value("everything")},
					connectors.Field{Attr: "userPrincipalName", Values: value("everything@corp.example.com")},
					connectors.Field{Attr: "unicodePwd", Values: value(unicodePassword("Uncommon-4711"))},
					connectors.Field{Attr: "userAccountControl", Values: value("512")})
			}
			want := append(slices.Clone(tc.write), tc.read...)
			boss, err := users.Create(t.Context(), d.user("boss"), nil)
			if err != nil {
				t.Fatal(err)
			}
			draft.Fields = append(draft.Fields, connectors.Field{Attr: "manager", Refs: []connectors.Target{{Collection: "User", Anchor: boss.Anchor}}})
			e, err := users.Create(t.Context(), draft, want)
			if err != nil {
				t.Fatal(err)
			}
			g := d.group("everyone")
			g.Fields = append(g.Fields, connectors.Field{Attr: "member", Refs: []connectors.Target{{Collection: "User", Anchor: e.Anchor}}})
			if _, err := groups.Create(t.Context(), g, nil); err != nil {
				t.Fatal(err)
			}
			for i, a := range []connectors.Attr{"title", "givenName", "telephoneNumber"} {
				if e, err = users.Get(t.Context(), e.Anchor, want); err != nil {
					t.Fatal(err)
				}
				if i == 0 && len(e.Fields) < 20 {
					t.Errorf("only %d attributes are guarded", len(e.Fields))
				}
				guard := connectors.Guard{Level: connectors.GuardValues, Read: e.Fields}
				change := connectors.Change{Attr: a, Delete: e.Field(a).Values, Add: value("changed")}
				after, err := users.Apply(t.Context(), e.Anchor, []connectors.Change{change}, guard, want)
				if err != nil {
					t.Fatalf("%s: %v", a, err)
				}
				if !slices.Equal(after.Field(a).Values, value("changed")) {
					t.Errorf("%s is %q", a, after.Field(a).Values)
				}
				_, err = users.Apply(t.Context(), e.Anchor, []connectors.Change{{Attr: "displayName", Delete: e.Field("displayName").Values, Add: value("lost")}}, guard, want)
				if connectors.KindOf(err) != connectors.GuardFailed {
					t.Errorf("a stale guard: %v", err)
				}
			}
		})
	}
}

func lower(a connectors.Attr) connectors.Attr {
	b := []byte(a)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return connectors.Attr(b)
}

// accepts asks whether the server takes the attribute at all on a person.
func (d *directory) accepts(t *testing.T, a connectors.Attr) error {
	t.Helper()
	conn := d.admin(t)
	name := string(d.naming()) + "=probe-" + string(a) + "," + d.PeopleBase
	add := goldap.NewAddRequest(name, nil)
	add.Attribute("objectClass", d.users.ObjectClass)
	if !d.ad() {
		for _, must := range []string{"cn", "sn"} {
			if must != string(a) {
				add.Attribute(must, []string{"Probe"})
			}
		}
	}
	v := "de 4711"
	switch a {
	case "mail":
		v = "probe@example.com"
	case "preferredLanguage":
		v = "de"
	}
	add.Attribute(string(a), []string{v})
	if err := conn.Add(add); err != nil {
		return err
	}
	return conn.Del(goldap.NewDelRequest(name, nil))
}

// TestStaleName writes to an entry whose remembered DN another entry has taken:
// the write must reach the one that was meant.
func TestStaleName(t *testing.T) {
	for _, k := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389, ldaptest.ActiveDirectory} {
		t.Run(string(k), func(t *testing.T) {
			d := start(t, k)
			dir := d.open(t, d.config(d.TLSURL))
			defer dir.Close()
			users := collection(t, dir, "User")
			meant, err := users.Create(t.Context(), d.user("stale"), nil)
			if err != nil {
				t.Fatal(err)
			}
			other, err := users.Create(t.Context(), d.user("other"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := users.Get(t.Context(), meant.Anchor, nil); err != nil {
				t.Fatal(err)
			}
			conn := d.admin(t)
			attr, base := string(d.naming())+"=", ","+d.PeopleBase
			for _, step := range [][2]string{{"stale", "moved"}, {"other", "stale"}} {
				if err := conn.ModifyDN(goldap.NewModifyDNRequest(attr+step[0]+base, attr+step[1], true, "")); err != nil {
					t.Fatal(err)
				}
			}
			if k == ldaptest.DS389 {
				// Nothing tells it there within the time that a read stands for.
				ldap.Forget(dir)
			}
			e, err := users.Apply(t.Context(), meant.Anchor, []connectors.Change{{Attr: "displayName", Add: value("mine")}}, connectors.Guard{}, []connectors.Attr{d.naming(), "displayName"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(e.Field(d.naming()).Values, value("moved")) || !slices.Equal(e.Field("displayName").Values, value("mine")) {
				t.Errorf("written: %v", e.Fields)
			}
			if e, err = users.Get(t.Context(), other.Anchor, []connectors.Attr{"displayName"}); err != nil || !e.Field("displayName").Empty() {
				t.Errorf("the other: %v, %v", e.Fields, err)
			}
			if err := users.Delete(t.Context(), meant.Anchor, connectors.Guard{}); err != nil {
				t.Error(err)
			}
			if _, err = users.Get(t.Context(), other.Anchor, nil); err != nil {
				t.Errorf("the other after the delete: %v", err)
			}
		})
	}
}

// TestStaleNameNoticed is the same within the time that a read stands for the DN,
// on a server without the assertion control: the write goes astray, and that is
// noticed.
func TestStaleNameNoticed(t *testing.T) {
	d := start(t, ldaptest.DS389)
	dir := d.open(t, d.config(d.TLSURL))
	defer dir.Close()
	users := collection(t, dir, "User")
	meant, err := users.Create(t.Context(), d.user("stale"), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn := d.admin(t)
	if err := conn.ModifyDN(goldap.NewModifyDNRequest("uid=stale,"+d.PeopleBase, "uid=moved", true, "")); err != nil {
		t.Fatal(err)
	}
	if err := conn.Add(addRequest("uid=stale,"+d.PeopleBase, "inetOrgPerson", "cn", "Another", "sn", "Another")); err != nil {
		t.Fatal(err)
	}
	change := []connectors.Change{{Attr: "displayName", Add: value("mine")}}
	if _, err := users.Apply(t.Context(), meant.Anchor, change, connectors.Guard{}, nil); err == nil || connectors.KindOf(err) != connectors.Internal {
		t.Errorf("got %v", err)
	}
	// The old value of what is written is guard enough.
	if _, err := users.Apply(t.Context(), meant.Anchor, change, connectors.Guard{}, nil); err != nil {
		t.Errorf("again: %v", err)
	}
}

// TestNestedGroups has the memberof overlay keep the memberOf of a group in a
// group, in the wake of writes that carry an assertion.
func TestNestedGroups(t *testing.T) {
	d := start(t, ldaptest.OpenLDAP)
	d.groups.References["memberOf"] = []string{"Group"}
	dir := d.open(t, d.config(d.TLSURL))
	defer dir.Close()
	groups := collection(t, dir, "Group")
	make := func(name connectors.Value) connectors.Target {
		e, err := groups.Create(t.Context(), d.group(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		return connectors.Target{Collection: "Group", Anchor: e.Anchor}
	}
	inner, outer, other := make("inner"), make("outer"), make("other")
	holders := func() []connectors.Target {
		e, err := groups.Get(t.Context(), inner.Anchor, []connectors.Attr{"memberOf"})
		if err != nil {
			t.Fatal(err)
		}
		return e.Field("memberOf").Refs
	}
	for _, g := range []connectors.Target{outer, other} {
		change := connectors.Change{Attr: "member", AddRefs: []connectors.Target{inner}, Lenient: true}
		if _, err := groups.Apply(t.Context(), g.Anchor, []connectors.Change{change}, connectors.Guard{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := holders(); len(got) != 2 {
		t.Errorf("in %d groups, want 2", len(got))
	}
	rename := connectors.Change{Attr: "cn", Delete: value("outer"), Add: value("renamed")}
	if _, err := groups.Apply(t.Context(), outer.Anchor, []connectors.Change{rename}, connectors.Guard{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := groups.Delete(t.Context(), other.Anchor, connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	if got := holders(); !slices.Equal(got, []connectors.Target{outer}) {
		t.Errorf("in %x, want only %x", got, outer)
	}
}
