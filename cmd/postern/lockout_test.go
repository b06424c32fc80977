package main

import (
	"net/http"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

// TestLockOuts locks accounts out by wrong passwords, and ends that, where being
// locked out is no being inactive.
func TestLockOuts(t *testing.T) {
	const (
		urn    = "urn:example:lock:User"
		schema = "\nschemas: { \"" + urn + "\": { attributes: { lockedOut: boolean } } }\nresources:\n  User:\n    extensions: [\"" + urn + "\"]\n"
	)
	for _, tc := range []struct {
		kind ldaptest.Kind
		rule string
		lock func(t *testing.T, conn *goldap.Conn)
	}{
		{ldaptest.OpenLDAP, "{ attr: pwdAccountLockedTime, codec: ppolicy-locked-out }", func(*testing.T, *goldap.Conn) {}},
		{ldaptest.DS389, "{ attr: accountUnlockTime, codec: ds-locked-out }", func(t *testing.T, conn *goldap.Conn) {
			m := goldap.NewModifyRequest("cn=config", nil)
			m.Replace("passwordLockout", []string{"on"})
			m.Replace("passwordMaxFailure", []string{"3"})
			if err := conn.Modify(m); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(string(tc.kind), func(t *testing.T) {
			s := ldaptest.Start(t, tc.kind)
			tc.lock(t, s.Admin(t))
			c, maps := directoryConfig(t, s, "\nresources:\n  User:\n", schema, "      userName: ", "      "+urn+":lockedOut: "+tc.rule+"\n      userName: ")
			w := &world{client: openApp(t, c, maps), past: s.Admin(t), people: s.PeopleBase, userName: func(stem string) string { return stem }, nameAttr: "uid"}
			w.leak = s.Leak
			const password = "Corr3ct-Horse-9"
			u := w.user("locked", `,"active":true,"password":"`+password+`"`)
			name, path := u.text("userName"), "/Users/"+u.id()
			signsIn := func(password string) bool {
				conn, err := s.Dial(w.dn(name), password)
				if err == nil {
					conn.Close()
				}
				return err == nil
			}
			patch := func(value string) answer {
				t.Helper()
				return w.want(w.do("PATCH", path, patchBody(`{"op":"replace","value":`+value+`}`), "If-Match", w.get(path).etag()), http.StatusOK)
			}
			state := func(a answer) [2]any { return [2]any{a.at("active"), a.at(urn, "lockedOut")} }
			found := func(filter string) int { return len(w.find("/Users", filter)) }

			if got := state(u); got != [2]any{true, false} || !signsIn(password) {
				t.Fatalf("made: %v", got)
			}
			for range 6 {
				signsIn("wrong")
			}
			if got := state(w.get(path)); got != [2]any{true, true} || signsIn(password) {
				t.Errorf("after wrong passwords: %v", got)
			}
			if found(urn+":lockedOut eq true") != 1 || found(urn+":lockedOut eq false and active eq true") != 0 {
				t.Error("the filter does not agree")
			}
			if got := state(patch(`{"` + urn + `:lockedOut":false}`)); got != [2]any{true, false} || !signsIn(password) {
				t.Errorf("ended: %v", got)
			}
			w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"`+urn+`:lockedOut","value":true}`)), http.StatusBadRequest, "invalidValue", "lockedOut")
			if got := state(patch(`{"active":false,"` + urn + `:lockedOut":false}`)); got != [2]any{false, false} || signsIn(password) {
				t.Errorf("inactive: %v", got)
			}
			if found(urn+":lockedOut eq true") != 0 || found("active eq false") != 1 {
				t.Error("the filter does not agree on what is inactive")
			}
			if got := state(patch(`{"active":true}`)); got != [2]any{true, false} || !signsIn(password) {
				t.Errorf("active again: %v", got)
			}
		})
	}
}

// TestLockedByRole has 389-DS make the lock of an account out of a role, as its
// administrators' tools set it up.
func TestLockedByRole(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.DS389)
	conn := s.Admin(t)
	role := "cn=nsManagedDisabledRole," + s.Base
	for _, e := range []struct {
		dn      string
		classes []string
		attrs   [][2]string
	}{
		{role, []string{"LDAPsubentry", "nsRoleDefinition", "nsSimpleRoleDefinition", "nsManagedRoleDefinition"}, nil},
		{"cn=nsDisabledRole," + s.Base, []string{"LDAPsubentry", "nsRoleDefinition", "nsComplexRoleDefinition", "nsNestedRoleDefinition"}, [][2]string{{"nsRoleDN", role}}},
		{"cn=nsAccountInactivationTmp," + s.Base, []string{"nsContainer"}, nil},
		{`cn="cn=nsDisabledRole,` + s.Base + `",cn=nsAccountInactivationTmp,` + s.Base, []string{"extensibleObject", "costemplate", "ldapsubentry"},
			[][2]string{{"cosPriority", "1"}, {"nsAccountLock", "true"}}},
		{"cn=nsAccountInactivation_cos," + s.Base, []string{"LDAPsubentry", "cosSuperDefinition", "cosClassicDefinition"},
			[][2]string{{"cosTemplateDn", "cn=nsAccountInactivationTmp," + s.Base}, {"cosAttribute", "nsAccountLock operational"}, {"cosSpecifier", "nsRole"}}},
	} {
		add := goldap.NewAddRequest(e.dn, nil)
		add.Attribute("objectClass", append([]string{"top"}, e.classes...))
		for _, a := range e.attrs {
			add.Attribute(a[0], []string{a[1]})
		}
		if err := conn.Add(add); err != nil {
			t.Fatalf("%s: %v", e.dn, err)
		}
	}
	const password = "Corr3ct-Horse-9"
	c, maps := directoryConfig(t, s, "{ attr: nsAccountLock, codec: ds-account-lock }", "{ attr: nsRoleDN, codec: { role: \""+strings.Replace(role, ",", ", ", 1)+"\" } }")
	w := &world{client: openApp(t, c, maps), past: conn, people: s.PeopleBase, userName: func(stem string) string { return stem }, nameAttr: "uid"}
	u := w.user("role", `,"active":true,"password":"`+password+`"`)
	path, dn := "/Users/"+u.id(), w.dn(u.text("userName"))
	for _, active := range []string{"false", "false", "true"} {
		a := w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"active","value":`+active+`}`)), http.StatusOK)
		user, err := s.Dial(dn, password)
		if err == nil {
			user.Close()
		}
		if (a.at("active") == true) != (active == "true") || (err == nil) != (active == "true") {
			t.Errorf("active %s: %s, sign in %v", active, a.body, err)
		}
		if n := len(w.find("/Users", "active eq "+active+" and userName eq "+quote(u.text("userName")))); n != 1 {
			t.Errorf("active eq %s finds %d", active, n)
		}
	}

	// With the attribute alone it is seen, and that it can not be helped is told.
	c, maps = directoryConfig(t, s)
	other := openApp(t, c, maps)
	v := other.create("/Users", userBody("byrole", `,"active":true,"password":"`+password+`"`))
	m := goldap.NewModifyRequest(w.dn("byrole"), nil)
	m.Add("nsRoleDN", []string{role})
	if err := conn.Modify(m); err != nil {
		t.Fatal(err)
	}
	if a := other.get("/Users/" + v.id()); a.at("active") != false {
		t.Errorf("locked by a role: %s", a.body)
	}
	other.wantError(other.do("PATCH", "/Users/"+v.id(), patchBody(`{"op":"replace","path":"active","value":true}`)), http.StatusForbidden, "", "active", "role")
}
