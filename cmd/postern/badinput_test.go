package main

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern/connectors/ldap/ldaptest"
	"postern/gateway"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"
)

// A misfit is something that a directory does not agree with: what `check --connect`
// and the log of the start say of it, on one line, and what requests are answered.
type misfit struct {
	name  string
	pairs []string // in the sample
	make  func(c *Config, s *ldaptest.Server)
	says  []string // of one line
	users int      // the status of a list of users
	group int      // and of one of groups
}

// TestBadInput makes each misfit with each kind of directory.
func TestBadInput(t *testing.T) {
	const unavailable, ok = http.StatusServiceUnavailable, http.StatusOK
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			stranger := strangerCA(t)
			c, compiled := directoryConfig(t, s)
			(&world{client: openApp(t, c, compiled)}).create("/Users", userBody("first@corp.example.com", ""))
			for _, m := range []misfit{
				{"nothing", nil, func(*Config, *ldaptest.Server) {}, nil, ok, ok},
				{"wrong password", nil, func(c *Config, _ *ldaptest.Server) {
					c.Backends[0].LDAP.Password = func() (string, error) { return "wrong", nil }
				}, []string{".yaml:", "backends.corp", "bind: ", "49", "see bind: dn and password"}, unavailable, unavailable},
				{"nobody", nil, func(c *Config, s *ldaptest.Server) { c.Backends[0].LDAP.BindDN = "cn=nobody," + s.Base },
					[]string{".yaml:", "backends.corp", "bind: ", "see bind: dn and password"}, unavailable, unavailable},
				{"authority", nil, func(c *Config, _ *ldaptest.Server) { c.Backends[0].LDAP.TLS.CAFile = "" },
					[]string{".yaml:", "backends.corp", "certificate", "tls: { ca: FILE }"}, unavailable, unavailable},
				{"name", nil, func(c *Config, _ *ldaptest.Server) { c.Backends[0].LDAP.TLS.ServerName = "other.example.com" },
					[]string{".yaml:", "backends.corp", "other.example.com", "serverName"}, unavailable, unavailable},
				{"address", nil, func(c *Config, _ *ldaptest.Server) { c.Backends[0].LDAP.Servers = []string{"ldaps://127.0.0.1:1"} },
					[]string{".yaml:", "backends.corp", "refused", "see whether the address is right"}, unavailable, unavailable},
				{"another authority", nil, func(c *Config, _ *ldaptest.Server) { c.Backends[0].LDAP.TLS.CAFile = stranger },
					[]string{".yaml:", "backends.corp", "certificate", "another authority than those in tls: { ca: FILE }"}, unavailable, unavailable},
				{"TLS where there is none", nil, func(c *Config, s *ldaptest.Server) {
					c.Backends[0].LDAP.Servers = []string{strings.Replace(s.URL, "ldap:", "ldaps:", 1)}
				}, []string{".yaml:", "backends.corp", "TLS: ", "startTLS: true"}, unavailable, unavailable},
				{"no TLS where there is", nil, func(c *Config, s *ldaptest.Server) {
					c.Backends[0].LDAP.Servers = []string{strings.Replace(s.TLSURL, "ldaps:", "ldap:", 1)}
					c.Backends[0].LDAP.Timeout = time.Second // 389 Directory Server waits
				}, []string{".yaml:", "backends.corp", "is it a port for ldaps://?"}, unavailable, unavailable},
				{"base", nil, func(c *Config, s *ldaptest.Server) { c.Resources[0].Collection.Base = "ou=nowhere," + s.Base },
					[]string{".yaml:", `resources.User.base: the base "ou=nowhere,`, "32", "see whether it is spelled right"}, unavailable, ok},
				{"leavers", nil, func(c *Config, s *ldaptest.Server) {
					c.Resources[0].Keep = &gateway.Keep{Container: "ou=leavers," + s.Base}
				}, []string{`the container "ou=leavers,`, "32", "make it, or see whether it is spelled right"}, ok, ok},
				{"anchor", nil, func(c *Config, _ *ldaptest.Server) { c.Resources[0].Collection.Anchor = "entryUID" },
					[]string{".yaml:", "resources.User.anchor: the ", `anchor "entryUID"`, "; "}, unavailable, ok},
				{"class", nil, func(c *Config, _ *ldaptest.Server) { c.Resources[0].Collection.ObjectClass = []string{"top", "persn"} },
					[]string{".yaml:", "resources.User.objectClass: the ", `object class "persn"`, "did you mean person?"}, ok, ok},
				{"attribute", []string{"employeeType", "emploieeType"}, func(*Config, *ldaptest.Server) {},
					[]string{".yaml:", "resources.User: emploieeType: the directory's schema does not know", "did you mean employeeType?"}, ok, ok},
				{"filter", nil, func(c *Config, _ *ldaptest.Server) {
					c.Resources[0].Collection.Filter = "(&(objectClass=person)(!(emploieeType=robot)))"
				}, []string{".yaml:", `resources.User.filter: the filter names "emploieeType"`, "did you mean employeeType?"}, ok, ok},
			} {
				t.Run(m.name, func(t *testing.T) { m.test(t, s) })
			}
		})
	}
}

