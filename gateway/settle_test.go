package gateway_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/scim"
)

// TestOpenDeletionAndCreation leaves a deletion open: while nobody knows what
// becomes of it nothing is created, but one that the backend refuses to finish keeps
// nobody out.
func TestOpenDeletionAndCreation(t *testing.T) {
	for kind, refused := range map[connectors.Kind]bool{connectors.Unavailable: true, connectors.Timeout: true, connectors.Denied: false} {
		t.Run(kind.String(), func(t *testing.T) {
			b := newBench(t, memory.Options{})
			id := b.mustCreate("gone")
			b.backend.Fail(func(o memory.Op, done bool) error {
				if o == memory.OpSweep && !done {
					return &connectors.Error{Kind: kind}
				}
				return nil
			})
			if err := b.Delete(t.Context(), caller, "User", id, scim.Precondition{}); err == nil {
				t.Fatal("the deletion is over")
			}
			if _, err := b.create("next"); refused != (err != nil) {
				t.Errorf("a creation meanwhile: %v, want it refused: %v", err, refused)
			}
			b.backend.Fail(nil)
			if _, err := b.create("later"); err != nil {
				t.Error(err)
			}
			if open := countIntents(t, b.store); open != 0 {
				t.Errorf("%d intents stay open", open)
			}
			if _, err := b.Read(t.Context(), caller, "User", id, gateway.ReadOptions{}); kindOf(err) != gateway.NotFound {
				t.Errorf("the deleted user: %v", err)
			}
		})
	}
}

// TestCreationWaitsForRecovery makes somebody of the name of one whose deletion is
// being finished at that moment: what referred to that one is gone before.
func TestCreationWaitsForRecovery(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("gone")
	b.backend.Fail(func(o memory.Op, done bool) error {
		if o == memory.OpSweep && !done {
			return &connectors.Error{Kind: connectors.Timeout}
		}
		return nil
	})
	if err := b.Delete(t.Context(), caller, "User", id, scim.Precondition{}); err == nil {
		t.Fatal("the deletion is over")
	}
	sweeping, goOn := make(chan struct{}), make(chan struct{})
	var swept atomic.Bool
	b.backend.Fail(func(o memory.Op, done bool) error {
		switch {
		case o == memory.OpSweep && !done:
			close(sweeping)
			<-goOn
			swept.Store(true)
		case o == memory.OpCreate && !done && !swept.Load():
			t.Error("somebody of the name is made while something may refer to the one before")
		}
		return nil
	})
	var all sync.WaitGroup
	all.Go(func() {
		if open, err := b.Recover(t.Context()); open != 0 || err != nil {
			t.Errorf("%d stay open, %v", open, err)
		}
	})
	<-sweeping
	all.Go(func() {
		if _, err := b.create("gone"); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(50 * time.Millisecond) // long enough for a creation that does not wait
	close(goOn)
	all.Wait()
}
