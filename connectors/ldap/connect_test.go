package ldap_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestTLS connects to each server in the ways there are, and is refused where a
// certificate can not be verified.
func TestTLS(t *testing.T) {
	stranger := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(stranger, []byte(otherAuthority), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, k := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389, ldaptest.ActiveDirectory} {
		t.Run(string(k), func(t *testing.T) {
			d := start(t, k)
			tests := []struct {
				name   string
				change func(c *ldap.Config)
				ok     bool
			}{
				{"ldaps", func(*ldap.Config) {}, true},
				{"clear", func(c *ldap.Config) { c.Servers = []string{d.URL} }, true},
				{"StartTLS", func(c *ldap.Config) { c.Servers, c.StartTLS = []string{d.URL}, true }, true},
				{"another authority", func(c *ldap.Config) { c.TLS.CAFile = stranger }, false},
				{"StartTLS, another authority", func(c *ldap.Config) { c.Servers, c.StartTLS, c.TLS.CAFile = []string{d.URL}, true, stranger }, false},
				{"another name", func(c *ldap.Config) { c.TLS.ServerName = "other.example.com" }, false},
				{"unverified", func(c *ldap.Config) { c.TLS.CAFile, c.TLS.InsecureSkipVerify = stranger, true }, true},
				{"wrong password", func(c *ldap.Config) { c.Password = func() (string, error) { return "wrong", nil } }, false},
				{"empty password", func(c *ldap.Config) { c.Password = nil }, false},
				{"missing password", func(c *ldap.Config) { c.Password = func() (string, error) { return "", errors.New("no such file") } }, false},
				{"the second server", func(c *ldap.Config) { c.Servers = []string{"ldap://127.0.0.1:1", d.TLSURL} }, true},
			}
			for _, tc := range tests {
				c := d.config(d.TLSURL)
				tc.change(&c)
				dir := d.open(t, c)
				var failed error
				for _, err := range collection(t, dir, "User").Search(t.Context(), connectors.Query{}) {
					failed = err
				}
				if (failed == nil) != tc.ok || failed != nil && connectors.KindOf(failed) != connectors.Unavailable {
					t.Errorf("%s: %v", tc.name, failed)
				}
				dir.Close()
			}
		})
	}
}

// TestExternal binds by a client certificate, and is refused with one that the
// server does not know and with none.
func TestExternal(t *testing.T) {
	d := start(t, ldaptest.OpenLDAP)
	other := start(t, ldaptest.OpenLDAP)
	tests := []struct {
		name   string
		change func(c *ldap.Config)
		ok     bool
	}{
		{"ldaps", func(*ldap.Config) {}, true},
		{"StartTLS", func(c *ldap.Config) { c.Servers, c.StartTLS = []string{d.URL}, true }, true},
		{"clear", func(c *ldap.Config) { c.Servers = []string{d.URL} }, false},
		{"another authority", func(c *ldap.Config) { c.TLS.CertFile, c.TLS.KeyFile = other.ClientCert, other.ClientKey }, false},
	}
	for _, tc := range tests {
		c := d.config(d.TLSURL)
		c.BindDN, c.Password, c.BindMethod = "", nil, ldap.BindExternal
		c.TLS.CertFile, c.TLS.KeyFile = d.ClientCert, d.ClientKey
		tc.change(&c)
		dir := d.open(t, c)
		// Only the service may write.
		name := connectors.Value(strings.ReplaceAll(tc.name, " ", "-"))
		if _, err := collection(t, dir, "User").Create(t.Context(), d.user(name), nil); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		for _, f := range dir.Check(t.Context(), nil) {
			if f.Server != "" && (f.Level == ldap.Info) != tc.ok {
				t.Errorf("%s: %v: %v", tc.name, f.Level, f)
			}
		}
		dir.Close()
	}
	c := d.config(d.TLSURL)
	c.BindMethod = ldap.BindExternal
	if _, err := ldap.Open(t.Context(), c, nil, zerolog.Nop()); err == nil {
		t.Error("an external bind without a certificate was not refused")
	}
}

