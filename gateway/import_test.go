package gateway_test

import (
	"bytes"
	"io"
	"testing"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	idmemory "postern/idstore/memory"
	"postern/scim"
)

// TestImportTakesOver brings an open deletion into the table of a gateway that
// serves, which finishes it.
func TestImportTakesOver(t *testing.T) {
	b := newBench(t, memory.Options{})
	id := b.mustCreate("gone")
	b.backend.Fail(func(o memory.Op, done bool) error {
		if o == memory.OpDelete && done {
			return &connectors.Error{Kind: connectors.Timeout}
		}
		return nil
	})
	if err := b.Delete(t.Context(), caller, "User", id, scim.Precondition{}); kindOf(err) != gateway.Timeout {
		t.Fatalf("the deletion: %v", err)
	}
	b.backend.Fail(nil)
	var table bytes.Buffer
	if err := b.store.View(t.Context(), func(tx idstore.Tx) error { _, err := idstore.Export(tx, &table); return err }); err != nil {
		t.Fatal(err)
	}
	store, err := idmemory.Open()
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
	g := b.again()
	if sum, err := g.Import(t.Context(), &table); err != nil || sum.Intents != 1 {
		t.Fatalf("imported %+v, %v", sum, err)
	}
	if open, err := g.Recover(t.Context()); open != 0 || err != nil || countIntents(t, b.store) != 0 {
		t.Errorf("%d intents stay open, %v", countIntents(t, b.store), err)
	}
}

// TestImportOfASlowSender writes to the table while an import waits for its input.
func TestImportOfASlowSender(t *testing.T) {
	b := newBench(t, memory.Options{})
	var table bytes.Buffer
	if err := b.store.View(t.Context(), func(tx idstore.Tx) error { _, err := idstore.Export(tx, &table); return err }); err != nil {
		t.Fatal(err)
	}
	received, sent := io.Pipe()
	imported := make(chan error, 1)
	go func() {
		_, err := b.Import(t.Context(), received)
		imported <- err
	}()
	if _, err := sent.Write(table.Next(1)); err != nil {
		t.Fatal(err)
	}
	if err := b.store.Update(t.Context(), func(idstore.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, err := table.WriteTo(sent); err != nil {
		t.Error(err)
	}
	_ = sent.Close()
	if err := <-imported; err != nil {
		t.Error(err)
	}
}
