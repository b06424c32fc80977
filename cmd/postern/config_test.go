package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"postern/configs"
	"postern/connectors/ldap"
	"postern/gateway"
)

// TestConfigProblems loads and compiles the file "config.yaml" of every archive in testdata/config, with the
// archive's other files beside it and the lines of "env" in the environment, and wants the
// problems that the archive's last file lists. UPDATE=1 writes them anew.
func TestConfigProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			last := &archive.Files[len(archive.Files)-1]
			if last.Name != "problems" {
				t.Fatalf("the last file is %q", last.Name)
			}
			t.Chdir(t.TempDir())
			t.Setenv("TOKEN", strings.Repeat("x", 32))
			t.Setenv("PASSWORD", "hunter2")
			for _, f := range archive.Files[:len(archive.Files)-1] {
				if f.Name == "env" {
					for line := range strings.Lines(string(f.Data)) {
						name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
						t.Setenv(name, value)
					}
				} else if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c, problems := loadConfig("config.yaml")
			if _, err := compile(c, &problems); err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(problems) > 0 {
				got = problems.Error() + "\n"
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a problem tells a secret:\n%s", got)
			}
			if os.Getenv("UPDATE") != "" {
				last.Data = []byte(got)
				if err := os.WriteFile(filepath.Join(home, file), txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(last.Data) {
				t.Errorf("problems:\n%s\nwant:\n%s", got, last.Data)
			}
		})
	}
}

// loadSample decodes a sample with made-up secrets and compiles its mappings.
func loadSample(t *testing.T, name string) Config {
	t.Helper()
	for _, secret := range []string{"ENTRA_TOKEN", "IDP_TOKEN", "POSTERN_DEMO_TOKEN", "POSTERN_BIND_PASSWORD", "POSTERN_DEMO_PASSWORD"} {
		t.Setenv(secret, "made-up-"+secret)
	}
	data, err := configs.Sample(name)
	if err != nil {
		t.Fatal(err)
	}
	root, problems := configs.Parse(name, data)
	if root == nil {
		t.Fatal(problems)
	}
	c := decodeConfig(root, &problems)
	if _, err := compile(c, &problems); err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func TestSamples(t *testing.T) {
	for _, test := range []struct{ name, backend, base, client, anchor, other string }{
		{"active-directory.yaml", "corp", "OU=Staff,DC=corp,DC=example,DC=com", "entra", "objectGUID", "Group"},
		{"openldap.yaml", "corp", "ou=people,dc=example,dc=com", "idp", "entryUUID", "Group"},
		{"ds389.yaml", "corp", "ou=people,dc=example,dc=com", "idp", "nsUniqueId", "Group"},
		{"demo.yaml", "company", "ou=people,dc=example,dc=com", "demo", "entryUUID", "Group"},
		{"devices.yaml", "corp", "ou=people,dc=example,dc=com", "idp", "entryUUID", "Device"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := loadSample(t, test.name)
			if c.Listen != "127.0.0.1:8880" || c.TLS != nil || c.Store.Bolt == "" {
				t.Errorf("listen %q, TLS %v, store %q", c.Listen, c.TLS, c.Store.Bolt)
			}
			if len(c.Clients) != 1 || c.Clients[0].Name != test.client || c.Clients[0].Domain != test.client || len(c.Clients[0].Tokens) != 1 ||
				c.Clients[0].Access["User"] != AccessReadWrite || c.Clients[0].Access[test.other] != AccessReadWrite {
				t.Errorf("clients: %+v", c.Clients)
			}
			if len(c.Backends) != 1 || c.Backends[0].Name != test.backend || len(c.Backends[0].LDAP.Servers) == 0 {
				t.Fatalf("backends: %+v", c.Backends)
			}
			if password, err := c.Backends[0].LDAP.Password(); err != nil || !strings.HasPrefix(password, "made-up-") {
				t.Errorf("bind password: %q, %v", password, err)
			}
			if len(c.Resources) != 2 || c.Resources[0].Name != "User" || c.Resources[1].Name != test.other {
				t.Fatalf("resources: %+v", c.Resources)
			}
			user := c.Resources[0]
			if user.Backend != test.backend || user.Pairwise || user.Collection.Base != test.base ||
				user.Collection.Anchor != test.anchor || user.Collection.Name != "User" || len(user.Collection.ObjectClass) == 0 || user.Collection.Filter == "" {
				t.Errorf("User: %+v", user)
			}
		})
	}
}

