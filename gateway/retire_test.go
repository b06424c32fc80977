package gateway_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	"postern/scim"
)

// attic puts away objects of a collection that are moved out of it.
type attic struct {
	connectors.Connector
	fail func(done bool) error // asked before a move, and once more after it

	mu    sync.Mutex
	moved map[connectors.Anchor]string
}

func (a *attic) away(at connectors.Anchor) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.moved[at]
	return ok
}

func (a *attic) Get(ctx context.Context, at connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	if a.away(at) {
		return connectors.Entry{}, &connectors.Error{Kind: connectors.NotFound}
	}
	return a.Connector.Get(ctx, at, want)
}

func (a *attic) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) {
		for e, err := range a.Connector.Search(ctx, q) {
			if (err != nil || !a.away(e.Anchor)) && !yield(e, err) {
				return
			}
		}
	}
}

func (a *attic) MoveOut(ctx context.Context, at connectors.Anchor, container string, _ connectors.Guard) error {
	if _, err := a.Get(ctx, at, nil); err != nil {
		return err
	}
	if err := a.asked(false); err != nil {
		return err
	}
	a.mu.Lock()
	a.moved[at] = container
	a.mu.Unlock()
	return a.asked(true)
}

func (a *attic) asked(done bool) error {
	if a.fail == nil {
		return nil
	}
	return a.fail(done)
}

func (a *attic) LiesIn(ctx context.Context, at connectors.Anchor, _ string) (bool, error) {
	_, err := a.Get(ctx, at, nil)
	return false, err
}

// keeper is a bench whose gateway keeps what is deleted.
type keeper struct {
	*bench
	attic *attic
}

func newKeeper(t *testing.T, k gateway.Keep) *keeper {
	t.Helper()
	b := newBenchOf(t, memory.Options{}, userMap+"  active: { attr: pwdAccountLockedTime, codec: ppolicy-locked }\n")
	at := &attic{Connector: b.backend.Collection("User"), moved: map[connectors.Anchor]string{}}
	users := false
	b.over = func(c connectors.Connector) connectors.Connector {
		if users = !users; users { // they come first each time
			return at
		}
		return c
	}
	b.keep = &k
	b.Gateway = b.again()
	return &keeper{b, at}
}

// left describes the objects of an entity: "open", "closed", each with "away" where it
// was moved.
func (k *keeper) left(rec idstore.Record) (all []string) {
	k.t.Helper()
	for _, l := range rec.Links {
		e, err := k.backend.Collection("User").Get(k.t.Context(), connectors.Anchor(l.Key), []connectors.Attr{"pwdAccountLockedTime"})
		if err != nil {
			k.t.Fatal(err)
		}
		is := "open"
		if !e.Field("pwdAccountLockedTime").Empty() {
			is = "closed"
		}
		if k.attic.away(e.Anchor) {
			is += " away"
		}
		all = append(all, is)
	}
	return all
}

var timeout = &connectors.Error{Kind: connectors.Timeout}

