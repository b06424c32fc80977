package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/ldap/demodir"
	"postern/connectors/ldap/ldaptest"
	"postern/connectors/memory"
	"postern/mapping"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/rs/zerolog"
)

const (
	writerToken = "token-of-the-client-that-writes"
	readerToken = "token-of-the-client-that-reads"
	testMaxBody = 1 << 20
	meName      = "the-reader-itself" // the user that the client that reads stands for
)

// sampleConfig is a sample file with what is replaced by pairs in it, a second
// client that may read users alone, and a small limit of the body.
func sampleConfig(t *testing.T, name string, pairs ...string) (Config, []*mapping.Mapping) {
	t.Helper()
	me := meName
	if name == "active-directory.yaml" {
		me += "@corp.example.com"
	}
	const access = "    access: { User: read-write, Group: read-write }\n"
	pairs = append(pairs,
		access, access+"  reader:\n    token: { env: READER_TOKEN }\n    me: "+me+"\n    access: { User: read }\n"+dialectClients(t, access),
		"\nclients:", fmt.Sprintf("\nlimits: { body: %d }\nclients:", testMaxBody))
	return editedConfig(t, name, pairs...)
}

// editedConfig is a sample file with what is replaced by pairs in it.
func editedConfig(t *testing.T, name string, pairs ...string) (Config, []*mapping.Mapping) {
	t.Helper()
	for _, env := range []string{"ENTRA_TOKEN", "IDP_TOKEN", "POSTERN_DEMO_TOKEN"} {
		t.Setenv(env, writerToken)
	}
	t.Setenv("READER_TOKEN", readerToken)
	root, ps := configs.Parse(name, []byte(editedSample(t, name, pairs...)))
	c := decodeConfig(root, &ps)
	maps, err := compile(c, &ps)
	if err != nil {
		t.Fatal(err)
	}
	if ps.HasErrors() {
		t.Fatalf("%v", ps)
	}
	c.Store.Bolt = filepath.Join(t.TempDir(), "test.db")
	return c, maps
}

// editedSample is the text of editedConfig.
func editedSample(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	data, err := configs.Sample(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), "dialect: entra", "dialect: rfc", 1) // one suite for all
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s holds no %q to replace", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// dialectClients are the clients that the conformance tables speak for, one for
// each dialect, and one with every option.
func dialectClients(t *testing.T, access string) string {
	var text strings.Builder
	for _, c := range []struct{ name, options string }{
		{"entra", "    dialect: entra\n"},
		{"okta", "    dialect: okta\n"},
		{"interop", "    dialect: interop\n"},
		{"partial", "    put: keep\n    replaceMembers: add\n"},
	} {
		env := "CONFORM_" + strings.ToUpper(c.name) + "_TOKEN"
		t.Setenv(env, conformClients[c.name])
		fmt.Fprintf(&text, "  conform-%s:\n    token: { env: %s }\n%s%s", c.name, env, c.options, access)
	}
	return text.String()
}