// TestConfigValues reads every key that has a value of its own in Config.
func TestConfigValues(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TOKEN", "made-up-token-one")
	t.Setenv("OTHER", "made-up-token-two")
	const text = `
listen: 0.0.0.0:80
plaintext: allowed
publicURL: https://scim.example.com/scim/v2/
basePath: /idm/scim/
store: { bolt: { path: ids.db } }
limits:
  body: 1MiB
  bulkOperations: 300
  pageSize: 50
  maxPageSize: 200
  scanLimit: 5000
  snapshotTTL: 1m
  requestTimeout: 20s
  headerTimeout: 5s
  idleTimeout: 2m
clients:
  entra: { dialect: entra, token: [{ env: TOKEN }, { env: OTHER }], access: { User: read-write }, me: anna, put: keep, replaceMembers: add }
  report:
    domain: entra
    token: { sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae }
    access: { User: read }
backends:
  corp:
    ldap:
      servers: [ldap://127.0.0.2, { url: ldaps://127.0.0.3, role: replica }, { url: "ldap://[::1]:3890" }]
      pin: 20s
      returnAfter: 1m
      poll: 7s
      health: { interval: 2s, timeout: 5s }
      startTLS: true
      tls: { serverName: dc1.example.com }
      poolSize: 8
      timeout: 3s
      pageSize: 500
      dialect: openldap
      without: [assertion, paging]
      refCache: { entries: -1, ttl: 5s }
resources:
  User:
    backend: corp
    ids: pairwise
    delete: { move: "ou=leavers,dc=example,dc=com" }
    base: ou=people,dc=example,dc=com
    objectClass: inetOrgPerson
    placeholder: cn=nobody,dc=example,dc=com
    name: uid={userName}
    map: { userName: uid }
    constants: { o: Example }
`
	root, problems := configs.Parse("etc/config.yaml", []byte(text))
	if err := os.Mkdir("etc", 0o700); err != nil {
		t.Fatal(err)
	}
	c := decodeConfig(root, &problems)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Listen != "0.0.0.0:80" || !c.Plaintext || c.PublicURL != "https://scim.example.com/scim/v2" || c.BasePath != "/idm/scim" || c.Store.Bolt != "etc/ids.db" {
		t.Errorf("%+v", c)
	}
	if want := (Limits{1 << 20, 300, 50, 200, 5000, time.Minute, 20 * time.Second, 5 * time.Second, 2 * time.Minute}); c.Limits != want {
		t.Errorf("limits: %+v", c.Limits)
	}
	digest := func(s configs.Secret) [32]byte {
		d, err := s.Digest()
		if err != nil {
			t.Error(err)
		}
		return d
	}
	if e, r := c.Clients[0], c.Clients[1]; e.Dialect != "entra" || e.Me != "anna" || !e.KeepOmitted || !e.AddReferences || r.KeepOmitted || len(e.Tokens) != 2 || digest(e.Tokens[0]) != sha256.Sum256([]byte("made-up-token-one")) ||
		r.Dialect != "rfc" || r.Domain != "entra" || digest(r.Tokens[0]) != sha256.Sum256([]byte("foo")) || r.Access["User"] != AccessRead || r.Access["Group"] != "" {
		t.Errorf("clients: %+v", c.Clients)
	}
	l := c.Backends[0].LDAP
	if !slices.Equal(l.Servers, []string{"ldap://127.0.0.2", "ldap://[::1]:3890"}) || !slices.Equal(l.Replicas, []string{"ldaps://127.0.0.3"}) ||
		l.Pin != 20*time.Second || l.ReturnAfter != time.Minute || l.Poll != 7*time.Second || l.Health != (ldap.Health{Interval: 2 * time.Second, Timeout: 5 * time.Second}) ||
		!l.StartTLS || l.TLS.ServerName != "dc1.example.com" || l.TLS.InsecureSkipVerify ||
		l.PoolSize != 8 || l.Timeout != 3*time.Second || l.PageSize != 500 || l.Dialect != "openldap" || l.BindDN != "" || l.Password != nil ||
		!slices.Equal(l.Without, []string{"assertion", "paging"}) || l.RefCache.Entries != -1 || l.RefCache.TTL != 5*time.Second {
		t.Errorf("backend: %+v", l)
	}
	r := c.Resources[0]
	if r.Keep == nil || *r.Keep != (gateway.Keep{Container: "ou=leavers,dc=example,dc=com"}) || !r.Pairwise || !slices.Equal(r.Collection.ObjectClass, []string{"inetOrgPerson"}) || r.Collection.Placeholder != "cn=nobody,dc=example,dc=com" {
		t.Errorf("resource: %+v", r)
	}
}
