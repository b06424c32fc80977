package idstoretest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/idstore"
)

// testIdentity tells the stories that the model tells at random, by name.
func testIdentity(t *testing.T, open Open) {
	at := time.UnixMilli(1_800_000_000_000).UTC()
	note := idstore.Note{Who: "ann", Why: "a test", When: at}
	do := func(t *testing.T, s idstore.Store, fn func(idstore.Tx) (idstore.Operation, error)) (o idstore.Operation) {
		t.Helper()
		update(t, s, func(tx idstore.Tx) (err error) { o, err = fn(tx); return err })
		return o
	}
	refused := func(t *testing.T, s idstore.Store, want error, says string, fn func(idstore.Tx) (idstore.Operation, error)) {
		t.Helper()
		before, err := export(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(t.Context(), func(tx idstore.Tx) error { _, err := fn(tx); return err })
		if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %v that says %q", err, want, says)
		}
		if after, err := export(t.Context(), s); err != nil || after != before {
			t.Errorf("something changed: %v\n%s\nwas\n%s", err, after, before)
		}
	}
	call := func(t *testing.T, s idstore.Store, scope idstore.Scope, e idstore.EntityID, value string) (r idstore.Record) {
		t.Helper()
		update(t, s, func(tx idstore.Tx) (err error) {
			r, err = idstore.SetExternalID(tx, scope, e, value)
			return err
		})
		return r
	}
	merge := func(from, into idstore.EntityID, left idstore.Action) func(idstore.Tx) (idstore.Operation, error) {
		return func(tx idstore.Tx) (idstore.Operation, error) {
			return idstore.Merge(tx, from, into, idstore.MergeOptions{Leftover: left, Note: note})
		}
	}
	undo := func(e idstore.EntityID) func(idstore.Tx) (idstore.Operation, error) {
		return func(tx idstore.Tx) (idstore.Operation, error) { return idstore.Undo(tx, e, note) }
	}

	t.Run("merge and undo", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2))
		p[0] = call(t, s, users, p[0].Entity, "x1")
		adopt(t, s, private, anchor(1)) // a pairwise id that the other does not have
		p[1] = call(t, s, users, p[1].Entity, "x2")
		before, err := export(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		o := do(t, s, merge(p[0].Entity, p[1].Entity, idstore.ActionKeep))
		if !o.Done() || o.ID == 0 || o.Note != note {
			t.Errorf("operation %+v", o)
		}
		old, shown := publicID(t, p[0], ""), publicID(t, p[1], "")
		r, err := resolve(s, users, old)
		if err != nil || r.Entity != p[1].Entity || publicID(t, r, "") != shown || r.Anchor() != anchor(2) || r.ExternalID("okta") != "x2" {
			t.Errorf("by the old id: %+v, %v", r, err)
		}
		if pairwise := publicID(t, r, "lab"); pairwise == old || pairwise == shown {
			t.Errorf("the id of the other domain did not become primary: %+v", r)
		}
		view(t, s, func(tx idstore.Tx) error {
			for _, value := range []string{"x1", "x2"} {
				found, err := idstore.ByExternalID(tx, users, value)
				all, err2 := idstore.FindExternalID(tx, value)
				if len(found) != 1 || !reflect.DeepEqual(found[0], r) || !reflect.DeepEqual(all, found) || errors.Join(err, err2) != nil {
					t.Errorf("by externalId %q: %+v and %+v, %v, %v", value, found, all, err, err2)
				}
			}
			found, err := idstore.FindAnchor(tx, anchor(1))
			if !reflect.DeepEqual(found, r) {
				t.Errorf("by the secondary link: %+v", found)
			}
			return err
		})
		if r = call(t, s, users, r.Entity, "x1"); r.ExternalID("okta") != "x1" || len(r.ExternalIDs) != 2 {
			t.Errorf("the other externalId chosen: %+v", r)
		}
		refused(t, s, idstore.ErrChanged, `externalId "x2" in domain "okta" changed its rank`, undo(p[0].Entity))
		call(t, s, users, r.Entity, "x2")
		if undone := do(t, s, undo(p[0].Entity)); undone.Undoes != o.ID {
			t.Errorf("undone %+v", undone)
		}
		after, err := export(t.Context(), s)
		if err != nil || entityLines(after) != entityLines(before) {
			t.Errorf("after the undo, %v:\n%s\nwas\n%s", err, after, before)
		}
		refused(t, s, idstore.ErrNotFound, "take back", undo(p[0].Entity))
	})

	t.Run("leftovers", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2), anchor(3))
		o := do(t, s, merge(p[0].Entity, p[1].Entity, idstore.ActionDelete))
		refused(t, s, idstore.ErrBusy, "finish or cancel it first", merge(p[1].Entity, p[2].Entity, idstore.ActionKeep))
		var held, taken []idstore.Work
		update(t, s, func(tx idstore.Tx) error {
			w, ok, err := idstore.WorkFor(tx, anchor(1))
			if err != nil || !ok {
				t.Errorf("no work: %v", err)
				return err
			}
			if _, err = idstore.HoldWork(tx, w.ID); err != nil {
				return err
			}
			if held, err = idstore.TakeWork(tx, at, time.Minute, 5); err != nil {
				return err
			}
			if _, err = idstore.ReleaseWork(tx, w.ID, at); err != nil {
				return err
			}
			taken, err = idstore.TakeWork(tx, at, time.Minute, 5)
			return err
		})
		if len(held) > 0 {
			t.Errorf("took what was held: %+v", held)
		}
		if len(taken) != 1 || taken[0].Anchor != anchor(1) || taken[0].Operation != o.ID || o.Done() {
			t.Fatalf("took %+v of %+v", taken, o)
		}
		refused(t, s, idstore.ErrBusy, "under way", undo(p[1].Entity))
		update(t, s, func(tx idstore.Tx) error { return idstore.FinishWork(tx, taken[0].ID, at) })
		wantErr(t, "finish again", s.Update(t.Context(), func(tx idstore.Tx) error { return idstore.FinishWork(tx, taken[0].ID, at) }), idstore.ErrNotFound)
		view(t, s, func(tx idstore.Tx) error {
			o, err := idstore.OperationByID(tx, o.ID)
			if !o.Done() || o.Leftovers[0].State != idstore.LeftoverDone || !o.Leftovers[0].At.Equal(at) {
				t.Errorf("operation %+v", o)
			}
			return err
		})
		refused(t, s, idstore.ErrNotFound, "", func(tx idstore.Tx) (idstore.Operation, error) {
			_, err := idstore.Queue(tx, anchor(1), idstore.ActionDelete, at)
			return idstore.Operation{}, err
		})
		// The link that the work took comes back with the undo, for the object that may come back.
		do(t, s, undo(p[1].Entity))
		view(t, s, func(tx idstore.Tx) error {
			for _, was := range p[:2] {
				is, err := idstore.Entity(tx, was.Entity)
				if err != nil || !slices.Equal(is.Links, was.Links) || !slices.Equal(is.IDs, was.IDs) {
					t.Errorf("after the undo there is %+v, want %+v: %v", is, was, err)
				}
			}
			return nil
		})
	})

	t.Run("split", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2), anchor(5), anchor(6))
		call(t, s, users, p[2].Entity, "x1")
		call(t, s, users, p[3].Entity, "x2")
		do(t, s, merge(p[2].Entity, p[3].Entity, idstore.ActionKeep))
		parted := do(t, s, func(tx idstore.Tx) (idstore.Operation, error) {
			return idstore.Split(tx, p[3].Entity, idstore.SplitOptions{
				Links: []idstore.Anchor{anchor(5)}, IDs: []idstore.PublicID{publicID(t, p[2], "")},
				ExternalIDs: []idstore.ExternalID{{Domain: "okta", Value: "x1"}}, Note: note,
			})
		})
		for i, want := range []string{"x2", "x1"} {
			half := parted.Changes[i].After
			if half.ExternalID("okta") != want || publicID(t, half, "") != publicID(t, p[3-i], "") || half.Anchor() != anchor(6-i) {
				t.Errorf("half %d is %+v", i, half)
			}
		}

		do(t, s, merge(p[0].Entity, p[1].Entity, idstore.ActionKeep))
		split := func(o idstore.SplitOptions) func(idstore.Tx) (idstore.Operation, error) {
			o.Note = note
			return func(tx idstore.Tx) (idstore.Operation, error) { return idstore.Split(tx, p[1].Entity, o) }
		}
		refused(t, s, idstore.ErrInvalid, "no link would leave", split(idstore.SplitOptions{}))
		refused(t, s, idstore.ErrInvalid, "no link would stay", split(idstore.SplitOptions{Links: []idstore.Anchor{anchor(1), anchor(2)}}))
		refused(t, s, idstore.ErrInvalid, "no public id would stay", split(idstore.SplitOptions{
			Links: []idstore.Anchor{anchor(1)}, IDs: []idstore.PublicID{publicID(t, p[0], ""), publicID(t, p[1], "")}}))
		refused(t, s, idstore.ErrNotFound, "not linked", split(idstore.SplitOptions{Links: []idstore.Anchor{anchor(3)}}))
		refused(t, s, idstore.ErrNotFound, "does not name it", split(idstore.SplitOptions{Links: []idstore.Anchor{anchor(1)}, IDs: []idstore.PublicID{{1}}}))
		refused(t, s, idstore.ErrNotFound, "not called", split(idstore.SplitOptions{Links: []idstore.Anchor{anchor(1)}, ExternalIDs: []idstore.ExternalID{{Value: "x"}}}))
		o := do(t, s, split(idstore.SplitOptions{Links: []idstore.Anchor{anchor(1)}}))
		fresh := adopt(t, s, users, anchor(1))[0]
		if fresh.Entity != o.Changes[1].Entity() || publicID(t, fresh, "") == publicID(t, p[0], "") {
			t.Errorf("the new entity %+v of %+v", fresh, o)
		}
		refused(t, s, idstore.ErrChanged, "came", undo(p[1].Entity))
	})

	t.Run("relink", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2))
		relink := func(before, now idstore.Anchor, absorb bool) func(idstore.Tx) (idstore.Operation, error) {
			return func(tx idstore.Tx) (idstore.Operation, error) {
				return idstore.Relink(tx, p[0].Entity, before, now, idstore.RelinkOptions{Absorb: absorb, Note: note})
			}
		}
		refused(t, s, idstore.ErrNotFound, "not linked", relink(anchor(3), anchor(4), false))
		refused(t, s, idstore.ErrInvalid, "to itself", relink(anchor(1), anchor(1), false))
		refused(t, s, idstore.ErrInvalid, "needs a backend", relink(anchor(1), idstore.Anchor{}, false))
		refused(t, s, idstore.ErrTaken, "", relink(anchor(1), anchor(2), false))
		call(t, s, users, p[1].Entity, "x")
		refused(t, s, idstore.ErrTaken, "has an externalId", relink(anchor(1), anchor(2), true))
		call(t, s, users, p[1].Entity, "")
		do(t, s, relink(anchor(1), anchor(2), true))
		for _, r := range p {
			got, err := resolve(s, users, publicID(t, r, ""))
			if err != nil || got.Entity != p[0].Entity || got.Anchor() != anchor(2) || publicID(t, got, "") != publicID(t, p[0], "") {
				t.Errorf("after the relink: %+v, %v", got, err)
			}
		}
		do(t, s, relink(anchor(2), idstore.Anchor{Backend: "new", Key: "k"}, false))
	})

	t.Run("removal of ids", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2))
		do(t, s, merge(p[0].Entity, p[1].Entity, idstore.ActionKeep))
		remove := func(id idstore.PublicID) func(idstore.Tx) (idstore.Operation, error) {
			return func(tx idstore.Tx) (idstore.Operation, error) { return idstore.RemoveID(tx, users, id, note) }
		}
		old, shown := publicID(t, p[0], ""), publicID(t, p[1], "")
		do(t, s, remove(shown))
		_, err := resolve(s, users, shown)
		wantErr(t, "the id that went", err, idstore.ErrGone)
		if r, err := resolve(s, users, old); err != nil || publicID(t, r, "") != old {
			t.Errorf("the alias did not become primary: %+v, %v", r, err)
		}
		refused(t, s, idstore.ErrGone, "", remove(shown))
		refused(t, s, idstore.ErrInvalid, "the last one", remove(old))
		do(t, s, undo(p[1].Entity))
		if r, err := resolve(s, users, shown); err != nil || publicID(t, r, "") != shown {
			t.Errorf("after the undo: %+v, %v", r, err)
		}
	})

	t.Run("delete and undo", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1))[0]
		remove(t, s, users, p.Entity)
		view(t, s, func(tx idstore.Tx) error {
			_, err := idstore.FindID(tx, publicID(t, p, ""))
			wantErr(t, "find", err, idstore.ErrGone)
			return nil
		})
		do(t, s, undo(p.Entity))
		if r, err := resolve(s, users, publicID(t, p, "")); err != nil || !reflect.DeepEqual(r, p) {
			t.Errorf("back: %+v, %v, want %+v", r, err, p)
		}
		remove(t, s, users, p.Entity)
		adopt(t, s, users, anchor(1)) // the object came back and was seen first
		refused(t, s, idstore.ErrTaken, "the object", undo(p.Entity))
	})

	t.Run("refusals", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2))
		group := adopt(t, s, groups, anchor(3))[0]
		refused(t, s, idstore.ErrInvalid, "with itself", merge(p[0].Entity, p[0].Entity, idstore.ActionKeep))
		refused(t, s, idstore.ErrInvalid, "a merge of a User into a Group", merge(p[0].Entity, group.Entity, idstore.ActionKeep))
		refused(t, s, idstore.ErrInvalid, "", merge(p[0].Entity, p[1].Entity, 99))
		refused(t, s, idstore.ErrNotFound, "", merge(p[0].Entity, 1<<40, idstore.ActionKeep))
		refused(t, s, idstore.ErrNotFound, "", undo(p[0].Entity))
		begin(t, s, idstore.Intent{Kind: idstore.Rename, Scope: users, Entity: p[0].Entity})
		refused(t, s, idstore.ErrBusy, "an intent to rename", merge(p[0].Entity, p[1].Entity, idstore.ActionKeep))
		refused(t, s, idstore.ErrBusy, "an intent to rename", merge(p[1].Entity, p[0].Entity, idstore.ActionKeep))
	})

	t.Run("records in order", func(t *testing.T) {
		s, _ := open(t)
		p := adopt(t, s, users, anchor(1), anchor(2), anchor(3))
		view(t, s, func(tx idstore.Tx) error {
			for after, want := range map[idstore.EntityID][]idstore.Record{0: p, p[0].Entity: p[1:], p[2].Entity: nil} {
				var got []idstore.Record
				for r, err := range idstore.Records(tx, after) {
					if err != nil {
						return err
					}
					got = append(got, r)
				}
				if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
					t.Errorf("after %d: %+v, want %+v", after, got, want)
				}
			}
			return nil
		})
	})
}

// entityLines are the lines of an export that say what there is and not what was done.
func entityLines(text string) string {
	var kept []string
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, `{"entity"`) || strings.HasPrefix(l, `{"spentId"`) {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "")
}