// TestRetireIsCutOff loses the backend, the process or the table at each write of a
// deletion that keeps its objects: afterwards either all is done, or the id names
// the resource still and the deletion can be asked for again.
func TestRetireIsCutOff(t *testing.T) {
	for name, keep := range map[string]gateway.Keep{"disable": {Disable: true}, "move": {Container: "attic"}, "both": {Disable: true, Container: "attic"}} {
		for _, several := range []bool{false, true} {
			for at := range 4 {
				for _, done := range []bool{false, true} {
					t.Run(fmt.Sprint(name, " several ", several, " write ", at, " done ", done), func(t *testing.T) {
						k := newKeeper(t, keep)
						id := k.mustCreate("gone")
						if several {
							twin := k.mustCreate("twin")
							k.merge(twin, id, idstore.ActionKeep)
							if err := k.Delete(t.Context(), caller, "User", twin, scim.Precondition{}); err != nil {
								t.Fatal(err)
							}
						}
						k.mustCreate("stays")
						rec := k.record(id)
						n := 0
						hit := func(d bool) error {
							if d != done {
								return nil
							}
							if n++; n == at+1 {
								return timeout
							}
							return nil
						}
						k.attic.fail = hit
						k.backend.Fail(func(o memory.Op, d bool) error {
							if o != memory.OpApply {
								return nil
							}
							return hit(d)
						})
						err := k.Delete(t.Context(), caller, "User", id, scim.Precondition{})
						if cut := n > at; cut != (kindOf(err) == gateway.Timeout) || !cut && err != nil {
							t.Fatalf("%d writes: %v", n, err)
						}
						k.attic.fail = nil
						k.backend.Fail(nil)
						k.Gateway = k.again()
						if open, err := k.Recover(t.Context()); open != 0 || err != nil || countIntents(t, k.store) != 0 {
							t.Fatalf("%d are open, %v", open, err)
						}
						again := k.Delete(t.Context(), caller, "User", id, scim.Precondition{})
						if again != nil && kindOf(again) != gateway.NotFound {
							t.Errorf("tried again: %v", again)
						}
						if again = k.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(again) != gateway.NotFound {
							t.Errorf("and once more: %v", again)
						}
						want := map[string]string{"disable": "closed", "move": "open away", "both": "closed away"}[name]
						for _, is := range k.left(rec) {
							if is != want {
								t.Errorf("the objects are %v, want them %s", k.left(rec), want)
							}
						}
						if p, err := k.list(`userName pr`, 1, 10); err != nil || p.Total != 1 {
							t.Errorf("%d users are left, %v", p.Total, err)
						}
						k.checkRetired(rec)
					})
				}
			}
		}
	}
}

