package ldap

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

const somebody = connectors.Anchor("0123456789abcdef")

// person answers reads of one user, whose anchor is somebody.
func person(r fakeRequest) []byte {
	return found(r, "cn=a,ou=people,dc=x", map[string][]string{
		"cn": {"a"}, "entryUUID": {"30313233-3435-3637-3839-616263646566"}, "entryCSN": {"1"},
	})
}

func users(t *testing.T, d *Directory) connectors.Connector {
	t.Helper()
	c, ok := d.Collection("User")
	if !ok {
		t.Fatal("no users")
	}
	return c
}

// cutOn breaks the connection at the first so many requests that match, after
// they have arrived.
func cutOn(times int, match func(fakeRequest) bool, next func(fakeRequest) []byte) func(fakeRequest) []byte {
	var mu sync.Mutex
	return func(r fakeRequest) []byte {
		if answer := selfDescription(r, openLDAP); answer != nil {
			return answer
		}
		mu.Lock()
		defer mu.Unlock()
		if match(r) && times > 0 {
			times--
			return nil
		}
		return next(r)
	}
}

// TestReadAgain: a read whose connection breaks is tried once more on a fresh one.
func TestReadAgain(t *testing.T) {
	isSearch := func(r fakeRequest) bool { return r.op == opSearch }
	for times, ok := range map[int]bool{0: true, 1: true, 100: false} {
		server := fake(t, cutOn(times, isSearch, person))
		d := openFake(t, server.url)
		e, err := users(t, d).Get(t.Context(), somebody, []connectors.Attr{"cn"})
		if ok && (err != nil || e.Anchor != somebody) {
			t.Errorf("after %d cuts: %v", times, err)
		}
		if !ok {
			if connectors.KindOf(err) != connectors.Unavailable {
				t.Errorf("after %d cuts: %v", times, err)
			}
			if n := server.count(opSearch) - 2; n > defaultPoolSize+1 {
				t.Errorf("asked %d times", n)
			}
		}
	}
}

