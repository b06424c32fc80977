package idstoretest

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"postern/idstore"
)

// testRetire deletes an entity whose objects are kept: nobody sees them, whatever is done, until the deletion is undone.
func testRetire(t *testing.T, open Open) {
	s, reopen := open(t)
	records := adopt(t, s, users, anchor(1), anchor(2))
	adopt(t, s, private, anchor(1))
	kept, other := records[0], records[1]
	note := idstore.Note{Who: "ann", When: time.UnixMilli(1_800_000_000_000).UTC()}
	update(t, s, func(tx idstore.Tx) (err error) {
		if kept, err = idstore.SetExternalID(tx, users, kept.Entity, "x"); err != nil {
			return err
		}
		in, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Retire, Scope: users, Entity: kept.Entity, Backend: "directory", Who: "ann"})
		if err != nil {
			return err
		}
		if len(in.Anchors) != 1 || in.Anchors[0] != anchor(1) {
			t.Errorf("the intent is about %+v", in.Anchors)
		}
		return idstore.Remove(tx, in.ID)
	})
	if reopen != nil {
		s = reopen()
	}
	gone := idstore.Record{Entity: kept.Entity, Type: "User", Links: kept.Links, Created: kept.Created, Retired: true}
	check := func() {
		t.Helper()
		for _, id := range kept.IDs {
			_, err := resolve(s, idstore.Scope{Type: "User", IDs: id.Domain}, id.Public)
			wantErr(t, "the id of what is retired", err, idstore.ErrGone)
		}
		for _, scope := range []idstore.Scope{users, private, groups} {
			if again := adopt(t, s, scope, anchor(1)); !reflect.DeepEqual(again[0], gone) {
				t.Errorf("seen again in %+v: %+v", scope, again[0])
			}
		}
		view(t, s, func(tx idstore.Tx) error {
			references, missing, err := idstore.References(tx, users, []idstore.Anchor{anchor(1), anchor(2)})
			if err != nil || len(missing) > 0 || !references[0].Public.IsZero() || references[1].Public.IsZero() {
				t.Errorf("references %+v, missing %v, %v", references, missing, err)
			}
			listed, err := idstore.Listed(tx, []idstore.Anchor{anchor(1), anchor(2), anchor(3)})
			if n, err := idstore.Merged(tx); err != nil || n != 1 || !reflect.DeepEqual(listed, []bool{false, true, true}) {
				t.Errorf("listed %v of %d special ones, %v", listed, n, err)
			}
			if found, err := idstore.ByExternalID(tx, users, "x"); err != nil || len(found) > 0 {
				t.Errorf("by externalId: %+v, %v", found, err)
			}
			_, err = idstore.Check(tx, func(d idstore.Damage) error { t.Error(d); return nil })
			return err
		})
	}
	check()
	for what, fn := range map[string]func(idstore.Tx) error{
		"merge from": func(tx idstore.Tx) error {
			_, err := idstore.Merge(tx, kept.Entity, other.Entity, idstore.MergeOptions{})
			return err
		},
		"merge into": func(tx idstore.Tx) error {
			_, err := idstore.Merge(tx, other.Entity, kept.Entity, idstore.MergeOptions{})
			return err
		},
		"relink": func(tx idstore.Tx) error {
			_, err := idstore.Relink(tx, kept.Entity, anchor(1), anchor(4), idstore.RelinkOptions{})
			return err
		},
	} {
		wantErr(t, what, s.Update(t.Context(), fn), idstore.ErrInvalid)
	}
	for what, fn := range map[string]func(idstore.Tx) error{
		"relink to it": func(tx idstore.Tx) error {
			_, err := idstore.Relink(tx, other.Entity, anchor(2), anchor(1), idstore.RelinkOptions{Absorb: true})
			return err
		},
		"adopt it as": func(tx idstore.Tx) error {
			_, err := idstore.AdoptAs(tx, users, anchor(1), idstore.PublicID{1}, "")
			return err
		},
	} {
		wantErr(t, what, s.Update(t.Context(), fn), idstore.ErrTaken)
	}
	_, err := resolve(s, users, publicID(t, other, ""))
	wantErr(t, "the other", err, nil)

	// It is told in an export, and read again.
	text, err := export(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := open(t)
	update(t, fresh, func(tx idstore.Tx) error {
		_, err := idstore.Import(tx, bytes.NewReader([]byte(text)))
		return err
	})
	if again, err := export(t.Context(), fresh); err != nil || again != text {
		t.Errorf("imported %s, of %s, %v", again, text, err)
	}
	s = fresh
	check()

	update(t, s, func(tx idstore.Tx) error {
		o, err := idstore.Undo(tx, kept.Entity, note)
		if err == nil && !reflect.DeepEqual(o.Changes[0].After.IDs[0], kept.IDs[0]) {
			t.Errorf("undone: %+v", o)
		}
		return err
	})
	if r, err := resolve(s, users, kept.IDs[0].Public); err != nil || r.Retired || r.ExternalID("okta") != "x" {
		t.Errorf("after the undo: %+v, %v", r, err)
	}
	view(t, s, func(tx idstore.Tx) error {
		if n, err := idstore.Merged(tx); err != nil || n != 0 {
			t.Errorf("%d special ones are left, %v", n, err)
		}
		_, err := idstore.Check(tx, func(d idstore.Damage) error { t.Error(d); return nil })
		return err
	})
}
