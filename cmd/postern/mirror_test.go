package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	ldapdriver "postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// recovery is how long a fail-over may take.
const recovery = 5 * time.Second

// TestMirror is a gateway in front of two servers in replication, of which each
// is killed and restarted under load, and between which and the gateway the
// network fails in every way there is. What was acknowledged is never lost and
// never called absent, and the errors are those that a client tries again after.
func TestMirror(t *testing.T) {
	m := ldaptest.StartMirror(t)
	servers := m.Servers[:]
	c, maps := directoryConfig(t, servers[0])
	l := &c.Backends[0].LDAP
	l.Servers, l.TLS.ServerName = nil, "127.0.0.1"
	proxies := make([]*ldaptest.Proxy, 2)
	for i, s := range servers {
		proxies[i] = ldaptest.NewProxy(t, s.TLSURL)
		l.Servers = append(l.Servers, proxies[i].URL())
	}
	l.Pin, l.ReturnAfter = time.Second, 200*time.Millisecond
	l.Health = ldapdriver.Health{Interval: 100 * time.Millisecond, Timeout: time.Second}
	crowd := newCrowd(openApp(t, c, maps), 4)
	crowd.recover(t, "start")

	resume := func(i int) {
		t.Helper()
		if err := proxies[i].Resume(); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range servers {
		m.Links[i].Stall() // so that not all of it has been replicated
		crowd.recover(t, "the end of replication")
		s.Kill()
		crowd.recover(t, fmt.Sprintf("server %d was killed", i+1))
		crowd.reread()
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Links[i].Resume(); err != nil {
			t.Fatal(err)
		}
		crowd.recover(t, fmt.Sprintf("server %d was restarted", i+1))
	}
	for i, p := range proxies {
		p.Delay(20 * time.Millisecond)
		crowd.recover(t, "delay")
		p.Cut()
		crowd.recover(t, "cut")
		p.HalfClose()
		crowd.recover(t, "half-close")
		p.Stall()
		crowd.recover(t, "silence")
		resume(i)
		p.Cut()
		crowd.recover(t, "the end of the silence")
		p.Refuse()
		p.Cut()
		crowd.recover(t, "refusal")
		resume(i)
		crowd.recover(t, "the end of the refusal")
	}
	crowd.check(t, servers)
}

// A crowd is some clients that create users, change them, and read and find
// what they did.
type crowd struct {
	*client
	stop    chan struct{}
	members []*member
	done    sync.WaitGroup
}

type member struct {
	rounds atomic.Int64 // that went well from the beginning to the end

	mu    sync.Mutex
	users []*sentUser
}

// A sentUser is a user as far as its client knows.
type sentUser struct {
	userName string
	id       string   // "" is a creation without an answer
	titles   []string // that it may have: the last one acknowledged, and those without an answer
}

func newCrowd(c *client, size int) *crowd {
	cr := &crowd{client: c, stop: make(chan struct{})}
	for range size {
		m := &member{}
		cr.members = append(cr.members, m)
		cr.done.Go(func() {
			for {
				select {
				case <-cr.stop:
					return
				default:
				}
				if cr.round(m) {
					m.rounds.Add(1)
				}
			}
		})
	}
	return cr
}

// recover waits until every client has had a round that began and ended well
// since now.
func (c *crowd) recover(t *testing.T, after string) {
	t.Helper()
	start := time.Now()
	before := make([]int64, len(c.members))
	for i, m := range c.members {
		before[i] = m.rounds.Load()
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i, m := range c.members {
		for m.rounds.Load() < before[i]+2 { // one may have been all but over
			<-tick.C
			if time.Since(start) > time.Minute {
				t.Fatalf("after %s: no recovery", after)
			}
		}
	}
	took := time.Since(start)
	if t.Logf("after %s: %v", after, took.Round(time.Millisecond)); took > recovery {
		t.Errorf("after %s the recovery took %v", after, took)
	}
}

// reread reads every user once by its id, and looks it up by its name.
func (c *crowd) reread() {
	for _, m := range c.members {
		m.mu.Lock()
		users := slices.Clone(m.users)
		m.mu.Unlock()
		for _, u := range users {
			if u.id != "" {
				c.tolerable(c.get("/Users/"+u.id), http.StatusOK)
				c.find(u)
			}
		}
	}
}

// round does one of everything, and reports whether all went well.
func (c *crowd) round(m *member) bool {
	u := &sentUser{userName: unique("mirrored"), titles: []string{"first"}}
	a := c.do("POST", "/Users", userBody(u.userName, `,"title":"first"`))
	if !c.tolerable(a, http.StatusCreated) {
		if a.status == http.StatusGatewayTimeout {
			m.keep(u)
		}
		return false
	}
	u.id = a.id()
	m.keep(u)
	ok := c.read(u) && c.find(u)
	m.mu.Lock()
	u.titles = append(u.titles, "second")
	m.mu.Unlock()
	a = c.do("PATCH", "/Users/"+u.id, patchBody(`{"op":"replace","path":"title","value":"second"}`))
	if c.tolerable(a, http.StatusOK) {
		m.mu.Lock()
		u.titles = []string{"second"}
		m.mu.Unlock()
		return c.read(u) && c.find(u) && ok
	}
	return false
}

func (m *member) keep(u *sentUser) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users = append(m.users, u)
}

// tolerable reports whether an answer has the status, and fails the test if it
// is not one of those that say to try again. 504 says of a change that nobody
// knows.
func (c *crowd) tolerable(a answer, status int) bool {
	switch {
	case a.status == status:
		return true
	case a.status != http.StatusServiceUnavailable && a.status != http.StatusGatewayTimeout, a.header.Get("Retry-After") == "":
		c.t.Errorf("status %d, want %d or 503: %s", a.status, status, a.body)
	}
	<-time.After(5 * time.Millisecond) // no client asks again at once
	return false
}

// read reads a user by its id.
func (c *crowd) read(u *sentUser) bool {
	a := c.get("/Users/" + u.id)
	if a.status == http.StatusGatewayTimeout {
		c.t.Errorf("a read without an answer: %s", a.body)
	}
	if !c.tolerable(a, http.StatusOK) {
		return false
	}
	for _, title := range u.titles {
		if a.text("title") == title {
			return true
		}
	}
	c.t.Errorf("the title is %q, want one of %q", a.text("title"), u.titles)
	return false
}

// find looks a user up by name.
func (c *crowd) find(u *sentUser) bool {
	a := c.get("/Users?filter=" + url.QueryEscape(fmt.Sprintf("userName eq %q", u.userName)))
	if !c.tolerable(a, http.StatusOK) {
		return false
	}
	if n := fmt.Sprint(a.json["totalResults"]); n != "1" {
		c.t.Errorf("%s users are called %q", n, u.userName)
	}
	return true
}

// check ends the load and holds what was acknowledged against what there is.
func (c *crowd) check(t *testing.T, servers []*ldaptest.Server) {
	close(c.stop)
	c.done.Wait()
	there := agree(t, servers)
	acknowledged, unknown := 0, 0
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for start := time.Now(); !holds(); {
			if time.Since(start) > time.Minute {
				t.Fatal("never: ", what)
			}
		}
	}
	for _, m := range c.members {
		for _, u := range m.users {
			if u.id == "" {
				unknown++
				eventually("the creation is tried again", func() bool {
					return c.tolerable(c.do("POST", "/Users", userBody(u.userName, `,"title":"first"`)), http.StatusCreated)
				})
				eventually("it is found", func() bool { return c.find(u) })
				continue
			}
			acknowledged++
			if _, ok := there[u.userName]; !ok {
				t.Errorf("%q was acknowledged and is lost", u.userName)
			}
			eventually("it is read", func() bool { return c.read(u) })
			eventually("it is found", func() bool { return c.find(u) })
		}
	}
	t.Logf("%d users were acknowledged, of %d creations there was no answer", acknowledged, unknown)
	agree(t, servers)
}

// agree waits until both servers hold the same, and returns the titles by uid.
func agree(t *testing.T, servers []*ldaptest.Server) map[string]string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); ; <-tick.C {
		first, second := people(t, servers[0]), people(t, servers[1])
		same := len(first) == len(second)
		for name, title := range first {
			other, ok := second[name]
			same = same && ok && other == title
		}
		if same {
			return first
		}
		if time.Since(start) > time.Minute {
			t.Fatalf("the servers do not agree: %d and %d people", len(first), len(second))
		}
	}
}

func people(t *testing.T, s *ldaptest.Server) map[string]string {
	t.Helper()
	conn, err := s.Dial(s.BindDN, s.BindPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	found, err := conn.Search(ldap.NewSearchRequest(s.PeopleBase, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, "(uid=*)", []string{"uid", "title"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for _, e := range found.Entries {
		titles[e.GetAttributeValue("uid")] = e.GetAttributeValue("title")
	}
	return titles
}