// retired reports whether an entity is.
func (k *keeper) retired(rec idstore.Record) (is bool) {
	k.t.Helper()
	err := k.store.View(k.t.Context(), func(tx idstore.Tx) error {
		now, err := idstore.Entity(tx, rec.Entity)
		is = now.Retired
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return is
}

// checkRetired looks whether the table says of an entity that it was deleted, once.
func (k *keeper) checkRetired(rec idstore.Record) {
	k.t.Helper()
	if !k.retired(rec) {
		k.t.Error("it is not retired")
	}
	err := k.store.View(k.t.Context(), func(tx idstore.Tx) error {
		deletions := 0
		for o, err := range idstore.HistoryOf(tx, rec.Entity, 0) {
			if err != nil {
				return err
			}
			if o.Kind == idstore.OperationDelete {
				deletions++
			}
		}
		if deletions != 1 {
			k.t.Errorf("the history has %d deletions", deletions)
		}
		_, err := idstore.Check(tx, func(d idstore.Damage) error { k.t.Error(d); return nil })
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// fickle is a store that fails to write when it is told to.
type fickle struct {
	idstore.Store
	left int // updates that succeed
}

func (f *fickle) Update(ctx context.Context, fn func(idstore.Tx) error) error {
	if f.left--; f.left < 0 {
		return idstore.ErrUnwritable
	}
	return f.Store.Update(ctx, fn)
}

// TestRetireWithoutTable loses the table after the account was closed: it is found so
// when the table can be written again.
func TestRetireWithoutTable(t *testing.T) {
	for left := range 2 {
		k := newKeeper(t, gateway.Keep{Disable: true})
		id := k.mustCreate("gone")
		rec, whole := k.record(id), k.store
		k.store = &fickle{k.store, left}
		k.Gateway = k.again()
		if err := k.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(err) != gateway.Unavailable {
			t.Fatal(err)
		}
		if is := k.left(rec)[0]; (is == "closed") != (left > 0) {
			t.Errorf("after %d updates the account is %s", left, is)
		}
		k.store = whole
		k.Gateway = k.again()
		if open, err := k.Recover(t.Context()); open != 0 || err != nil {
			t.Fatal(open, err)
		}
		if k.retired(rec) != (left > 0) {
			t.Errorf("after %d updates it is retired: %v", left, k.retired(rec))
		}
	}
}

// TestRetireUnderAnotherPolicy resolves a deletion that was begun to keep an account
// when accounts are deleted by now, and the other way round.
func TestRetireUnderAnotherPolicy(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		k := newKeeper(t, gateway.Keep{Disable: true})
		id := k.mustCreate("gone")
		rec, policy := k.record(id), k.keep
		if !keeps {
			k.keep = nil
			k.Gateway = k.again()
		}
		k.backend.Fail(func(o memory.Op, done bool) error {
			if done && (o == memory.OpApply || o == memory.OpDelete) {
				return timeout
			}
			return nil
		})
		if err := k.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(err) != gateway.Timeout {
			t.Fatal(err)
		}
		k.backend.Fail(nil)
		if k.keep = nil; !keeps {
			k.keep = policy
		}
		k.Gateway = k.again()
		if open, err := k.Recover(t.Context()); open != 0 || err != nil {
			t.Fatal(open, err)
		}
		if _, err := k.Read(t.Context(), caller, "User", id, gateway.ReadOptions{}); kindOf(err) != gateway.NotFound {
			t.Errorf("kept %v: %v", keeps, err)
		}
		if keeps {
			k.checkRetired(rec)
		}
	}
}

// TestPromiseOfRetired makes an account, loses the answer, deletes it, and asks for
// it again: the one that was deleted is not what is answered with.
func TestPromiseOfRetired(t *testing.T) {
	k := newKeeper(t, gateway.Keep{Container: "attic"})
	k.backend.Fail(func(o memory.Op, done bool) error {
		if o == memory.OpCreate && done {
			return timeout
		}
		return nil
	})
	if _, err := k.create("gone"); kindOf(err) != gateway.Timeout {
		t.Fatal(err)
	}
	k.backend.Fail(nil)
	if open, err := k.Recover(t.Context()); open != 0 || err != nil {
		t.Fatal(open, err)
	}
	first := ids(k.mustAsk(ask{count: 10}))
	if len(first) != 1 {
		t.Fatal(first)
	}
	rec := k.record(first[0])
	*k.keep = gateway.Keep{Disable: true} // so that it can still be found
	if err := k.Delete(t.Context(), caller, "User", first[0], scim.Precondition{}); err != nil {
		t.Fatal(err)
	}
	id, err := k.create("gone")
	if kindOf(err) != gateway.Conflict || !strings.Contains(err.Error(), "account was kept") {
		t.Errorf("made again: %q, %v", id, err)
	}
	k.checkRetired(rec)
}

// TestLateRetire has the backend close an account after the process that asked for it
// is gone: until then the deletion stays open.
func TestLateRetire(t *testing.T) {
	k := newKeeper(t, gateway.Keep{Disable: true})
	k.patience = 30 * time.Second
	k.Gateway = k.again()
	id := k.mustCreate("gone")
	rec := k.record(id)
	k.backend.Fail(func(o memory.Op, done bool) error {
		if o == memory.OpApply && !done {
			return timeout
		}
		return nil
	})
	if err := k.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(err) != gateway.Timeout {
		t.Fatal(err)
	}
	k.backend.Fail(nil)
	k.Gateway = k.again()
	if open, err := k.Recover(t.Context()); open != 1 || err != nil {
		t.Fatalf("%d are open, %v", open, err)
	}
	change := connectors.Change{Attr: "pwdAccountLockedTime", Add: []connectors.Value{"000001010000Z"}}
	if _, err := k.backend.Collection("User").Apply(t.Context(), connectors.Anchor(rec.Anchor().Key), []connectors.Change{change}, connectors.Guard{}, nil); err != nil {
		t.Fatal(err)
	}
	if open, err := k.Recover(t.Context()); open != 0 || err != nil {
		t.Fatalf("%d are open, %v", open, err)
	}
	k.checkRetired(rec)
}
