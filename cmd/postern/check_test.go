package main

import (
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"
)

// TestCheckConnect asks each real server whether its sample fits it, and whether
// one that does not is told apart, with the line.
func TestCheckConnect(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			c, compiled := directoryConfig(t, s)
			told, problems, err := askBackends(t.Context(), c, compiled)
			if err != nil || problems.HasErrors() {
				t.Fatalf("the sample: %v, %v", problems, err)
			}
			if text := strings.Join(told, "\n"); !strings.Contains(text, string(kind)) {
				t.Errorf("the dialect is not told:\n%s", text)
			}
			for line := range strings.Lines(strings.Join(told, "\n")) {
				if strings.Contains(line, "filters on them") && (strings.Contains(line, "unicodePwd") || strings.Contains(line, "userPassword")) {
					t.Errorf("nobody can filter on a password: %s", line)
				}
			}

			c.Resources[0].Collection.Base = "ou=nowhere," + s.Base
			_, problems, err = askBackends(t.Context(), c, compiled)
			if err != nil || !problems.HasErrors() || !strings.Contains(problems.Error(), "resources.User") || !strings.Contains(problems.Error(), "nowhere") {
				t.Errorf("a base that is not there: %v, %v", problems, err)
			}

			c, compiled = directoryConfig(t, s)
			c.Backends[0].LDAP.BindDN = "cn=nobody," + s.Base
			_, problems, err = askBackends(t.Context(), c, compiled)
			if err != nil || !problems.HasErrors() || !strings.Contains(problems.Error(), "bind") {
				t.Errorf("a bind identity that is not there: %v, %v", problems, err)
			}

			c, compiled = directoryConfig(t, s)
			c.Backends[0].LDAP.TLS.CAFile = ""
			_, problems, err = askBackends(t.Context(), c, compiled)
			if err != nil || !problems.HasErrors() || !strings.Contains(problems.Error(), "certificate") {
				t.Errorf("a certificate of an unknown authority: %v, %v", problems, err)
			}
		})
	}
	t.Run("unknown to the schema", func(t *testing.T) {
		s := ldaptest.Start(t, ldaptest.OpenLDAP)
		c, compiled := directoryConfig(t, s)
		c.Resources[0].Collection.Anchor = "entryUID"
		c.Resources[1].Collection.ObjectClass = []string{"top", "groupOfNoNames"}
		_, problems, err := askBackends(t.Context(), c, compiled)
		if err != nil || !strings.Contains(problems.Error(), `anchor "entryUID"`) || !strings.Contains(problems.Error(), `object class "groupOfNoNames"`) {
			t.Errorf("%v, %v", problems, err)
		}
	})
	t.Run("unknown attribute", func(t *testing.T) {
		s := ldaptest.Start(t, ldaptest.OpenLDAP)
		t.Setenv("POSTERN_BIND_PASSWORD", s.ServicePassword)
		c, compiled := sampleConfig(t, "openldap.yaml", "ldaps://ldap.example.com", s.TLSURL, "# tls: { ca: corp-ca.pem }", "tls: { ca: "+s.CAFile+" }",
			"cn=postern,dc=example,dc=com", s.ServiceDN, "ou=people,dc=example,dc=com", s.PeopleBase, "ou=groups,dc=example,dc=com", s.GroupsBase,
			"employeeType", "emploieeType")
		_, problems, err := askBackends(t.Context(), c, compiled)
		if err != nil || !strings.Contains(problems.Error(), "emploieeType") || !strings.Contains(problems.Error(), "openldap.yaml:") {
			t.Errorf("%v, %v", problems, err)
		}
		t.Log(problems)
	})
}
