package ldap_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// strict sets a password policy: ten characters at least, none of the last
// three, and what else the kind of server knows.
func (d *directory) strict(t *testing.T) {
	t.Helper()
	conn := d.admin(t)
	set := func(conn *goldap.Conn, dn string, pairs ...string) {
		t.Helper()
		m := goldap.NewModifyRequest(dn, nil)
		for i := 0; i+1 < len(pairs); i += 2 {
			m.Replace(pairs[i], []string{pairs[i+1]})
		}
		if err := conn.Modify(m); err != nil {
			t.Fatal(err)
		}
	}
	switch d.Kind {
	case ldaptest.OpenLDAP:
		set(conn, "cn=default,ou=policies,"+d.Base, "pwdMinLength", "10", "pwdInHistory", "3", "pwdCheckQuality", "2")
		config, err := d.Dial("cn=config", d.BindPassword)
		if err != nil {
			t.Fatal(err)
		}
		defer config.Close()
		// Whoever has manage rights on a password is bound by no policy.
		access := goldap.NewModifyRequest("olcDatabase={1}mdb,cn=config", nil)
		access.Replace("olcAccess", []string{
			`{0}to attrs=userPassword by dn.exact="` + d.ServiceDN + `" write by anonymous auth by * none`,
			`{1}to * by dn.exact="` + d.ServiceDN + `" manage by users read by anonymous auth by * none`})
		if err := config.Modify(access); err != nil {
			t.Fatal(err)
		}
		found, err := config.Search(goldap.NewSearchRequest("cn=config", goldap.ScopeWholeSubtree, 0, 0, 0, false, "(olcPPolicyHashCleartext=*)", []string{"1.1"}, nil))
		if err != nil || len(found.Entries) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		set(config, found.Entries[0].DN, "olcPPolicyHashCleartext", "FALSE")
	case ldaptest.DS389:
		set(conn, "cn=config", "passwordCheckSyntax", "on", "passwordMinLength", "10", "passwordMinCategories", "3",
			"passwordHistory", "on", "passwordInHistory", "3")
	case ldaptest.ActiveDirectory:
		set(conn, d.Base, "minPwdLength", "10", "pwdHistoryLength", "3")
	}
}

func (d *directory) password(s string) connectors.Field {
	if d.ad() {
		return connectors.Field{Attr: "unicodePwd", Values: value(unicodePassword(s))}
	}
	return connectors.Field{Attr: "userPassword", Values: value(connectors.Value(s))}
}

