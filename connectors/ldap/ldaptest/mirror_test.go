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
	m := StartMirror(t)
	pair := m.Servers
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
		m.Links[i].Stall()
		add(s, "held-back")
		if has(other, "held-back") {
			t.Error("an entry came by another way than the link")
		}
		if err := m.Links[i].Resume(); err != nil {
			t.Fatal(err)
		}
		arrives(other, "held-back")
		add(s, "there")
		arrives(other, "there")
		other.Kill()
		add(s, "while-down")
		if err := other.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		arrives(other, "while-down")
		arrives(other, "there")
		for _, name := range []string{"there", "while-down", "held-back"} {
			if err := other.Admin(t).Del(ldap.NewDelRequest("uid="+name+","+s.PeopleBase, nil)); err != nil {
				t.Fatal(err)
			}
		}
		tick := time.NewTicker(10 * time.Millisecond)
		for has(s, "there") || has(s, "while-down") || has(s, "held-back") {
			<-tick.C
		}
		tick.Stop()
	}
}