// TestKerberos binds with a ticket of the domain, and not without one.
func TestKerberos(t *testing.T) {
	d := start(t, ldaptest.ActiveDirectory, ldaptest.WithKDC)
	tests := []struct {
		name   string
		change func(c *ldap.Config)
		ok     bool
	}{
		{"ldaps", func(*ldap.Config) {}, true},
		{"StartTLS", func(c *ldap.Config) { c.Servers, c.StartTLS = []string{d.URL}, true }, true},
		{"another service", func(c *ldap.Config) { c.TLS.ServerName = "localhost" }, false},
		{"another principal", func(c *ldap.Config) { c.Kerberos.Principal = "administrator@CORP.EXAMPLE.COM" }, false},
		{"no keytab", func(c *ldap.Config) { c.Kerberos.KeytabFile = d.CAFile }, false},
		{"no KDC", func(c *ldap.Config) { c.Kerberos.KDCs = []string{"127.0.0.1:1"} }, false},
	}
	for _, tc := range tests {
		c := d.config(d.TLSURL)
		c.BindDN, c.Password, c.BindMethod = "", nil, ldap.BindKerberos
		c.TLS.ServerName = "dc1.corp.example.com"
		c.Kerberos = ldap.KerberosConfig{Principal: d.Principal, KeytabFile: d.Keytab, KDCs: []string{d.KDC}}
		tc.change(&c)
		dir := d.open(t, c)
		// Only the service may write.
		name := connectors.Value(strings.ReplaceAll(tc.name, " ", "-"))
		if _, err := collection(t, dir, "User").Create(t.Context(), d.user(name), nil); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		} else {
			t.Logf("%s: %v", tc.name, err)
		}
		dir.Close()
	}
}

// TestCheck finds nothing wrong with what the other tests use, and what is
// wrong with something else.
func TestCheck(t *testing.T) {
	for _, k := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389, ldaptest.ActiveDirectory} {
		t.Run(string(k), func(t *testing.T) {
			d := start(t, k)
			dir := d.open(t, d.config(d.TLSURL))
			defer dir.Close()
			if _, err := collection(t, dir, "User").Create(t.Context(), d.user("checked"), nil); err != nil {
				t.Fatal(err)
			}
			found := dir.Check(t.Context(), map[string]ldap.Use{"User": {Attrs: []connectors.Attr{"mail", "SN", "memberOf"}}, "Group": {Attrs: []connectors.Attr{"cn"}}})
			for _, f := range found {
				if f.Level == ldap.Failure || f.Level == ldap.Warning && !strings.Contains(f.Message, "no entry") {
					t.Errorf("%v: %v", f.Level, f)
				}
			}
			found = dir.Check(t.Context(), map[string]ldap.Use{"User": {Attrs: []connectors.Attr{"nonsense"}}})
			if !slices.ContainsFunc(found, func(f ldap.Finding) bool {
				return f.Level == ldap.Failure && f.Attr == "nonsense" && f.Collection == "User"
			}) {
				t.Errorf("an unknown attribute is not found: %v", found)
			}

			if d.ad() {
				found = dir.Check(t.Context(), map[string]ldap.Use{"User": {Attrs: []connectors.Attr{"unixUserPassword", "title"}}})
				n := 0
				for _, f := range found {
					if strings.Contains(f.Message, "confidential") {
						if n++; f.Level != ldap.Warning || f.Attr != "unixUserPassword" || f.Hint == "" {
							t.Errorf("%v", f)
						}
					}
				}
				if n != 1 {
					t.Errorf("%d confidential attributes: %v", n, found)
				}
			}

			d.users.Base, d.groups.Base = "ou=nowhere,"+d.Base, d.GroupsBase
			other := d.open(t, d.config(d.TLSURL))
			defer other.Close()
			found = other.Check(t.Context(), nil)
			if !slices.ContainsFunc(found, func(f ldap.Finding) bool { return f.Level == ldap.Failure && f.Collection == "User" }) {
				t.Errorf("a base that does not exist is not found: %v", found)
			}
			for _, err := range collection(t, other, "User").Search(t.Context(), connectors.Query{}) {
				if connectors.KindOf(err) != connectors.Unavailable {
					t.Errorf("a search below it: %v", err)
				}
			}
		})
	}
}

// TestOpen refuses what can never work.
func TestOpen(t *testing.T) {
	good := ldap.Config{Servers: []string{"ldap://127.0.0.1:1"}}
	users := ldap.Collection{Name: "User", Base: "ou=people,dc=x"}
	tests := map[string]struct {
		config      func(c *ldap.Config)
		collections []ldap.Collection
	}{
		"no server":            {func(c *ldap.Config) { c.Servers = nil }, nil},
		"another scheme":       {func(c *ldap.Config) { c.Servers = []string{"http://x"} }, nil},
		"no host":              {func(c *ldap.Config) { c.Servers = []string{"ldap://"} }, nil},
		"no such authority":    {func(c *ldap.Config) { c.TLS.CAFile = "/nonexistent" }, nil},
		"unknown capability":   {func(c *ldap.Config) { c.Without = []string{"everything"} }, nil},
		"unknown dialect":      {func(c *ldap.Config) { c.Dialect = "x500" }, nil},
		"bad base":             {nil, []ldap.Collection{{Name: "User", Base: "people"}}},
		"no base":              {nil, []ldap.Collection{{Name: "User"}}},
		"bad filter":           {nil, []ldap.Collection{{Name: "User", Base: "dc=x", Filter: "(a=b"}}},
		"bad placeholder":      {nil, []ldap.Collection{{Name: "User", Base: "dc=x", Placeholder: "nobody"}}},
		"two of one name":      {nil, []ldap.Collection{users, users}},
		"unknown in reference": {nil, []ldap.Collection{{Name: "User", Base: "dc=x", References: map[connectors.Attr][]string{"manager": {"Person"}}}}},
	}
	for name, tc := range tests {
		c := good
		if tc.config != nil {
			tc.config(&c)
		}
		d, err := ldap.Open(t.Context(), c, tc.collections, zerolog.Nop())
		if err == nil {
			t.Errorf("%s: accepted", name)
			d.Close()
		}
	}
	d, err := ldap.Open(t.Context(), good, []ldap.Collection{users}, zerolog.Nop())
	if err != nil {
		t.Fatalf("a directory that is down: %v", err)
	}
	d.Close()
}

