package ldap

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A twin is a fake server that a test can take down and that holds one user,
// or none.
type twin struct {
	*fakeServer
	mu     sync.Mutex
	down   bool          // connections end at the first request
	silent chan struct{} // if not nil, nothing is answered until it is closed
	stamp  string        // of the user; "" is no user
	mark   string        // how far its content is
	refers string        // if not empty, where modifications are referred to
}

func newTwin(t *testing.T, stamp string) *twin {
	w := &twin{stamp: stamp}
	w.fakeServer = fake(t, w.answer)
	t.Cleanup(func() { w.set(func() { w.wake() }) })
	return w
}

func (w *twin) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *twin) wake() {
	if w.silent != nil {
		close(w.silent)
		w.silent = nil
	}
}

func (w *twin) answer(r fakeRequest) []byte {
	w.mu.Lock()
	down, silent, stamp, refers, mark := w.down, w.silent, w.stamp, w.refers, w.mark
	w.mu.Unlock()
	if silent != nil {
		<-silent
	}
	if down {
		return nil
	}
	if answer := selfDescription(r, map[string][]string{"objectClass": {"OpenLDAProotDSE"}, "namingContexts": {"dc=y", "dc=x"}}); answer != nil {
		return answer
	}
	switch {
	case r.op == opSearch && r.base == "dc=x":
		return found(r, "dc=x", map[string][]string{"contextCSN": {mark + "#000000#001#000000", "1#000000#002#000000"}})
	case r.op == opModify && refers != "":
		b, m := wire.Begin(nil, 0x67)
		b = wire.AppendInt(b, wire.TagEnumerated, wire.Referral)
		b = wire.AppendString(b, wire.TagOctetString, "")
		b = wire.AppendString(b, wire.TagOctetString, "")
		b, list := wire.Begin(b, 0xa3)
		b = wire.AppendString(b, wire.TagOctetString, "cldap:nonsense")
		b = wire.AppendString(b, wire.TagOctetString, refers)
		return message(r.id, wire.End(wire.End(b, list), m))
	case r.op == opModify:
		return message(r.id, result(0x67, wire.Success))
	case stamp == "":
		return message(r.id, result(0x65, wire.Success))
	}
	return found(r, "cn=a,ou=people,dc=x", map[string][]string{
		"cn": {"a"}, "entryUUID": {"30313233-3435-3637-3839-616263646566"}, "nsUniqueId": {"30313233-34353637-38396162-63646566"}, "entryCSN": {stamp},
	})
}

// asked counts what was asked of the people.
func (w *twin) asked() int {
	w.fakeServer.mu.Lock()
	defer w.fakeServer.mu.Unlock()
	n := 0
	for _, r := range w.got {
		if r.base != "" && r.base != "cn=schema" && r.base != "dc=x" {
			n++
		}
	}
	return n
}

// quick is a configuration under which everything that waits waits shortly,
// save replication.
func quick(servers ...*twin) Config {
	c := Config{Pin: time.Hour, ReturnAfter: time.Millisecond, Health: Health{Interval: 5 * time.Millisecond, Timeout: time.Minute}}
	for _, s := range servers {
		c.Servers = append(c.Servers, s.url)
	}
	return c
}

// until waits for something that happens in the background.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !holds(); <-tick.C {
		if time.Since(start) > time.Minute {
			t.Fatal("never: ", what)
		}
	}
}

func get(t *testing.T, c connectors.Connector) error {
	_, err := c.Get(t.Context(), somebody, []connectors.Attr{"cn"})
	return err
}

func search(t *testing.T, c connectors.Connector, cond connectors.Cond) (found int, err error) {
	for _, err := range c.Search(t.Context(), connectors.Query{Where: cond}) {
		if err != nil {
			return found, err
		}
		found++
	}
	return found, nil
}

func write(t *testing.T, c connectors.Connector) {
	t.Helper()
	change := []connectors.Change{{Attr: "description", Add: []connectors.Value{"x"}}}
	if _, err := c.Apply(t.Context(), somebody, change, connectors.Guard{}, nil); err != nil {
		t.Fatal(err)
	}
}

// TestFailOver: the second server is used while the first is down, and what it
// does not have is not called absent for a while.
func TestFailOver(t *testing.T) {
	first, second := newTwin(t, "1"), newTwin(t, "")
	d := openFakes(t, quick(first, second))
	u := users(t, d)
	if err := get(t, u); err != nil {
		t.Fatal(err)
	}
	if second.asked() != 0 {
		t.Error("the second server was asked while the first was up")
	}
	first.set(func() { first.down = true })
	until(t, "the second is used", func() bool {
		if err := get(t, u); connectors.KindOf(err) != connectors.Unavailable {
			t.Fatalf("shortly after the fail-over: %v", err)
		}
		return second.asked() > 0
	})
	d.pool.mu.Lock()
	d.pool.switched = time.Now().Add(-d.config.Pin)
	d.pool.mu.Unlock()
	if err := get(t, u); connectors.KindOf(err) != connectors.NotFound {
		t.Errorf("long after the fail-over: %v", err)
	}
}

