package ldaptest

import (
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// TestMirror: what is written on either server is soon on the other, also
// where that was down meanwhile, and what a server has acknowledged survives
// its end.
func TestMirror(t *testing.T) {
	pair := make([]*Server, 2)
	pair[0], pair[1] = StartMirror(t)
	add := func(s *Server, name string) {
		t.Helper()
		r := addition("uid="+name+","+s.PeopleBase, "objectClass", "inetOrgPerson", "cn", "x", "sn", "x")
		if err := s.Admin(t).Add(r); err != nil {
			t.Fatal(err)
		}
	}
	has := func(s *Server, name string) bool {
		conn, err := s.Dial(s.BindDN, s.BindPassword)
		if err != nil {
			return false
		}
		defer conn.Close()
		_, err = conn.Search(ldap.NewSearchRequest("uid="+name+","+s.PeopleBase, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil))
		return err == nil
	}
	arrives := func(s *Server, name string) {
		t.Helper()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for start := time.Now(); !has(s, name); <-tick.C {
			if time.Since(start) > time.Minute {
				t.Fatalf("%q never arrives", name)
			}
		}
	}
	for i, s := range pair {
		other := pair[1-i]
		add(s, "there")
		arrives(other, "there")
		other.Kill()
		add(s, "while-down")
		if err := other.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		arrives(other, "while-down")
		arrives(other, "there")
		for _, name := range []string{"there", "while-down"} {
			if err := other.Admin(t).Del(ldap.NewDelRequest("uid="+name+","+s.PeopleBase, nil)); err != nil {
				t.Fatal(err)
			}
		}
		tick := time.NewTicker(10 * time.Millisecond)
		for has(s, "there") || has(s, "while-down") {
			<-tick.C
		}
		tick.Stop()
	}
}
