package idstoretest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"postern/idstore"
)

func testDurability(t *testing.T, open Open) {
	s, reopen := open(t)
	if reopen == nil {
		t.Skip("the store keeps nothing")
	}
	person := adopt(t, s, users, anchor(1))[0]
	made := bind(t, s, begin(t, s, idstore.Intent{Kind: idstore.Create, Scope: private, ExternalID: "x1"}).ID, anchor(2))
	gone := adopt(t, s, users, anchor(3))[0]
	remove(t, s, users, gone.Entity)
	pending := begin(t, s, idstore.Intent{
		Kind: idstore.Delete, Scope: users, Entity: person.Entity, Public: publicID(t, person, ""),
		Backend: "directory", Name: "uid=ann", Anchors: []idstore.Anchor{anchor(1), anchor("x")},
	})
	failed := s.Update(context.Background(), func(tx idstore.Tx) error {
		if _, err := idstore.Adopt(tx, users, []idstore.Anchor{anchor("failed")}); err != nil {
			return err
		}
		return errOnPurpose
	})
	wantErr(t, "update", failed, errOnPurpose)

	update(t, s, func(tx idstore.Tx) error {
		if err := idstore.SetCursor(tx, "kept", "\x00 place"); err != nil {
			return err
		}
		return errors.Join(idstore.SetCursor(tx, "dropped", "x"), idstore.SetCursor(tx, "dropped", ""))
	})

	for range 2 {
		s = reopen()
		view(t, s, func(tx idstore.Tx) error {
			for name, want := range map[string]string{"kept": "\x00 place", "dropped": "", "other": ""} {
				if got, err := idstore.Cursor(tx, name); got != want || err != nil {
					t.Errorf("the cursor %q is %q, %v, want %q", name, got, err, want)
				}
			}
			return nil
		})
		for _, want := range []struct {
			scope idstore.Scope
			idstore.Record
		}{{users, person}, {private, made}} {
			got, err := resolve(s, want.scope, publicID(t, want.Record, want.scope.IDs))
			if err != nil || !reflect.DeepEqual(got, want.Record) {
				t.Errorf("resolve: %+v, %v, want %+v", got, err, want.Record)
			}
		}
		_, err := resolve(s, users, publicID(t, gone, ""))
		wantErr(t, "deleted", err, idstore.ErrGone)
		view(t, s, func(tx idstore.Tx) error {
			n := 0
			for in, err := range idstore.Intents(tx) {
				if err != nil || !reflect.DeepEqual(in, pending) {
					t.Errorf("intent %+v, %v, want %+v", in, err, pending)
				}
				n++
			}
			found, err := idstore.ByExternalID(tx, private, "x1")
			if n != 1 || len(found) != 1 || !reflect.DeepEqual(found[0], made) {
				t.Errorf("%d intents; by externalId %+v", n, found)
			}
			if err != nil {
				return err
			}
			_, missing, err := idstore.ByAnchors(tx, users, []idstore.Anchor{anchor(1), anchor(2), anchor(3), anchor("failed")})
			if !reflect.DeepEqual(missing, []int{1, 2, 3}) {
				t.Errorf("missing %v", missing)
			}
			return err
		})
		if fresh := adopt(t, s, users, anchor(t.Name()))[0]; fresh.Entity <= pending.Entity {
			t.Errorf("entity %d was given out again", fresh.Entity)
		}
	}
}
