package idstore_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"postern/idstore"
	"postern/idstore/memory"
)

var errTakeBack = errors.New("on purpose")

// everything fills a store with rows of all kinds: entities 1 to 6, of which 2 went into 1, 5 was deleted; two intents, an
// operation that was taken back, and work.
func everything(t testing.TB, s idstore.Store) {
	t.Helper()
	users := idstore.Scope{Type: "User", Externals: "okta"}
	anchor := func(key string) idstore.Anchor { return idstore.Anchor{Backend: "ad", Key: key} }
	err := s.Update(t.Context(), func(tx idstore.Tx) error {
		records, err := idstore.Adopt(tx, users, []idstore.Anchor{anchor("a"), anchor("b"), anchor("c"), anchor("\xff\x00"), anchor("e")})
		if err != nil {
			return err
		}
		for _, r := range records[:4] {
			if _, err := idstore.SetExternalID(tx, users, r.Entity, "x-"+r.Links[0].Key); err != nil {
				return err
			}
		}
		note := idstore.Note{Who: "ann", Why: "one person", When: time.UnixMilli(1_800_000_000_123)}
		_, err = idstore.Merge(tx, 2, 1, idstore.MergeOptions{Leftover: idstore.ActionDisable, Note: note})
		if err == nil {
			_, err = idstore.Relink(tx, 3, anchor("c"), anchor("c2"), idstore.RelinkOptions{Note: note})
		}
		if err == nil {
			_, err = idstore.Undo(tx, 3, note)
		}
		var gone, create idstore.Intent
		if err == nil {
			gone, err = idstore.Begin(tx, idstore.Intent{Kind: idstore.Delete, Scope: users, Entity: 5, Who: "okta"})
		}
		if err == nil {
			err = idstore.Remove(tx, gone.ID)
		}
		if err == nil {
			create, err = idstore.Begin(tx, idstore.Intent{Kind: idstore.Create, Scope: users, Backend: "ad", Name: "cn=new", ExternalID: "x-new"})
		}
		if err == nil && create.Entity != 6 {
			t.Errorf("the creation is of entity %d", create.Entity)
		}
		if err == nil {
			_, err = idstore.Begin(tx, idstore.Intent{Kind: idstore.Rename, Scope: users, Entity: 4, Backend: "ad", Name: "cn=other"})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func damages(tx idstore.Tx) (all []string, sum idstore.Checked, err error) {
	sum, err = idstore.Check(tx, func(d idstore.Damage) error {
		all = append(all, d.String())
		return nil
	})
	return all, sum, err
}

// TestCheck plants damages of each kind, each in a sound store, and sees them found.
func TestCheck(t *testing.T) {
	s, err := memory.Open()
	if err != nil {
		t.Fatal(err)
	}
	everything(t, s)
	first := func(tx idstore.Tx, table idstore.Table) idstore.Row {
		row, err := tx.Seek(table, nil)
		if err != nil || row.Key == nil {
			t.Fatalf("no row in %s: %v", table, err)
		}
		return idstore.Row{Key: bytes.Clone(row.Key), Value: bytes.Clone(row.Value)}
	}
	drop := func(table idstore.Table) func(idstore.Tx) error {
		return func(tx idstore.Tx) error { return tx.Delete(table, first(tx, table).Key) }
	}
	spoil := func(table idstore.Table) func(idstore.Tx) error {
		return func(tx idstore.Tx) error { return tx.Put(table, first(tx, table).Key, []byte{9, 9}) }
	}
	add := func(table idstore.Table, key ...byte) func(idstore.Tx) error {
		return func(tx idstore.Tx) error { return tx.Put(table, key, []byte{1}) }
	}
	// change rewrites a record and not its indexes.
	change := func(e idstore.EntityID, fn func(*idstore.Record)) func(idstore.Tx) error {
		return func(tx idstore.Tx) error {
			r, err := idstore.Entity(tx, e)
			if err != nil {
				return err
			}
			fn(&r)
			return idstore.RewriteRecord(tx, r)
		}
	}
	for _, test := range []struct {
		name  string
		plant func(idstore.Tx) error
		want  string
	}{
		{"sound", func(idstore.Tx) error { return nil }, ""},
		{"a name twice", func(tx idstore.Tx) error {
			row := first(tx, idstore.TableNames)
			return tx.Put(idstore.TableNames, append(row.Key, 'x'), row.Value)
		}, "another name has the number 1"},
		{"a name without a number", spoil(idstore.TableNames), "no sound number"},
		{"a record is lost", drop(idstore.TableEntities), "a posting leads to entity 1, which is missing"},
		{"a record is unreadable", spoil(idstore.TableEntities), "the row of an entity can not be read"},
		{"the key of a record", add(idstore.TableEntities, 7, 7), "the key of an entity can not be read"},
		{"the counter of entities", func(tx idstore.Tx) error { return tx.Put(idstore.TableMeta, []byte("entity"), []byte{3}) }, "number 4, the greatest that was given out is 3"},
		{"the count of merged entities", func(tx idstore.Tx) error { return tx.Put(idstore.TableMeta, []byte("merged"), []byte{7}) }, "and there are said to be 7"},
		{"no link", change(1, func(r *idstore.Record) { r.Links = nil }), "no link"},
		{"a link twice", change(1, func(r *idstore.Record) { r.Links = append(r.Links, r.Links[0]) }), "a link twice"},
		{"two primary ids", change(1, func(r *idstore.Record) { r.IDs[1].Alias = false }), "2 primary ids"},
		{"no primary id", change(1, func(r *idstore.Record) { r.IDs[0].Alias = true }), "0 primary ids"},
		{"two externalIds shown", change(1, func(r *idstore.Record) { r.ExternalIDs[1].Alias = false }), "shows several externalIds"},
		{"another id", change(3, func(r *idstore.Record) { r.IDs[0].Public[0]++ }), "the index publicIds leads to it 0 times"},
		{"an id too few", change(1, func(r *idstore.Record) { r.IDs = r.IDs[:1] }), "publicIds"},
		{"another anchor", change(3, func(r *idstore.Record) { r.Links[0].Key = "z" }), "the index anchors leads to it 0 times"},
		{"another externalId", change(3, func(r *idstore.Record) { r.ExternalIDs[0].Value = "z" }), "the index externalIds leads to it 0 times"},
		{"an id of two", func(tx idstore.Tx) error {
			one, err := idstore.Entity(tx, 1)
			if err != nil {
				return err
			}
			return change(3, func(r *idstore.Record) { r.IDs[0].Public = one.IDs[0].Public })(tx)
		}, "names another entity too"},
		{"an anchor of two", change(3, func(r *idstore.Record) { r.Links[0].Key = "a" }), "is linked to another entity too"},
		{"a public id is buried alive", func(tx idstore.Tx) error {
			r, err := idstore.Entity(tx, 1)
			if err != nil {
				return err
			}
			return tx.Put(idstore.TableSpentIDs, r.IDs[0].Public[:], []byte{1})
		}, "names an entity and is spent"},
		{"the index of public ids", drop(idstore.TablePublicIDs), "the index publicIds leads to it 0 times"},
		{"the index of anchors", drop(idstore.TableAnchors), "the index anchors leads to it 0 times"},
		{"the index of externalIds", drop(idstore.TableExternals), "the index externalIds leads to it 0 times"},
		{"the row of an index", spoil(idstore.TableAnchors), "anchors"},
		{"postings out of order", func(tx idstore.Tx) error {
			row := first(tx, idstore.TableAnchors)
			n := idstore.PostingSize
			return tx.Put(idstore.TableAnchors, row.Key, append(bytes.Clone(row.Value[n:]), row.Value[:n]...))
		}, "a posting is out of order"},
		{"a count", func(tx idstore.Tx) error {
			value, err := tx.Get(idstore.TableMeta, []byte("anchors"))
			if err != nil {
				return err
			}
			value = bytes.Clone(value)
			value[0]++
			return tx.Put(idstore.TableMeta, []byte("anchors"), value)
		}, "is said to have"},
		{"a tombstone is unreadable", spoil(idstore.TableSpentIDs), "the row of a spent id can not be read"},
		{"the key of a tombstone", add(idstore.TableSpentIDs, 1), "no public id"},
		{"a reservation for nobody", add(idstore.TableSpentIDs, bytes.Repeat([]byte{7}, 16)...), "is reserved for no intent"},
		{"an intent is lost", drop(idstore.TableIntents), "leads to nothing that has it"},
		{"an intent is unreadable", spoil(idstore.TableIntents), "the row of an intent can not be read"},
		{"a key of an intent", drop(idstore.TableIntentKeys), "is missing in intentKeys"},
		{"a key of no intent", add(idstore.TableIntentKeys, 'e', 1, 9, 1, 9), "leads to nothing that has it"},
		{"a reservation is lost", func(tx idstore.Tx) error {
			for in, err := range idstore.Intents(tx) {
				if err != nil || in.Kind != idstore.Create {
					continue
				}
				return tx.Delete(idstore.TableSpentIDs, in.Public[:])
			}
			return errors.New("no intent to create")
		}, "is not reserved"},
		{"an operation is lost", drop(idstore.TableHistory), "leads to nothing that has it"},
		{"an undo is lost", func(tx idstore.Tx) error {
			for o, err := range idstore.History(tx, 0) {
				if err == nil && o.Kind == idstore.OperationUndo {
					return tx.Delete(idstore.TableHistory, idstore.OperationKey(o.ID))
				}
			}
			return errors.New("no undo")
		}, "does not know that"},
		{"an operation is unreadable", spoil(idstore.TableHistory), "the row of an operation can not be read"},
		{"a key of an operation", drop(idstore.TableHistoryKeys), "is missing in historyKeys"},
		{"a key of no operation", add(idstore.TableHistoryKeys, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1), "leads to nothing that has it"},
		{"work is lost", drop(idstore.TableWork), "no work is queued"},
		{"work is unreadable", spoil(idstore.TableWork), "the row of work can not be read"},
		{"a key of work", drop(idstore.TableWorkKeys), "is missing in workKeys"},
		{"a key of no work", add(idstore.TableWorkKeys, 'd', 0, 0, 0, 0, 0, 0, 0, 1, 1, 9), "leads to nothing that has it"},
		{"work for nothing", change(1, func(r *idstore.Record) { r.Links = r.Links[:1] }), "no entity is linked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := s.Update(t.Context(), func(tx idstore.Tx) error {
				if err := test.plant(tx); err != nil {
					return err
				}
				found, sum, err := damages(tx)
				if err != nil {
					return err
				}
				if test.want == "" {
					want := idstore.Checked{Entities: 3, PublicIDs: 4, Anchors: 4, ExternalIDs: 4, SpentIDs: 2, Intents: 2, Operations: 4, Work: 1}
					if len(found) > 0 || sum != want {
						t.Errorf("found %q, %+v, want %+v", found, sum, want)
					}
				} else if !strings.Contains(strings.Join(found, "\n"), test.want) || sum.Damages != len(found) {
					t.Errorf("found %q, want %q", found, test.want)
				}
				return errTakeBack
			})
			if !errors.Is(err, errTakeBack) {
				t.Error(err)
			}
		})
	}
}

// TestCheckStops: whoever is told of a damage may end the walk.
func TestCheckStops(t *testing.T) {
	inTx(t, func(tx idstore.Tx) error {
		for key := range byte(3) {
			if err := tx.Put(idstore.TableSpentIDs, []byte{key}, []byte{1}); err != nil {
				return err
			}
		}
		sum, err := idstore.Check(tx, func(idstore.Damage) error { return idstore.ErrCorrupt })
		if !errors.Is(err, idstore.ErrCorrupt) || sum.Damages != 1 {
			t.Errorf("%+v, %v", sum, err)
		}
		return nil
	})
}
