package gateway_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/idstore"
)

func (f *family) works() (works []idstore.Work) {
	f.t.Helper()
	err := f.store.View(f.t.Context(), func(tx idstore.Tx) error {
		for w, err := range idstore.Works(tx) {
			if err != nil {
				return err
			}
			works = append(works, w)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return works
}

// TestDeferredDeletion deletes what a merge left over, once the backend is up
// again, and keeps the memberships.
func TestDeferredDeletion(t *testing.T) {
	f := newFamily(t, idstore.ActionDelete)
	select {
	case <-f.Wake():
	default:
		t.Error("nothing says that there is work")
	}
	f.backend.Fail(func(memory.Op, bool) error {
		return &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Reason: "down"}
	})
	if done, err := f.WorkOff(t.Context()); done != 0 || err != nil {
		t.Fatalf("done %d, %v", done, err)
	}
	if w := f.works(); len(w) != 1 || w[0].Attempts != 1 || !strings.Contains(w[0].LastError, "down") {
		t.Fatalf("work %+v", w)
	}
	f.backend.Fail(nil)
	if done, err := f.WorkOff(t.Context()); done != 0 || err != nil {
		t.Errorf("done %d before it was due again, %v", done, err)
	}
	f.clock.Add(31)
	if done, err := f.WorkOff(t.Context()); done != 1 || err != nil {
		t.Fatalf("done %d, %v; %+v", done, err, f.works())
	}
	if len(f.works()) != 0 {
		t.Errorf("left: %+v", f.works())
	}
	for _, g := range []string{f.both, f.one} {
		if got := f.stored(g); !slices.Equal(got, []string{"new"}) {
			t.Errorf("the group has %v, want new alone", got)
		}
	}
	if r := f.record(f.old); len(r.Links) != 1 {
		t.Errorf("links %+v", r.Links)
	}
	if p := f.mustAsk(ask{count: 10}); p.Total != 2 {
		t.Errorf("%d users, want 2", p.Total)
	}
	if r := f.read(f.old).Resource; r.ID() != f.old {
		t.Errorf("the alias reads %s", r.ID())
	}
}

// TestDeferredWorkOfWhatIsGone does work on objects that somebody else deleted,
// or that the mapping can not disable.
func TestDeferredWorkOfWhatIsGone(t *testing.T) {
	f := newFamily(t, idstore.ActionDelete)
	leftover := f.record(f.old).Links[1].Anchor
	if err := f.backend.Collection("User").Delete(t.Context(), connectors.Anchor(leftover.Key), connectors.Guard{}); err != nil {
		t.Fatal(err)
	}
	if done, err := f.WorkOff(t.Context()); done != 1 || err != nil {
		t.Errorf("done %d, %v; %+v", done, err, f.works())
	}
	if f.Disables("User") || f.Disables("Nobody") {
		t.Error("a mapping without `active` disables")
	}
	f = newFamily(t, idstore.ActionDisable)
	if done, err := f.WorkOff(t.Context()); done != 0 || err != nil || !strings.Contains(f.works()[0].LastError, "active") {
		t.Errorf("done %d, %v; %+v", done, err, f.works())
	}
}

// TestWorkBehindSlowWork cancels one piece of work while another is being done.
func TestWorkBehindSlowWork(t *testing.T) {
	f := newFamily(t, idstore.ActionDelete)
	f.merge(f.other, f.new, idstore.ActionDelete)
	second := f.works()[1]
	var cancelled error = errors.New("nothing was deleted")
	f.backend.Fail(func(op memory.Op, done bool) error {
		if op == memory.OpDelete && !done {
			f.backend.Fail(nil)
			cancelled = f.Operate(context.Background(), nil, func(tx idstore.Tx) error {
				return idstore.CancelWork(tx, second.ID, time.Unix(1_700_000_000, 0))
			})
		}
		return nil
	})
	if done, err := f.WorkOff(t.Context()); done != 1 || err != nil || cancelled != nil {
		t.Errorf("done %d, %v; cancelled: %v", done, err, cancelled)
	}
	if _, err := f.backend.Collection("User").Get(t.Context(), connectors.Anchor(second.Anchor.Key), nil); err != nil {
		t.Errorf("the object whose deletion was cancelled: %v", err)
	}
}