// TestSilentServer: a server that keeps its connections and answers nothing is
// given up, and requests that wait for it are answered by the next.
func TestSilentServer(t *testing.T) {
	first, second := newTwin(t, "1"), newTwin(t, "1")
	c := quick(first, second)
	c.Health.Timeout = 200 * time.Millisecond
	c.Timeout = time.Hour // the requests have all the time there is
	d := openFakes(t, c)
	u := users(t, d)
	until(t, "the second is known to be well", func() bool {
		d.pool.mu.Lock()
		defer d.pool.mu.Unlock()
		return !d.pool.servers[1].well.IsZero()
	})
	first.set(func() { first.silent = make(chan struct{}) })
	var requests sync.WaitGroup
	for range 20 {
		requests.Go(func() {
			if err := get(t, u); err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
}

// TestReturn: the first server is used again when it is well, but not while
// what was written on the second may not have arrived there.
func TestReturn(t *testing.T) {
	for _, written := range []bool{false, true} {
		first, second := newTwin(t, "1"), newTwin(t, "1")
		d := openFakes(t, quick(first, second))
		u := users(t, d)
		first.set(func() { first.down = true })
		until(t, "the second is used", func() bool { return get(t, u) == nil && second.asked() > 0 })
		if written {
			write(t, u)
		}
		before := first.asked()
		first.set(func() { first.down = false })
		until(t, "the first is well", func() bool {
			d.pool.mu.Lock()
			defer d.pool.mu.Unlock()
			s := d.pool.servers[0]
			return !s.well.IsZero() && time.Since(s.well) > 20*time.Millisecond
		})
		if !written {
			until(t, "the first is used again", func() bool { return get(t, u) == nil && first.asked() > before })
			continue
		}
		probes := first.count(opSearch)
		until(t, "the first was probed often", func() bool { return first.count(opSearch) > probes+5 })
		if err := get(t, u); err != nil || first.asked() > before {
			t.Errorf("shortly after a write on the second the first was asked, or %v", err)
		}
		d.pool.mu.Lock()
		d.pool.servers[1].written = time.Now().Add(-d.config.Pin)
		d.pool.mu.Unlock()
		until(t, "the first is used again", func() bool { return get(t, u) == nil && first.asked() > before })
	}
}

// TestNotArrived: what was written by way of a server that is gone is neither
// absent nor as it was before.
func TestNotArrived(t *testing.T) {
	for name, tc := range map[string]struct {
		stamp string // on the second server; the first has "2"
		ok    bool
	}{
		"absent": {"", false}, "older": {"1", false}, "the same": {"2", true}, "newer": {"3", true},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := newTwin(t, "2"), newTwin(t, tc.stamp)
			d := openFakes(t, quick(first, second))
			u := users(t, d)
			write(t, u)
			first.set(func() { first.down = true })
			until(t, "the second is used", func() bool { get(t, u); return second.asked() > 0 })
			var errs []error
			errs = append(errs, get(t, u))
			for _, cond := range []connectors.Cond{nil, connectors.Equal{Attr: "description", Value: "X"}, connectors.AnchorIn{somebody}} {
				_, err := search(t, u, cond)
				errs = append(errs, err)
			}
			for i, err := range errs {
				if (err == nil) != tc.ok || !tc.ok && connectors.KindOf(err) != connectors.Unavailable {
					t.Errorf("read %d: %v", i, err)
				}
			}
			if tc.stamp != "" {
				return
			}
			if n, err := search(t, u, connectors.Equal{Attr: "cn", Value: "b"}); n != 0 || err != nil {
				t.Errorf("a search that what was written does not concern: %d, %v", n, err)
			}
			// Replication has had its time, but the server died before it.
			d.pool.mu.Lock()
			d.pool.switched = time.Now().Add(-d.config.Pin)
			d.pool.mu.Unlock()
			if err := get(t, u); connectors.KindOf(err) != connectors.Unavailable {
				t.Errorf("long after the fail-over: %v", err)
			}
		})
	}
}

// TestNotArrivedUnstamped: where nothing tells how old an entry is, what was
// changed by way of another server is as it was for as long as replication may
// take, and then not any more.
func TestNotArrivedUnstamped(t *testing.T) {
	first, second := newTwin(t, "1"), newTwin(t, "1")
	c := quick(first, second)
	c.Dialect = "ds389"
	d := openFakes(t, c)
	u := users(t, d)
	write(t, u)
	first.set(func() { first.down = true })
	until(t, "the second is used", func() bool { get(t, u); return second.asked() > 0 })
	reads := func() (errs []error) {
		errs = append(errs, get(t, u))
		for _, cond := range []connectors.Cond{nil, connectors.Equal{Attr: "description", Value: "x"}, connectors.AnchorIn{somebody}} {
			_, err := search(t, u, cond)
			errs = append(errs, err)
		}
		return errs
	}
	for i, err := range reads() {
		if connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("shortly after it, read %d: %v", i, err)
		}
	}
	d.config.Pin = time.Nanosecond
	for i, err := range reads() {
		// The first server was lost before it can have passed the change on, so
		// what the change's value is asked for stays open.
		if named := i == 2; (err == nil) == named {
			t.Errorf("long after it, read %d: %v", i, err)
		}
	}
}