// TestPasswordPolicy has each server refuse passwords for each of the reasons that
// it knows. The reason is told, the password is not, and nothing is written.
func TestPasswordPolicy(t *testing.T) {
	const good, other = "Good-Enough-4711", "Good-Enough-0815"
	reasons := map[string]struct{ short, simple, named, history string }{
		"openldap":        {short: "too short", history: "history"},
		"openldap, plain": {short: "too short", history: "history"},
		"ds389":           {short: "too short", simple: "too simple", named: "its owner", history: "history"},
		// A reset by an administrator looks at no history ([MS-SAMR] §3.1.1.7.2).
		"active-directory": {short: "too short", simple: "too simple"},
	}
	for _, tc := range []struct {
		name    string
		kind    ldaptest.Kind
		without []string
	}{
		{"openldap", ldaptest.OpenLDAP, nil},
		{"openldap, plain", ldaptest.OpenLDAP, []string{ldap.WithoutPasswordModify, ldap.WithoutAssertion, ldap.WithoutPostRead}},
		{"ds389", ldaptest.DS389, nil},
		{"active-directory", ldaptest.ActiveDirectory, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := start(t, tc.kind)
			d.strict(t)
			d.without = tc.without
			dir := d.open(t, d.config(d.TLSURL))
			defer dir.Close()
			users := collection(t, dir, "User")
			want := []connectors.Attr{d.naming(), "title", "displayName"}
			refused := func(what, reason, password string, err error) {
				t.Helper()
				e, ok := errors.AsType[*connectors.Error](err)
				if !ok || e.Kind != connectors.Invalid || !strings.Contains(e.Reason, reason) || e.Attr != d.password("").Attr {
					t.Errorf("%s: %v, want %q", what, err, reason)
				}
				if err != nil && strings.Contains(err.Error(), password) {
					t.Errorf("%s: the error tells the password: %v", what, err)
				}
			}
			draft := func(name connectors.Value, password string) connectors.Draft {
				u := d.user(name)
				u.Fields = append(u.Fields, d.password(password))
				if d.ad() {
					u.Fields = append(u.Fields, connectors.Field{Attr: "userAccountControl", Values: value("512")})
				}
				return u
			}
			u, err := users.Create(t.Context(), draft("policy", good), want)
			if err != nil {
				t.Fatal(err)
			}
			dn := string(d.naming()) + "=policy," + d.PeopleBase
			signsIn := func(password string) bool {
				conn, err := d.Dial(dn, password)
				if err == nil {
					conn.Close()
				}
				return err == nil
			}
			if !signsIn(good) {
				t.Error("the first password does not count")
			}
			if found, err := d.admin(t).Search(goldap.NewSearchRequest(dn, goldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"userPassword"}, nil)); err != nil {
				t.Error(err)
			} else if stored := found.Entries[0].GetAttributeValue("userPassword"); stored == good != (tc.name == "openldap, plain") {
				t.Errorf("stored as %q", stored)
			}
			change := func(password string, more ...connectors.Change) (connectors.Entry, error) {
				p := d.password(password)
				return users.Apply(t.Context(), u.Anchor, append(more, connectors.Change{Attr: p.Attr, Replace: true, Add: p.Values}), connectors.Guard{}, want)
			}
			if _, err := change(other); err != nil || !signsIn(other) {
				t.Fatalf("the second password: %v", err)
			}
			title := connectors.Change{Attr: "title", Add: value("written")}
			name := u.Field(d.naming()).Values[0]
			rename := connectors.Change{Attr: d.naming(), Delete: value(name), Add: value("renamed")}
			r := reasons[tc.name]
			for _, c := range []struct{ what, password, reason string }{
				{"short", "Sh0rt-X", r.short}, {"simple", "aaaaaaaaaaaaaaaa", r.simple}, {"named", "A Person-4711", r.named}, {"history", good, r.history},
			} {
				if c.reason == "" {
					continue
				}
				_, err := change(c.password)
				refused("change, "+c.what, c.reason, c.password, err)
				_, err = change(c.password, title)
				refused("change with the title, "+c.what, c.reason, c.password, err)
				_, err = change(c.password, title, rename)
				refused("change with the name, "+c.what, c.reason, c.password, err)
				if c.what != "history" {
					_, err = users.Create(t.Context(), draft("refused", c.password), want)
					refused("create, "+c.what, c.reason, c.password, err)
				}
			}
			now, err := users.Get(t.Context(), u.Anchor, want)
			if err != nil || !now.Field("title").Empty() || !slices.Equal(now.Field(d.naming()).Values, value(name)) {
				t.Errorf("after all refusals: %v, %v", now.Fields, err)
			}
			if !signsIn(other) {
				t.Error("a refusal changed the password")
			}
			if d.Kind == ldaptest.OpenLDAP {
				m := goldap.NewModifyRequest("cn=default,ou=policies,"+d.Base, nil)
				m.Replace("pwdMinAge", []string{"1000"})
				if err := d.admin(t).Modify(m); err != nil {
					t.Fatal(err)
				}
				_, err := change("Good-Enough-0000", title)
				refused("too young", "too recently", "Good-Enough-0000", err)
			}
			found, err := d.admin(t).Search(goldap.NewSearchRequest(d.PeopleBase, goldap.ScopeSingleLevel, 0, 0, 0, false,
				"("+string(d.naming())+"=refused)", []string{"1.1"}, nil))
			if err != nil || len(found.Entries) > 0 {
				t.Errorf("a refused creation left %v, %v", found.Entries, err)
			}
			if e, err := users.Create(t.Context(), draft("refused", good), want); err != nil {
				t.Errorf("the same again with a good password: %v", err)
			} else if err := users.Delete(t.Context(), e.Anchor, connectors.Guard{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPasswordInClear asks for Active Directory's password over a connection
// without TLS, where Samba would take it.
func TestPasswordInClear(t *testing.T) {
	d := start(t, ldaptest.ActiveDirectory)
	config := d.config(d.URL)
	for _, startTLS := range []bool{false, true} {
		config.StartTLS = startTLS
		dir := d.open(t, config)
		defer dir.Close()
		users := collection(t, dir, "User")
		draft := d.user("clear")
		draft.Fields = append(draft.Fields, d.password("Good-Enough-4711"))
		e, err := users.Create(t.Context(), draft, nil)
		if startTLS {
			if err != nil {
				t.Errorf("under StartTLS: %v", err)
			}
			continue
		}
		inClear := func(err error) bool {
			e, ok := errors.AsType[*connectors.Error](err)
			return ok && e.Kind == connectors.Denied && e.Attr == "unicodePwd" && strings.Contains(e.Reason, "encrypted")
		}
		if !inClear(err) {
			t.Errorf("creation: %v", err)
		}
		if e, err = users.Create(t.Context(), d.user("plain"), nil); err != nil {
			t.Fatal(err)
		}
		change := connectors.Change{Attr: "unicodePwd", Replace: true, Add: value(unicodePassword("Good-Enough-4711"))}
		if _, err := users.Apply(t.Context(), e.Anchor, []connectors.Change{change}, connectors.Guard{}, nil); !inClear(err) {
			t.Errorf("change: %v", err)
		}
	}
}
