package idstoretest

import (
	"reflect"
	"strings"
	"testing"

	"postern/idstore"
)

func testIntents(t *testing.T, open Open) {
	create := idstore.Intent{Kind: idstore.Create, Scope: users, Backend: "directory", Name: "uid=ann", ExternalID: "x1"}
	openIntents := func(t *testing.T, s idstore.Store) (open []idstore.Intent) {
		view(t, s, func(tx idstore.Tx) error {
			for in, err := range idstore.Intents(tx) {
				if err != nil {
					return err
				}
				open = append(open, in)
			}
			return nil
		})
		return open
	}
	fails := func(t *testing.T, s idstore.Store, what string, want error, fn func(idstore.Tx) error) {
		t.Helper()
		before := openIntents(t, s)
		wantErr(t, what, s.Update(t.Context(), fn), want)
		if after := openIntents(t, s); !reflect.DeepEqual(after, before) {
			t.Errorf("%s: open intents %+v, were %+v", what, after, before)
		}
	}

	t.Run("create", func(t *testing.T) {
		s, _ := open(t)
		in := begin(t, s, create)
		if in.ID == 0 || in.Entity == 0 || in.Public.IsZero() || in.Begun.IsZero() {
			t.Fatalf("intent %+v", in)
		}
		if got := openIntents(t, s); !reflect.DeepEqual(got, []idstore.Intent{in}) {
			t.Errorf("open intents %+v, want %+v", got, in)
		}
		_, err := resolve(s, users, in.Public)
		wantErr(t, "a reserved id", err, idstore.ErrNotFound)
		r := bind(t, s, in.ID, anchor(1))
		if r.Entity != in.Entity || publicID(t, r, "") != in.Public || r.ExternalID("okta") != "x1" || r.Anchor() != anchor(1) || r.Type != "User" {
			t.Errorf("record %+v of intent %+v", r, in)
		}
		if got, err := resolve(s, users, in.Public); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("resolve: %+v, %v", got, err)
		}
		if got := adopt(t, s, users, anchor(1))[0]; !reflect.DeepEqual(got, r) {
			t.Errorf("seen: %+v", got)
		}
		if got := openIntents(t, s); len(got) > 0 {
			t.Errorf("still open: %+v", got)
		}
		fails(t, s, "bind again", idstore.ErrNotFound, func(tx idstore.Tx) error {
			_, err := idstore.Bind(tx, in.ID, anchor(1))
			return err
		})
	})

	t.Run("drop", func(t *testing.T) {
		s, _ := open(t)
		in := begin(t, s, create)
		update(t, s, func(tx idstore.Tx) error { return idstore.Drop(tx, in.ID) })
		if got := openIntents(t, s); len(got) > 0 {
			t.Errorf("still open: %+v", got)
		}
		_, err := resolve(s, users, in.Public)
		wantErr(t, "the id", err, idstore.ErrNotFound)
		if later := begin(t, s, create); later.Entity <= in.Entity || later.ID <= in.ID {
			t.Errorf("intent %+v after %+v", later, in)
		}
		fails(t, s, "drop again", idstore.ErrNotFound, func(tx idstore.Tx) error { return idstore.Drop(tx, in.ID) })
	})

	t.Run("a chosen id", func(t *testing.T) {
		s, _ := open(t)
		chosen := create
		chosen.Public, _ = idstore.ParsePublicID("2819c223-7f76-453a-919d-413861904646")
		in := begin(t, s, chosen)
		taken := func(when string) {
			t.Helper()
			fails(t, s, when, idstore.ErrTaken, func(tx idstore.Tx) error {
				_, err := idstore.Begin(tx, chosen)
				return err
			})
		}
		taken("while reserved")
		r := bind(t, s, in.ID, anchor(1))
		if publicID(t, r, "") != chosen.Public {
			t.Errorf("id %s", publicID(t, r, ""))
		}
		taken("while in use")
		remove(t, s, users, r.Entity)
		taken("after deletion")
	})

	t.Run("adopted before bound", func(t *testing.T) {
		s, _ := open(t)
		in := begin(t, s, create)
		seen := adopt(t, s, users, anchor(1))[0]
		r := bind(t, s, in.ID, anchor(1))
		if r.Entity != seen.Entity || publicID(t, r, "") != publicID(t, seen, "") || len(r.IDs) != 1 || r.ExternalID("okta") != "x1" {
			t.Errorf("record %+v, adopted %+v", r, seen)
		}
		_, err := resolve(s, users, in.Public)
		wantErr(t, "the reserved id", err, idstore.ErrNotFound)
		if len(openIntents(t, s)) > 0 {
			t.Error("the intent is still open")
		}
	})

	t.Run("adopted by another domain before bound", func(t *testing.T) {
		s, _ := open(t)
		pairwise := create
		pairwise.Scope = private
		in := begin(t, s, pairwise)
		seen := adopt(t, s, users, anchor(1))[0]
		r := bind(t, s, in.ID, anchor(1))
		if r.Entity != seen.Entity || publicID(t, r, "lab") != in.Public || publicID(t, r, "") != publicID(t, seen, "") {
			t.Errorf("record %+v, adopted %+v", r, seen)
		}
		for scope, id := range map[idstore.Scope]idstore.PublicID{private: in.Public, users: publicID(t, seen, "")} {
			if got, err := resolve(s, scope, id); err != nil || !reflect.DeepEqual(got, r) {
				t.Errorf("resolve: %+v, %v", got, err)
			}
		}
	})

	t.Run("taken", func(t *testing.T) {
		s, _ := open(t)
		adopt(t, s, users, anchor(1))
		in := begin(t, s, create)
		adopt(t, s, groups, anchor(2))
		for _, key := range []int{1, 2} { // an older object, and one of another type
			fails(t, s, "bind", idstore.ErrTaken, func(tx idstore.Tx) error {
				_, err := idstore.Bind(tx, in.ID, anchor(key))
				return err
			})
		}
	})

	t.Run("delete", func(t *testing.T) {
		s, _ := open(t)
		r := bind(t, s, begin(t, s, create).ID, anchor(1))
		adopt(t, s, private, anchor(1))
		id := publicID(t, r, "")
		in := begin(t, s, idstore.Intent{Kind: idstore.Delete, Scope: users, Entity: r.Entity, Public: id})
		if !reflect.DeepEqual(in.Anchors, []idstore.Anchor{anchor(1)}) {
			t.Errorf("anchors %+v", in.Anchors)
		}
		twin := begin(t, s, idstore.Intent{Kind: idstore.Delete, Scope: users, Entity: r.Entity, Public: id})
		view(t, s, func(tx idstore.Tx) error {
			found, err := idstore.IntentsForEntity(tx, r.Entity)
			if !reflect.DeepEqual(found, []idstore.Intent{in, twin}) {
				t.Errorf("intents for the entity %+v", found)
			}
			return err
		})
		if _, err := resolve(s, users, id); err != nil {
			t.Errorf("before the end: %v", err)
		}
		for _, intent := range []idstore.Intent{in, twin} {
			update(t, s, func(tx idstore.Tx) error { return idstore.Remove(tx, intent.ID) })
		}
		_, err := resolve(s, users, id)
		wantErr(t, "the id", err, idstore.ErrGone)
		_, err = resolve(s, groups, id)
		wantErr(t, "the id as a group's", err, idstore.ErrNotFound)
		_, err = resolve(s, private, id)
		wantErr(t, "the id in another domain", err, idstore.ErrNotFound)
		view(t, s, func(tx idstore.Tx) error {
			found, err := idstore.ByExternalID(tx, users, "x1")
			if len(found) > 0 {
				t.Errorf("by externalId: %+v", found)
			}
			return err
		})
		if again := adopt(t, s, users, anchor(1))[0]; again.Entity <= r.Entity || publicID(t, again, "") == id {
			t.Errorf("came back as %+v", again)
		}
		fails(t, s, "delete a missing entity", idstore.ErrNotFound, func(tx idstore.Tx) error {
			_, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Delete, Scope: users, Entity: r.Entity})
			return err
		})
	})

	t.Run("by name", func(t *testing.T) {
		s, _ := open(t)
		want := func(backend, name string, want ...idstore.Intent) {
			t.Helper()
			view(t, s, func(tx idstore.Tx) error {
				got, err := idstore.IntentsForName(tx, backend, name)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%q %q: %+v, want %+v", backend, name, got, want)
				}
				return err
			})
		}
		want("directory", "uid=ann")
		first, second := begin(t, s, create), begin(t, s, create)
		longer := create
		longer.Name += "e"
		third := begin(t, s, longer)
		r := adopt(t, s, users, anchor(1))[0]
		long := strings.Repeat("n", 5000)
		rename := begin(t, s, idstore.Intent{Kind: idstore.Rename, Scope: users, Entity: r.Entity, Backend: "directory", Name: long})
		want("directory", "uid=ann", first, second)
		want("directory", "uid=anne", third)
		want("directory", long, rename)
		want("elsewhere", "uid=ann")
		want("directory", "")
		update(t, s, func(tx idstore.Tx) error { return idstore.Drop(tx, first.ID) })
		update(t, s, func(tx idstore.Tx) error { return idstore.Drop(tx, rename.ID) })
		want("directory", "uid=ann", second)
		want("directory", long)
		if _, err := resolve(s, users, publicID(t, r, "")); err != nil {
			t.Errorf("after the rename: %v", err)
		}
	})

	t.Run("invalid", func(t *testing.T) {
		s, _ := open(t)
		in := begin(t, s, create)
		bad := func(change func(*idstore.Intent)) func(idstore.Tx) error {
			in := create
			change(&in)
			return func(tx idstore.Tx) error {
				_, err := idstore.Begin(tx, in)
				return err
			}
		}
		fails(t, s, "no kind", idstore.ErrInvalid, bad(func(in *idstore.Intent) { in.Kind = 0 }))
		fails(t, s, "no type", idstore.ErrInvalid, bad(func(in *idstore.Intent) { in.Scope.Type = "" }))
		fails(t, s, "create an entity", idstore.ErrInvalid, bad(func(in *idstore.Intent) { in.Entity = 1 }))
		fails(t, s, "bad anchor", idstore.ErrInvalid, bad(func(in *idstore.Intent) { in.Anchors = make([]idstore.Anchor, 1) }))
		fails(t, s, "long name", idstore.ErrInvalid, bad(func(in *idstore.Intent) { in.Name = strings.Repeat("n", 1<<16+1) }))
		fails(t, s, "remove a create", idstore.ErrInvalid, func(tx idstore.Tx) error { return idstore.Remove(tx, in.ID) })
		fails(t, s, "bind to nothing", idstore.ErrInvalid, func(tx idstore.Tx) error {
			_, err := idstore.Bind(tx, in.ID, idstore.Anchor{})
			return err
		})
	})
}