// serveApp puts an HTTP server over an app, until the test ends.
func serveApp(t *testing.T, a *app) *client {
	t.Helper()
	server := httptest.NewServer(a.handler)
	t.Cleanup(func() {
		server.Close()
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return &client{t: t, base: server.URL + "/scim/v2", token: writerToken, app: a}
}

func openApp(t *testing.T, c Config, maps []*mapping.Mapping) *client {
	t.Helper()
	a, err := open(t.Context(), c, maps, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel))
	if err != nil {
		t.Fatal(err)
	}
	return serveApp(t, a)
}

// directoryConfig is the sample for a kind of server with the server put in, and
// what else is replaced by pairs in it.
func directoryConfig(t *testing.T, s *ldaptest.Server, more ...string) (Config, []*mapping.Mapping) {
	t.Helper()
	t.Setenv("POSTERN_BIND_PASSWORD", s.ServicePassword)
	name, pairs := directorySample(s, s.TLSURL, s.CAFile)
	return sampleConfig(t, name, append(more, pairs...)...)
}

// directorySample is the name of the sample for a kind of server, and what to
// replace in it so that it speaks of the server at the URL, whose certificate is
// signed by the authority in the file.
func directorySample(s *ldaptest.Server, url, file string) (name string, pairs []string) {
	ca := "tls: { ca: " + file + " }"
	switch s.Kind {
	case ldaptest.ActiveDirectory:
		return "active-directory.yaml", []string{"ldaps://dc1.corp.example.com, ldaps://dc2.corp.example.com", url, "# tls: { ca: corp-ca.pem }", ca,
			"CN=svc-postern,OU=Service,DC=corp,DC=example,DC=com", s.ServiceDN, "OU=Staff,DC=corp,DC=example,DC=com", s.PeopleBase, "OU=Groups,DC=corp,DC=example,DC=com", s.GroupsBase}
	case ldaptest.DS389:
		return "ds389.yaml", []string{"ldaps://ldap.example.com", url, "# tls: { ca: corp-ca.pem }", ca,
			"cn=postern,ou=services,dc=example,dc=com", s.ServiceDN, "ou=people,dc=example,dc=com", s.PeopleBase, "ou=groups,dc=example,dc=com", s.GroupsBase}
	}
	return "openldap.yaml", []string{"ldaps://ldap.example.com", url, "# tls: { ca: corp-ca.pem }", ca,
		"cn=postern,dc=example,dc=com", s.ServiceDN, "ou=people,dc=example,dc=com", s.PeopleBase, "ou=groups,dc=example,dc=com", s.GroupsBase}
}

// directoryWorld is a gateway in front of a real server, by its sample with what else
// is replaced by pairs.
func directoryWorld(t *testing.T, s *ldaptest.Server, more ...string) *world {
	t.Helper()
	c, maps := directoryConfig(t, s, more...)
	w := &world{client: openApp(t, c, maps), kind: string(s.Kind), past: s.Admin(t), people: s.PeopleBase, groupsBase: s.GroupsBase,
		userName: func(stem string) string { return stem }, nameAttr: "uid", disables: true}
	w.leak = s.Leak
	w.behind = backing{config: c, maps: maps, connect: connectDirectories(c, maps)}
	w.look(c, maps, s.PeopleBase, s.GroupsBase)
	w.nobody = s.Nobody
	if s.Kind == ldaptest.ActiveDirectory {
		w.userName = func(stem string) string { return stem + "@corp.example.com" }
		w.nameAttr = "userPrincipalName"
	}
	if s.Kind == ldaptest.DS389 { // its 7-bit check plugin, which is on unless turned off
		w.refuses = func(userName string) bool {
			return strings.ContainsFunc(userName, func(r rune) bool { return r > unicode.MaxASCII })
		}
	}
	w.bind = func(userName, password string) bool {
		conn, err := s.Dial(w.dn(userName), password)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	}
	return w
}

func TestDirectories(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) { suite(t, directoryWorld(t, ldaptest.Start(t, kind))) })
	}
}

// TestWithoutIntegrity runs what depends on references against servers that do
// not keep them: the gateway has to.
func TestWithoutIntegrity(t *testing.T) {
	for _, kind := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.DS389} {
		t.Run(string(kind), func(t *testing.T) {
			w := directoryWorld(t, ldaptest.Start(t, kind, ldaptest.WithoutIntegrity))
			a, b := w.user("stays", "").id(), w.user("goes", "").id()
			g := w.group(unique("bare"), a, b)
			w.want(w.do("DELETE", "/Users/"+b, ""), 204)
			w.wantMembers(g.id(), a)
			w.want(w.do("DELETE", "/Users/"+a, ""), 204)
			w.wantMembers(g.id())
			t.Run("Manager", func(t *testing.T) { testManager(t, w.with(t)) })
		})
	}
}

