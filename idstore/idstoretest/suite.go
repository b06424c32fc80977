// Package idstoretest is what every driver of the identity table has to pass.
package idstoretest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"postern/idstore"
)

// Open returns an empty store, and a function that closes it and opens it again with what it then holds; nil for a
// driver that keeps nothing. The driver's test closes the store in the end.
type Open func(t testing.TB) (store idstore.Store, reopen func() idstore.Store)

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	t.Run("tables", func(t *testing.T) { testTables(t, open) })
	t.Run("operations", func(t *testing.T) { testOperations(t, open) })
	t.Run("intents", func(t *testing.T) { testIntents(t, open) })
	t.Run("retire", func(t *testing.T) { testRetire(t, open) })
	t.Run("concurrency", func(t *testing.T) { testConcurrency(t, open) })
	t.Run("durability", func(t *testing.T) { testDurability(t, open) })
	t.Run("identity", func(t *testing.T) { testIdentity(t, open) })
	t.Run("transfer", func(t *testing.T) { testTransfer(t, open) })
	t.Run("model", func(t *testing.T) { testModel(t, open) })
}

// The scopes of two clients that share their ids, and of one that has its own.
var (
	users   = idstore.Scope{Type: "User", Externals: "okta"}
	groups  = idstore.Scope{Type: "Group", Externals: "okta"}
	entra   = idstore.Scope{Type: "User", Externals: "entra"}
	private = idstore.Scope{Type: "User", IDs: "lab", Externals: "lab"}
)

func anchor(key any) idstore.Anchor {
	return idstore.Anchor{Backend: "directory", Key: fmt.Sprint(key)}
}

func view(t testing.TB, s idstore.Store, fn func(idstore.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

func update(t testing.TB, s idstore.Store, fn func(idstore.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func adopt(t testing.TB, s idstore.Store, scope idstore.Scope, anchors ...idstore.Anchor) (records []idstore.Record) {
	t.Helper()
	update(t, s, func(tx idstore.Tx) (err error) {
		records, err = idstore.Adopt(tx, scope, anchors)
		return err
	})
	if len(records) != len(anchors) {
		t.Fatalf("adopt: %d records for %d anchors", len(records), len(anchors))
	}
	return records
}

func begin(t testing.TB, s idstore.Store, in idstore.Intent) (out idstore.Intent) {
	t.Helper()
	update(t, s, func(tx idstore.Tx) (err error) {
		out, err = idstore.Begin(tx, in)
		return err
	})
	return out
}

func bind(t testing.TB, s idstore.Store, id idstore.IntentID, a idstore.Anchor) (r idstore.Record) {
	t.Helper()
	update(t, s, func(tx idstore.Tx) (err error) {
		r, err = idstore.Bind(tx, id, a)
		return err
	})
	return r
}

// remove deletes an entity as the gateway does.
func remove(t testing.TB, s idstore.Store, scope idstore.Scope, e idstore.EntityID) {
	t.Helper()
	in := begin(t, s, idstore.Intent{Kind: idstore.Delete, Scope: scope, Entity: e})
	update(t, s, func(tx idstore.Tx) error { return idstore.Remove(tx, in.ID) })
}

func resolve(s idstore.Store, scope idstore.Scope, id idstore.PublicID) (r idstore.Record, err error) {
	err = s.View(context.Background(), func(tx idstore.Tx) (err error) {
		r, err = idstore.Resolve(tx, scope, id)
		return err
	})
	return r, err
}

func publicID(t testing.TB, r idstore.Record, d idstore.Domain) idstore.PublicID {
	t.Helper()
	id, ok := r.PublicID(d)
	if !ok {
		t.Fatalf("no public id in domain %q", d)
	}
	return id
}

// wantErr serves both the tests and the properties.
func wantErr(t interface {
	Helper()
	Errorf(format string, args ...any)
}, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
