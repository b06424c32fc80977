package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	ldapdriver "postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestReplica is a gateway with a server for everything and one that is only
// read. Reads come from that one, but never with less than was written through
// the gateway, also where replication has stopped.
func TestReplica(t *testing.T) {
	m := ldaptest.StartMirror(t)
	c, maps := directoryConfig(t, m.Servers[0])
	l := &c.Backends[0].LDAP
	l.Replicas = []string{m.Servers[1].TLSURL}
	l.Pin = 300 * time.Millisecond
	l.Health = ldapdriver.Health{Interval: 20 * time.Millisecond, Timeout: time.Minute}
	w := &world{client: openApp(t, c, maps), userName: func(stem string) string { return stem }}
	u := w.user("first", "")
	agree(t, m.Servers[:])

	// What only the replica has tells who answers.
	m.Links[1].Stall()
	change := ldap.NewModifyRequest("uid="+u.text("userName")+","+m.Servers[1].PeopleBase, nil)
	change.Replace("title", []string{"of the replica"})
	if err := m.Servers[1].Admin(t).Modify(change); err != nil {
		t.Fatal(err)
	}
	title := func() string { return w.want(w.get("/Users/"+u.id()), http.StatusOK).text("title") }
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); title() != "of the replica"; <-tick.C {
		if time.Since(start) > time.Minute {
			t.Fatal("the replica never answers")
		}
	}

	m.Links[0].Stall()
	late := w.user("late", "")
	path := fmt.Sprintf(`/Users?filter=userName+eq+%%22%s%%22`, late.text("userName"))
	for start := time.Now(); time.Since(start) < 5*l.Pin; <-tick.C {
		w.want(w.get("/Users/"+late.id()), http.StatusOK)
		for path, want := range map[string]string{path: "1", "/Users": "2"} {
			if n := fmt.Sprint(w.want(w.get(path), http.StatusOK).json["totalResults"]); n != want {
				t.Fatalf("%v after the write %s has %s users, want %s", time.Since(start), path, n, want)
			}
		}
	}
}
