package demodir

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

const (
	rootDN       = "cn=admin," + DefaultSuffix
	rootPassword = "open sesame"
)

// start serves a directory with the company in it until the test ends and
// returns its address.
func start(t *testing.T, o Options, config *tls.Config) (*Directory, string) {
	t.Helper()
	d := New(o)
	if err := d.Load(Company()); err != nil {
		t.Fatal(err)
	}
	return d, serve(t, d, config)
}

func serve(t *testing.T, d *Directory, config *tls.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx, listener, config) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}

// dial returns a connection that is closed when the test ends.
func dial(t *testing.T, addr string) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL("ldap://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// startOpen serves a directory in which nobody has to bind.
func startOpen(t *testing.T) (*Directory, *ldap.Conn) {
	t.Helper()
	d, addr := start(t, Options{}, nil)
	return d, dial(t, addr)
}

// resultCode returns the result code of an error of go-ldap, 0 for none.
func resultCode(t testing.TB, err error) code {
	t.Helper()
	if err == nil {
		return success
	}
	var refused *ldap.Error
	if !errors.As(err, &refused) {
		t.Fatalf("no result code in %v", err)
	}
	return code(refused.ResultCode)
}

func wantCode(t *testing.T, what string, err error, want code) {
	t.Helper()
	if got := resultCode(t, err); got != want {
		t.Errorf("%s: code %d (%v), want %d", what, got, err, want)
	}
}

func search(base string, scope int, filter string, attrs ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attrs, nil)
}

// read returns the attributes of one entry, nil where it is not there.
func read(t *testing.T, c *ldap.Conn, name string, attrs ...string) *ldap.Entry {
	t.Helper()
	found, err := c.Search(search(name, ldap.ScopeBaseObject, "(objectClass=*)", attrs...))
	if resultCode(t, err) == noSuchObject {
		return nil
	}
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("read %q: %v, %v", name, found, err)
	}
	return found.Entries[0]
}

// values returns the values of an attribute, sorted.
func values(e *ldap.Entry, name string) []string {
	list := slices.Clone(e.GetEqualFoldAttributeValues(name))
	slices.Sort(list)
	return list
}

// uids returns the uids that a filter finds among the people, sorted.
func uids(t *testing.T, c *ldap.Conn, filter string) []string {
	t.Helper()
	found, err := c.Search(search("ou=people,"+DefaultSuffix, ldap.ScopeWholeSubtree, filter, "uid"))
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	var list []string
	for _, e := range found.Entries {
		list = append(list, e.GetAttributeValues("uid")...)
	}
	slices.Sort(list)
	return list
}

func addRequest(e Entry) *ldap.AddRequest {
	request := ldap.NewAddRequest(e.DN, nil)
	for _, a := range e.Attributes {
		request.Attribute(a.Name, a.Values)
	}
	return request
}

// person returns an entry for someone who is not in the company.
func person(uid string, more ...Attribute) Entry {
	return Entry{personDN(uid), append([]Attribute{
		{"objectClass", []string{"inetOrgPerson"}},
		{"uid", []string{uid}},
		{"cn", []string{"New " + uid}},
		{"sn", []string{uid}},
	}, more...)}
}