// TestDemoDirectory runs the suite against the directory of the demo, with the
// demo's own file.
func TestDemoDirectory(t *testing.T) {
	password := "zz-marker-demo-password"
	ctx := t.Context()
	address, stopped, err := startDemoDirectory(ctx, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	t.Setenv("POSTERN_DEMO_PASSWORD", password)
	c, maps := sampleConfig(t, "demo.yaml", "ldap://127.0.0.1:3890", "ldap://"+address)
	past, err := goldap.DialURL("ldap://" + address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { past.Close() })
	if err := past.Bind("cn=postern,"+demodir.DefaultSuffix, password); err != nil {
		t.Fatal(err)
	}
	w := &world{client: openApp(t, c, maps), kind: "demo", past: past, people: "ou=people," + demodir.DefaultSuffix, groupsBase: "ou=groups," + demodir.DefaultSuffix,
		userName: func(stem string) string { return stem }, nameAttr: "uid", disables: true}
	w.behind = backing{config: c, maps: maps, connect: connectDirectories(c, maps)}
	w.look(c, maps, w.people, w.groupsBase)
	w.leak = func(body string) string {
		for _, secret := range []string{demodir.DefaultSuffix, address, password} {
			if strings.Contains(strings.ToLower(body), secret) {
				return secret
			}
		}
		return ""
	}
	w.bind = func(userName, password string) bool {
		conn, err := goldap.DialURL("ldap://" + address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.Bind(w.dn(userName), password) == nil
	}
	suite(t, w)
}

// TestMemory runs the suite against the reference connector, with the demo's
// mapping.
func TestMemory(t *testing.T) {
	t.Setenv("POSTERN_DEMO_PASSWORD", "unused")
	c, maps := sampleConfig(t, "demo.yaml")
	served, connected := memoryApp(t, c, maps, memoryCollection)
	w := &world{client: served, kind: "memory", userName: func(stem string) string { return stem }, disables: true,
		behind: backing{config: c, maps: maps, connect: func(*testing.T, ...string) map[string]connectors.Connector { return connected }}}
	w.look(c, maps, "", "")
	looks := connectorBeyond{collections: connected, attrs: map[string][]connectors.Attr{}}
	for name, m := range w.maps {
		looks.attrs[name] = m.Attrs()
	}
	w.beyond = looks
	suite(t, w)
}

// memoryApp serves a configuration from the reference connector, whose collections
// are made by a function.
func memoryApp(t *testing.T, c Config, maps []*mapping.Mapping, collection func(string, *mapping.Mapping) memory.Collection) (*client, map[string]connectors.Connector) {
	t.Helper()
	var collections []memory.Collection
	for i, r := range c.Resources {
		collections = append(collections, collection(r.Name, maps[i]))
	}
	backend := memory.New(memory.Options{Collections: collections})
	connected := make(map[string]connectors.Connector)
	for _, r := range c.Resources {
		connected[r.Name] = backend.Collection(r.Name)
	}
	a := &app{}
	var err error
	if a.store, err = openStore(Store{}); err != nil {
		t.Fatal(err)
	}
	if err := a.wire(t.Context(), c, maps, connected, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	return serveApp(t, a), connected
}

// look lets the conformance tables see the directory past the gateway.
func (w *world) look(c Config, maps []*mapping.Mapping, people, groups string) {
	looks := ldapBeyond{conn: w.past, bases: map[string]string{"User": people, "Group": groups}, anchor: map[string]string{}}
	w.maps = make(map[string]*mapping.Mapping)
	for i, r := range c.Resources {
		w.maps[r.Name], looks.anchor[r.Name] = maps[i], r.Collection.Anchor
	}
	w.beyond, w.able = looks, abilities(maps, w.past != nil)
}

// memoryCollection is a collection that compares like the directories do.
func memoryCollection(name string, m *mapping.Mapping) memory.Collection {
	ignoreCase := connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Ordering: true, Substring: true}
	c := memory.Collection{Name: name, Matching: make(map[connectors.Attr]connectors.Matching), References: m.References(),
		WriteOnly: []connectors.Attr{"userPassword"}, Created: "createTimestamp", Modified: "modifyTimestamp"}
	for _, a := range append(m.Attrs(), "userPassword") {
		c.Matching[connectors.Attr(strings.ToLower(string(a)))] = ignoreCase
	}
	c.Matching["pwdaccountlockedtime"] = connectors.Matching{Rule: connectors.RuleTime, SingleValue: true}
	if name == "User" {
		delete(c.References, "memberOf")
		c.Reverse = map[connectors.Attr]memory.Reverse{"memberOf": {Collection: "Group", Attr: "member"}}
	}
	return c
}
