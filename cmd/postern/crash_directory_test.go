package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/configs"
	"postern/connectors/ldap/demodir"
	"postern/connectors/ldap/ldaptest"

	goldap "github.com/go-ldap/ldap/v3"
)

// crashShape is how a kind of directory shows what the checks look for.
type crashShape struct {
	people, groups      string // the bases
	leavers             string // where people are moved who were deleted, or ""
	isPerson            string // a filter
	anchor, number, uid string // attributes
	suffix              string // of user names
	classes             []string
	nobody              string // what stands in an empty group
	moved               string // where people lie whose title is movedTitle
}

// newCrashWorld starts a gateway in front of a directory, by way of a proxy that
// the tests cut.
func newCrashWorld(t *testing.T, kind string, pairwise bool, options ...ldaptest.Option) *crashWorld {
	t.Helper()
	return newCrashWorldOf(t, kind, func(*crashShape) []string {
		if pairwise {
			return []string{"    anchor: entryUUID\n", "    anchor: entryUUID\n    ids: pairwise\n"}
		}
		return nil
	}, options...)
}

// newCrashWorldOf is newCrashWorld with what else is replaced by pairs in the sample.
func newCrashWorldOf(t *testing.T, kind string, edits func(*crashShape) []string, options ...ldaptest.Option) *crashWorld {
	t.Helper()
	w := &crashWorld{t: t, whole: t, told: map[string]told{}, touched: map[string]bool{}, made: map[string]bool{}, paths: map[string]string{}, dangling: map[string]bool{}}
	for _, env := range []string{"ENTRA_TOKEN", "IDP_TOKEN", "POSTERN_DEMO_TOKEN"} {
		t.Setenv(env, writerToken)
	}
	own := "postern.db" // the sample's table
	var name string
	var pairs []string
	if kind == "demo" {
		own = "demo.db"
		name, pairs = w.demoDirectory()
	} else {
		name, pairs = w.realDirectory(ldaptest.Start(t, ldaptest.Kind(kind), options...))
	}
	w.shape.complete(kind)
	w.shape.moved = "ou=Moved," + w.shape.people
	add := goldap.NewAddRequest(w.shape.moved, nil)
	add.Attribute("objectClass", []string{"top", "organizationalUnit"})
	w.must(w.past.Add(add))
	folder := t.TempDir()
	w.file, w.table = filepath.Join(folder, name), filepath.Join(folder, "ids.db")
	pairs = append(pairs, "bolt: { path: "+own+" }", "bolt: { path: "+w.table+" }")
	for _, named := range []string{"    name: uid={userName} ", "    name: CN={userName} "} {
		place := fmt.Sprintf("    place: { by: title, table: { %s: %q }, else: %q }\n", movedTitle, w.shape.moved, w.shape.people)
		if data, err := configs.Sample(name); err == nil && strings.Contains(string(data), named) {
			pairs = append(pairs, named, place+named)
		}
	}
	pairs = append(pairs, edits(&w.shape)...)
	if err := os.WriteFile(w.file, []byte(editedSample(t, name, pairs...)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && w.process != nil {
			t.Logf("while %s; the gateway's log:\n%s", w.what, w.process.log)
		}
	})
	w.must(w.start(0))
	return w
}

// movedTitle is the title of those who lie elsewhere than the others.
const movedTitle = "moved"

func (s *crashShape) complete(kind string) {
	s.isPerson, s.anchor, s.number, s.uid = "(objectClass=inetOrgPerson)", "entryUUID", "employeeNumber", "uid"
	s.classes = []string{"top", "person", "organizationalPerson", "inetOrgPerson"}
	switch ldaptest.Kind(kind) {
	case ldaptest.DS389:
		s.anchor = "nsUniqueId"
	case ldaptest.ActiveDirectory:
		s.isPerson, s.anchor, s.number, s.uid = "(&(objectCategory=person)(objectClass=user))", "objectGUID", "employeeID", "userPrincipalName"
		s.classes, s.suffix = []string{"top", "person", "organizationalPerson", "user"}, "@corp.example.com"
	}
}

// demoDirectory starts the demo's directory in this process, so that it outlives
// the gateway. It returns the sample and what to replace in it.
func (w *crashWorld) demoDirectory() (name string, pairs []string) {
	const password = "the-password-of-the-demo"
	w.t.Setenv("POSTERN_DEMO_PASSWORD", password)
	address, stopped, err := startDemoDirectory(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := <-stopped; err != nil {
			w.whole.Error(err)
		}
	})
	w.proxy = newLosingProxy(w.t, address, nil)
	w.shape = crashShape{people: "ou=people," + demodir.DefaultSuffix, groups: "ou=groups," + demodir.DefaultSuffix}
	if w.past, err = goldap.DialURL("ldap://" + address); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.past.Close() })
	if err := w.past.Bind("cn=postern,"+demodir.DefaultSuffix, password); err != nil {
		w.t.Fatal(err)
	}
	return "demo.yaml", []string{"127.0.0.1:3890", w.proxy.addr()}
}

// realDirectory puts the proxy in front of a server.
func (w *crashWorld) realDirectory(s *ldaptest.Server) (name string, pairs []string) {
	w.t.Setenv("POSTERN_BIND_PASSWORD", s.ServicePassword)
	to, err := s.TLSConfig()
	if err != nil {
		w.t.Fatal(err)
	}
	own, ca := proxyCertificate(w.t)
	w.proxy = newLosingProxy(w.t, strings.TrimPrefix(s.TLSURL, "ldaps://"), to, own)
	w.shape = crashShape{people: s.PeopleBase, groups: s.GroupsBase, nobody: s.Nobody}
	w.past = s.Admin(w.t)
	return directorySample(s, "ldaps://"+w.proxy.addr(), ca)
}