// TestDoubtfulCreation: that there is no object of a name is not believed where
// its creation by way of another server may have been carried out.
func TestDoubtfulCreation(t *testing.T) {
	first, second := newTwin(t, "1"), newTwin(t, "")
	c := quick(first, second)
	c.Health.Timeout, c.Timeout = 200*time.Millisecond, time.Hour
	d := openFakes(t, c)
	u := users(t, d)
	until(t, "the second is known to be well", func() bool {
		d.pool.mu.Lock()
		defer d.pool.mu.Unlock()
		return !d.pool.servers[1].well.IsZero()
	})
	draft := connectors.Draft{Name: "cn", Fields: []connectors.Field{{Attr: "cn", Values: []connectors.Value{"New"}}}}
	first.set(func() { first.silent = make(chan struct{}) })
	if _, err := u.Create(t.Context(), draft, nil); connectors.KindOf(err) != connectors.Timeout {
		t.Fatalf("a creation without an answer: %v", err)
	}
	for name, ok := range map[connectors.Value]bool{"other": true, "new": false} {
		_, err := search(t, u, connectors.And{connectors.Equal{Attr: "cn", Value: name}})
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestReplica: replicas serve reads that allow it, unless something was
// written a moment ago, and are not believed when they know nothing.
func TestReplica(t *testing.T) {
	for _, stamp := range []string{"1", ""} {
		server, replica := newTwin(t, "1"), newTwin(t, stamp)
		c := quick(server)
		c.Replicas = []string{replica.url}
		d := openFakes(t, c)
		u := users(t, d)
		r := u.(connectors.Replicated).Replica()
		until(t, "the replica is well", func() bool {
			d.pool.mu.Lock()
			defer d.pool.mu.Unlock()
			return !d.pool.replicas[0].well.IsZero()
		})
		reads := func(c connectors.Connector) {
			t.Helper()
			if err := get(t, c); err != nil {
				t.Error(err)
			}
			for _, cond := range []connectors.Cond{nil, connectors.AnchorIn{somebody}} {
				if n, err := search(t, c, cond); err != nil || n != 1 {
					t.Errorf("a search found %d: %v", n, err)
				}
			}
		}
		reads(u)
		if replica.asked() > 0 {
			t.Error("a read that does not allow it was answered by the replica")
		}
		before := server.asked()
		reads(r)
		if n := replica.asked(); n != 3 {
			t.Errorf("the replica was asked %d times, want 3", n)
		}
		if n, want := server.asked()-before, map[string]int{"1": 0, "": 3}[stamp]; n != want {
			t.Errorf("the server was asked %d times beside the replica, want %d", n, want)
		}
		before = replica.asked()
		write(t, r)
		reads(r)
		if replica.asked() > before || replica.count(opModify) > 0 {
			t.Error("after a write, or for it, the replica was asked")
		}
		server.set(func() { server.down = true })
		d.pool.mu.Lock()
		d.pool.servers[0].written = time.Time{}
		d.pool.mu.Unlock()
		if err := get(t, r); (err == nil) != (stamp == "1") {
			t.Errorf("without the server: %v", err)
		}
	}
}

// TestLag: a replica that does not have what the server had long ago is not
// used until it has.
func TestLag(t *testing.T) {
	server, replica := newTwin(t, "1"), newTwin(t, "1")
	server.set(func() { server.mark = "2" })
	replica.set(func() { replica.mark = "1" })
	c := quick(server)
	c.Replicas, c.Pin = []string{replica.url}, 20*time.Millisecond
	d := openFakes(t, c)
	r := users(t, d).(connectors.Replicated).Replica()
	well := func() bool {
		d.pool.mu.Lock()
		defer d.pool.mu.Unlock()
		return !d.pool.replicas[0].stale
	}
	until(t, "the lag is noticed", func() bool {
		d.pool.mu.Lock()
		defer d.pool.mu.Unlock()
		return d.pool.replicas[0].stale
	})
	before := replica.asked()
	if err := get(t, r); err != nil || replica.asked() != before {
		t.Errorf("a replica that lags behind was asked, or %v", err)
	}
	replica.set(func() { replica.mark = "3" }) // no replica is ahead for long
	until(t, "it is used again", func() bool { return well() && get(t, r) == nil && replica.asked() > before })
}

// TestCheckContent: a server without the bases is found wrong while others are
// in use.
func TestCheckContent(t *testing.T) {
	first := newTwin(t, "1")
	second := fake(t, func(r fakeRequest) []byte {
		if answer := selfDescription(r, openLDAP); answer != nil {
			return answer
		}
		return message(r.id, result(0x65, wire.NoSuchObject))
	})
	c := quick(first)
	c.Replicas = []string{second.url}
	d := openFakes(t, c)
	wrong := map[string]int{}
	for _, f := range d.Check(t.Context(), nil) {
		if f.Level == Failure && f.Server != "" {
			wrong[f.Server+" "+f.Collection]++
		}
	}
	if len(wrong) != 2 || wrong[second.url+" User"] != 1 || wrong[second.url+" Group"] != 1 {
		t.Errorf("found %v", wrong)
	}
}

// TestReferral: a write is carried out where it is referred to, but only by a
// server of the configuration and on the same entry, and once.
func TestReferral(t *testing.T) {
	for name, tc := range map[string]struct {
		to      func(second, stranger *twin) string
		back    bool // the second refers to the first
		written bool
	}{
		"configured":    {func(second, _ *twin) string { return second.url + "/cn=a,ou=people,dc=x??base" }, false, true},
		"without a DN":  {func(second, _ *twin) string { return second.url }, false, true},
		"another entry": {func(second, _ *twin) string { return second.url + "/cn=b,ou=people,dc=x" }, false, false},
		"a stranger":    {func(_, stranger *twin) string { return stranger.url + "/cn=a,ou=people,dc=x" }, false, false},
		"in a circle":   {func(second, _ *twin) string { return second.url }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			first, second, stranger := newTwin(t, "1"), newTwin(t, "1"), newTwin(t, "1")
			first.set(func() { first.refers = tc.to(second, stranger) })
			if tc.back {
				second.set(func() { second.refers = first.url })
			}
			d := openFakes(t, quick(first, second))
			u := users(t, d)
			change := []connectors.Change{{Attr: "description", Add: []connectors.Value{"x"}}}
			_, err := u.Apply(t.Context(), somebody, change, connectors.Guard{}, nil)
			if (err == nil) != tc.written || err != nil && connectors.KindOf(err) != connectors.Unavailable {
				t.Errorf("got %v", err)
			}
			if n, want := second.count(opModify), map[bool]int{true: 1, false: 0}[tc.written || tc.back]; n != want {
				t.Errorf("the second server was asked %d times, want %d", n, want)
			}
			if len(stranger.got) > 0 {
				t.Error("a stranger was connected to")
			}
			if tc.written {
				before := first.asked()
				if err := get(t, u); err != nil || first.asked() != before {
					t.Errorf("what was written is not read where it was written: %v", err)
				}
			}
		})
	}
}

func TestIsAt(t *testing.T) {
	for _, tc := range []struct {
		configured, referral string
		same                 bool
	}{
		{"dc1.example.com:636", "ldaps://DC1.example.com", true},
		{"dc1.example.com:636", "ldap://dc1.example.com/dc=x", true},
		{"dc1.example.com:389", "ldap://dc1.example.com:389", true},
		{"dc1.example.com:636", "ldap://dc2.example.com", false},
		{"dc1.example.com:636", "ldap://dc1.example.com:3890", false},
		{"dc1.example.com:3890", "ldap://dc1.example.com:3890", true},
		{"dc1.example.com:3890", "ldap://dc1.example.com", false},
		{"[::1]:636", "ldap://[::1]", true},
		{"dc1.example.com:636", "ldap:///dc=x", false},
	} {
		u, err := url.Parse(tc.referral)
		if err != nil {
			t.Fatal(err)
		}
		s := &server{dialer: &dialer{address: tc.configured}}
		if s.isAt(u) != tc.same {
			t.Errorf("%q for %q: %v", tc.referral, tc.configured, !tc.same)
		}
	}
}
