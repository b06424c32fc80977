package gateway_test

import (
	"errors"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	"postern/scim"
)

// TestLateWrites has the backend carry a request out after the process that sent it
// is gone and the next has looked for it once.
func TestLateWrites(t *testing.T) {
	for _, op := range []memory.Op{memory.OpCreate, memory.OpDelete} {
		for _, comes := range []bool{true, false} {
			name := string(op) + " comes"
			if !comes {
				name += " never"
			}
			t.Run(name, func(t *testing.T) {
				b := newBench(t, memory.Options{})
				b.patience = 30 * time.Second
				b.Gateway = b.again()
				kept := b.mustCreate("kept")
				anchor := connectors.Anchor(b.record(kept).Anchor().Key)
				b.backend.Fail(func(o memory.Op, done bool) error {
					if o == op && !done {
						return &connectors.Error{Kind: connectors.Timeout}
					}
					return nil
				})
				var err error
				if op == memory.OpCreate {
					_, err = b.Create(t.Context(), caller, "User", b.resource(b.user, `{"userName":"new","externalId":"x-new"}`), gateway.WriteOptions{})
				} else {
					err = b.Delete(t.Context(), caller, "User", kept, scim.Precondition{})
				}
				if kindOf(err) != gateway.Timeout {
					t.Fatal(err)
				}
				b.backend.Fail(nil)
				b.Gateway = b.again()
				recovered := func(want int) {
					t.Helper()
					if open, err := b.Recover(t.Context()); open != want || err != nil || countIntents(t, b.store) != want {
						t.Errorf("%d are open, %v, want %d", open, err, want)
					}
				}
				recovered(1)
				if comes {
					users := b.backend.Collection("User")
					if op == memory.OpCreate {
						_, err = users.Create(t.Context(), connectors.Draft{Name: "uid", Fields: []connectors.Field{{Attr: "uid", Values: []connectors.Value{"new"}}}}, nil)
					} else {
						err = users.Delete(t.Context(), anchor, connectors.Guard{})
					}
					if err != nil {
						t.Fatal(err)
					}
				} else {
					b.clock.Add(29)
					recovered(1)
					b.clock.Add(1)
				}
				recovered(0)
				found, err := b.list(`externalId eq "x-new"`, 1, 10)
				if err != nil || (found.Total == 1) != (comes && op == memory.OpCreate) {
					t.Errorf("by its externalId there are %d, %v", found.Total, err)
				}
				id, _ := idstore.ParsePublicID(kept)
				err = b.store.View(t.Context(), func(tx idstore.Tx) error { _, err := idstore.FindID(tx, id); return err })
				if errors.Is(err, idstore.ErrGone) != (comes && op == memory.OpDelete) {
					t.Errorf("the other id: %v", err)
				}
			})
		}
	}
}