// TestWriteOnce: a write whose connection breaks after it was sent is not tried
// again, because it may have been carried out.
func TestWriteOnce(t *testing.T) {
	isModify := func(r fakeRequest) bool { return r.op == opModify }
	server := fake(t, cutOn(100, isModify, person))
	d := openFake(t, server.url)
	_, err := users(t, d).Apply(t.Context(), somebody, []connectors.Change{{Attr: "description", Add: []connectors.Value{"x"}}}, connectors.Guard{}, nil)
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok || e.Kind != connectors.Timeout || e.Unsent {
		t.Errorf("got %v", err)
	}
	if n := server.count(opModify); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// TestDown: a directory that can not be reached answers Unavailable at once, and
// works when it is there.
func TestDown(t *testing.T) {
	up := make(chan struct{})
	server := fake(t, func(r fakeRequest) []byte {
		select {
		case <-up:
		default:
			return nil
		}
		if answer := selfDescription(r, openLDAP); answer != nil {
			return answer
		}
		return person(r)
	})
	d := openFake(t, server.url)
	u := users(t, d)
	if c := u.Capabilities(); !c.Conds.Has(connectors.AllConds) || c.Matching != nil {
		t.Errorf("before the first contact: %+v", c)
	}
	_, err := u.Get(t.Context(), somebody, nil)
	if e, ok := errors.AsType[*connectors.Error](err); !ok || e.Kind != connectors.Unavailable {
		t.Errorf("a get: %v", err)
	}
	for _, err := range u.Search(t.Context(), connectors.Query{}) {
		if connectors.KindOf(err) != connectors.Unavailable {
			t.Errorf("a search: %v", err)
		}
	}
	err = u.Delete(t.Context(), somebody, connectors.Guard{})
	if connectors.KindOf(err) == connectors.NotFound {
		t.Errorf("a delete: %v", err)
	}
	asker, _ := connectors.As[connectors.Asker](u)
	if fresh, err := asker.Ask(t.Context()); fresh || connectors.KindOf(err) != connectors.Unavailable {
		t.Errorf("asked: %v, %v", fresh, err)
	}
	close(up)
	if fresh, err := asker.Ask(t.Context()); !fresh || err != nil {
		t.Errorf("asked when it is there: %v, %v", fresh, err)
	}
	if fresh, err := asker.Ask(t.Context()); fresh || err != nil {
		t.Errorf("asked again: %v, %v", fresh, err)
	}
	if _, err := u.Get(t.Context(), somebody, nil); err != nil {
		t.Errorf("when it is there: %v", err)
	}
	if c := u.Capabilities(); c.Conds.Has(connectors.CondBits) || c.Matching == nil {
		t.Errorf("after the first contact: %+v", c)
	}
}

// TestNobody: without any listener, everything is refused as unsent.
func TestNobody(t *testing.T) {
	d := openFake(t, "ldap://127.0.0.1:1")
	_, err := users(t, d).Get(t.Context(), somebody, nil)
	if e, ok := errors.AsType[*connectors.Error](err); !ok || e.Kind != connectors.Unavailable || !e.Unsent {
		t.Errorf("got %v", err)
	}
	found := d.Check(t.Context(), nil)
	if len(found) != 1 || found[0].Level != Failure || found[0].Server == "" || found[0].Hint == "" {
		t.Errorf("found %v", found)
	}
}

// TestBound: however many requests there are, there are only so many
// connections, and each request ends with its own context.
func TestBound(t *testing.T) {
	const requests = 300
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	server := fake(t, func(r fakeRequest) []byte {
		if answer := selfDescription(r, openLDAP); answer != nil {
			return answer
		}
		select {
		case arrived <- struct{}{}:
		default: // not the first: there may be any number, with those that are abandoned
		}
		<-release
		return person(r)
	})
	d := openFake(t, server.url)
	doomed, cancel := context.WithCancel(t.Context())
	var patient, impatient sync.WaitGroup
	for range requests / 2 {
		impatient.Go(func() {
			_, err := users(t, d).Get(doomed, somebody, nil)
			if k := connectors.KindOf(err); err == nil || k != connectors.Timeout && k != connectors.Unavailable {
				t.Errorf("a cancelled request: %v", err)
			}
		})
		patient.Go(func() {
			if _, err := users(t, d).Get(t.Context(), somebody, nil); err != nil {
				t.Error(err)
			}
		})
	}
	<-arrived
	for range 2 * defaultPoolSize { // every one finds all connections busy
		c, err := d.pool.acquire(t.Context(), false, false)
		if err != nil {
			t.Fatal(err)
		}
		answered := make(chan struct{})
		patient.Go(func() {
			defer close(answered)
			c.Do(t.Context(), wire.AppendSearch(nil, wire.Search{Base: "dc=x", Filter: appendEverything(nil)}, []string{"cn"}))
		})
		for c.Load() == 0 || dialing(d.pool) {
			select {
			case <-answered:
				t.Fatal("a request ended while the server was holding back its answer")
			default:
				runtime.Gosched()
			}
		}
	}
	cancel()
	impatient.Wait() // although the server has not answered anything
	close(release)
	patient.Wait()
	d.pool.mu.Lock()
	defer d.pool.mu.Unlock()
	if n := len(d.pool.servers[0].conns) + d.pool.servers[0].dialing; n != defaultPoolSize {
		t.Errorf("%d connections, want %d", n, defaultPoolSize)
	}
}

func dialing(p *pool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.servers[0].dialing > 0
}

// TestCursors: a connection has one paged search at a time. One more than there
// are connections waits, and goes on when another is given up.
func TestCursors(t *testing.T) {
	server := fake(t, func(r fakeRequest) []byte {
		if answer := selfDescription(r, map[string][]string{"objectClass": {"OpenLDAProotDSE"}, "supportedControl": {wire.ControlPaging}}); answer != nil {
			return answer
		}
		done, m := wire.BeginControls(result(0x65, wire.Success))
		done = wire.EndControls(wire.AppendPaging(done, 0, "more"), m)
		one := person(r)
		end := len(message(r.id, result(0x65, wire.Success)))
		return append(one[:len(one)-end], message(r.id, done)...)
	})
	d := openFake(t, server.url)
	u := users(t, d)
	var stops []func()
	for range defaultPoolSize {
		next, stop := iter.Pull2(u.Search(t.Context(), connectors.Query{}))
		if _, err, ok := next(); err != nil || !ok {
			t.Fatal(err)
		}
		stops = append(stops, stop)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	for _, err := range u.Search(ctx, connectors.Query{}) {
		if e, ok := errors.AsType[*connectors.Error](err); !ok || !e.Unsent {
			t.Errorf("one too many: %v", err)
		}
	}
	cancel()
	// Reads need no cursor.
	if _, err := u.Get(t.Context(), somebody, nil); err != nil {
		t.Error(err)
	}
	stops[0]()
	next, stop := iter.Pull2(u.Search(t.Context(), connectors.Query{}))
	if _, err, ok := next(); err != nil || !ok {
		t.Errorf("after one was given up: %v", err)
	}
	stop()
	for _, stop := range stops {
		stop()
	}
}