// TestNoEquality changes an attribute whose values a server can not compare.
func TestNoEquality(t *testing.T) {
	for _, k := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389} {
		t.Run(string(k), func(t *testing.T) {
			d := start(t, k)
			dir := d.open(t, d.config(d.TLSURL))
			defer dir.Close()
			users := collection(t, dir, "User")
			e, err := users.Create(t.Context(), d.user("sound"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct {
				change connectors.Change
				want   []connectors.Value
				fails  bool
			}{
				{connectors.Change{Add: value("a", "b")}, value("a", "b"), false},
				{connectors.Change{Delete: value("a"), Add: value("c")}, value("b", "c"), false},
				{connectors.Change{Delete: value("a")}, value("b", "c"), true},
				{connectors.Change{Delete: value("a"), Lenient: true}, value("b", "c"), false},
				{connectors.Change{Delete: value("b", "c")}, nil, false},
			} {
				tc.change.Attr = "audio"
				_, err := users.Apply(t.Context(), e.Anchor, []connectors.Change{tc.change}, connectors.Guard{}, nil)
				if (err != nil) != tc.fails || err != nil && connectors.KindOf(err) != connectors.GuardFailed {
					t.Errorf("%v: %v", tc.change, err)
				}
				got, err := users.Get(t.Context(), e.Anchor, []connectors.Attr{"audio"})
				if err != nil || !slices.Equal(slices.Sorted(slices.Values(got.Field("audio").Values)), tc.want) {
					t.Errorf("%v: %q, %v", tc.change, got.Field("audio").Values, err)
				}
			}
		})
	}
}

// TestForeignGroup takes the last member out of a group that another program
// made, where the schema demands a member.
func TestForeignGroup(t *testing.T) {
	d := start(t, ldaptest.OpenLDAP)
	dir := d.open(t, d.config(d.TLSURL))
	defer dir.Close()
	users, groups := collection(t, dir, "User"), collection(t, dir, "Group")
	u, err := users.Create(t.Context(), d.user("last"), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn := d.admin(t)
	add := addRequest("cn=foreign,"+d.GroupsBase, "groupOfNames", "cn", "foreign", "member", "uid=last,"+d.PeopleBase)
	if err := conn.Add(add); err != nil {
		t.Fatal(err)
	}
	var anchor connectors.Anchor
	for e, err := range groups.Search(t.Context(), connectors.Query{Where: connectors.Equal{Attr: "cn", Value: "foreign"}, Want: []connectors.Attr{"member"}}) {
		if err != nil || len(e.Field("member").Refs) != 1 {
			t.Fatal(err, e)
		}
		anchor = e.Anchor
	}
	out := []connectors.Change{{Attr: "member", DeleteRefs: []connectors.Target{{Collection: "User", Anchor: u.Anchor}}}}
	e, err := groups.Apply(t.Context(), anchor, out, connectors.Guard{}, []connectors.Attr{"cn", "member"})
	if err != nil || !e.Field("member").Empty() {
		t.Errorf("without its last member: %v, %v", e, err)
	}
}

// otherAuthority signed none of the servers' certificates.
const otherAuthority = `-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIQdC9uAtDO3qnsSwdRAKOlbzAKBggqhkjOPQQDAjASMRAw
DgYDVQQKEwdBY21lIENvMCAXDTI2MTEyMzEzMTQyOFoYDzIxMjYxMDMwMTMxNDI4
WjASMRAwDgYDVQQKEwdBY21lIENvMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
qn19d11/be39CKdHwzxqu6M/fPQda5+7GBee2yK0pxtG/VNlCxp2yte5X5EmFl80
5bEwBK57XhrJ/pnwGmYgx6NlMGMwDgYDVR0PAQH/BAQDAgKEMBMGA1UdJQQMMAoG
CCsGAQUFBwMBMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFBneG6ULzkenYxDE
rXuEfFO30d3tMAwGA1UdEQQFMAOCAXgwCgYIKoZIzj0EAwIDSAAwRQIgRuvMUi09
xxq7HiX9xQnkI67WnCOx2q/ZEEkrtxYlXgkCIQCgH2WOmFVuKtoEx0aa4PplLov2
VOaaZIwLJEEQ86UGkw==
-----END CERTIFICATE-----
`