// strangerCA is a file with an authority that signed none of the servers' certificates.
func strangerCA(t *testing.T) string {
	t.Helper()
	web := httptest.NewTLSServer(http.NotFoundHandler())
	defer web.Close()
	file := filepath.Join(t.TempDir(), "stranger.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (m misfit) test(t *testing.T, s *ldaptest.Server) {
	c, compiled := directoryConfig(t, s, m.pairs...)
	m.make(&c, s)
	_, problems, err := askBackends(t.Context(), c, compiled)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range problems {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	if want := min(len(m.says), 1); len(lines) != want {
		t.Fatalf("%d errors, want %d:\n%s", len(lines), want, strings.Join(lines, "\n"))
	}
	for _, part := range m.says {
		if !strings.Contains(lines[0], part) || strings.Contains(lines[0], "\n") {
			t.Errorf("%q is not in: %s", part, lines[0])
		}
	}

	w := &world{client: openApp(t, c, compiled), userName: func(stem string) string { return stem + "@corp.example.com" }}
	var log bytes.Buffer
	w.app.logBackends(t.Context(), c, compiled, zerolog.New(&log))
	if n := strings.Count(log.String(), `"level":"error"`); n != len(lines) {
		t.Errorf("the log has %d errors:\n%s", n, log.String())
	}
	if a := w.get("/Users?count=1"); a.status != m.users {
		t.Errorf("users: %d %s", a.status, a.body)
	}
	if a := w.get("/Groups?count=1"); a.status != m.group {
		t.Errorf("groups: %d %s", a.status, a.body)
	}
	if m.name == "attribute" {
		u := w.user("rest", `,"title":"one"`)
		w.wantError(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"add","path":"userType","value":"x"}`)), http.StatusBadRequest, "invalidValue")
		w.want(w.do("PATCH", "/Users/"+u.id(), patchBody(`{"op":"replace","path":"title","value":"two"}`)), http.StatusOK)
		if l := w.find("/Users", `userType eq "x"`); len(l) > 0 {
			t.Errorf("found %v", l)
		}
		if l := w.find("/Users", `not (userType eq "x") and title eq "two"`); len(l) != 1 {
			t.Errorf("found %v", l)
		}
	}
}

// TestRights has a bind identity that may not read one attribute and not write
// another: what the server tells of that, and what requests are answered.
func TestRights(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			c, compiled := directoryConfig(t, s)
			before := &world{client: openApp(t, c, compiled), userName: func(stem string) string { return stem + "@corp.example.com" }}
			u := before.user("somebody", `,"displayName":"Some Body","title":"one","name":{"givenName":"Some"}`)
			restrict(t, s)
			c, compiled = directoryConfig(t, s)
			told, problems, err := askBackends(t.Context(), c, compiled)
			if err != nil {
				t.Fatal(err)
			}
			untold, text := strings.Join(told, "\n"), problems.Error()
			says := func(where string, parts ...string) {
				t.Helper()
				for line := range strings.Lines(where) {
					all := true
					for _, p := range parts {
						all = all && strings.Contains(line, p)
					}
					if all {
						return
					}
				}
				t.Errorf("no line has %q:\n%s", parts, where)
			}
			const noWrite = "may not write the attribute"
			switch kind {
			case ldaptest.OpenLDAP:
				says(untold, "User", "does not tell which attributes may be read and written")
			case ldaptest.DS389:
				says(text, ".yaml:", "displayName: the bind identity may not read the attribute", "grant it read")
				says(text, ".yaml:", "warning: ", "title: the bind identity "+noWrite, "grant it write")
				if n := strings.Count(text, noWrite); n != 1 {
					t.Errorf("%d attributes may not be written:\n%s", n, text)
				}
			case ldaptest.ActiveDirectory:
				says(untold, "User", "does not tell which attributes may be read by")
				says(text, ".yaml:", "warning: ", "title: the bind identity "+noWrite, "grant it write")
			}

			w := &world{client: openApp(t, c, compiled)}
			found := w.find("/Users", "userName eq "+quote(u.text("userName")))
			if len(found) != 1 {
				t.Fatalf("found %v", found)
			}
			path := "/Users/" + at(found[0], "id").(string)
			w.want(w.get(path), http.StatusOK)
			w.wantError(w.do("PATCH", path, patchBody(`{"op":"replace","path":"title","value":"two"}`)), http.StatusForbidden, "")
			if kind == ldaptest.ActiveDirectory { // who may write nothing
				w.wantError(w.do("POST", "/Users", userBody("other@corp.example.com", "")), http.StatusForbidden, "")
				return
			}
			w.want(w.do("PATCH", path, patchBody(`{"op":"replace","path":"name.givenName","value":"Any"}`)), http.StatusOK)
			w.want(w.do("DELETE", path, ""), http.StatusNoContent)
		})
	}
}

// restrict takes from the service the rights to read displayName and to write title.
// In Active Directory the service becomes one that may write nothing.
func restrict(t *testing.T, s *ldaptest.Server) {
	t.Helper()
	conn := s.Admin(t)
	switch s.Kind {
	case ldaptest.OpenLDAP:
		config, err := s.Dial("cn=config", s.BindPassword)
		if err != nil {
			t.Fatal(err)
		}
		defer config.Close()
		m := goldap.NewModifyRequest("olcDatabase={1}mdb,cn=config", nil)
		m.Add("olcAccess", []string{
			`{0}to attrs=displayName by dn.exact="` + s.ServiceDN + `" none by * break`,
			`{1}to attrs=title by dn.exact="` + s.ServiceDN + `" read by * break`,
		})
		if err := config.Modify(m); err != nil {
			t.Fatal(err)
		}
	case ldaptest.DS389:
		m := goldap.NewModifyRequest(s.Base, nil)
		m.Add("aci", []string{
			`(targetattr="displayName")(version 3.0; acl "blind"; deny (read,search,compare) userdn="ldap:///` + s.ServiceDN + `";)`,
			`(targetattr="title")(version 3.0; acl "mute"; deny (write) userdn="ldap:///` + s.ServiceDN + `";)`,
		})
		if err := conn.Modify(m); err != nil {
			t.Fatal(err)
		}
	case ldaptest.ActiveDirectory:
		dn := "CN=weak,CN=Users," + s.Base
		add := goldap.NewAddRequest(dn, nil)
		add.Attribute("objectClass", []string{"user"})
		add.Attribute("sAMAccountName", []string{"weak"})
		add.Attribute("userAccountControl", []string{"512"})
		add.Attribute("unicodePwd", []string{unicodePwd(s.ServicePassword)})
		if err := conn.Add(add); err != nil {
			t.Fatal(err)
		}
		s.ServiceDN = dn
	}
}

// unicodePwd is a password as Active Directory takes it.
func unicodePwd(s string) string {
	var b strings.Builder
	for _, c := range []byte(`"` + s + `"`) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}
