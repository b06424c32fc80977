package idstoretest

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"postern/idstore"
)

func testOperations(t *testing.T, open Open) {
	t.Run("first sight", func(t *testing.T) {
		s, _ := open(t)
		records := adopt(t, s, users, anchor(1), anchor(2), anchor(1), anchor(3))
		if records[0].Entity != records[2].Entity || records[0].Entity == records[1].Entity {
			t.Errorf("entities %d %d %d", records[0].Entity, records[1].Entity, records[2].Entity)
		}
		again := adopt(t, s, users, anchor(3), anchor(4), anchor(2))
		if !reflect.DeepEqual(again[0], records[3]) || !reflect.DeepEqual(again[2], records[1]) {
			t.Errorf("seen again: %+v, %+v, were %+v, %+v", again[0], again[2], records[3], records[1])
		}
		id := publicID(t, records[1], "")
		text := id.String()
		if parsed, ok := idstore.ParsePublicID(strings.ToUpper(text)); !ok || parsed != id || text[14] != '4' || !strings.ContainsRune("89ab", rune(text[19])) {
			t.Errorf("public id %q is no random UUID in canonical form", text)
		}
		got, err := resolve(s, users, id)
		if err != nil || !reflect.DeepEqual(got, records[1]) {
			t.Errorf("resolve: %+v, %v, want %+v", got, err, records[1])
		}
		if got.Type != "User" || got.Anchor() != anchor(2) || got.Created.IsZero() {
			t.Errorf("record %+v", got)
		}
	})

	t.Run("anchors of any bytes", func(t *testing.T) {
		s, _ := open(t)
		keys := []string{"\x00", "a", "a\x00", "\xff\xfe", strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 60000),
			"c3e9b6e2-3a5e-103b-8b5a-4f1f2f3f4f5f", "C3E9B6E2-3A5E-103B-8B5A-4F1F2F3F4F5F", "00000000-0000-0000-0000-000000000000"}
		var anchors []idstore.Anchor
		for _, key := range keys {
			anchors = append(anchors, idstore.Anchor{Backend: "a", Key: key}, idstore.Anchor{Backend: "b", Key: key})
		}
		records := adopt(t, s, users, anchors...)
		seen := map[idstore.EntityID]bool{}
		for i, r := range records {
			if r.Anchor() != anchors[i] || seen[r.Entity] {
				t.Errorf("anchor %q became %q of entity %d", anchors[i], r.Anchor(), r.Entity)
			}
			seen[r.Entity] = true
			if got, err := resolve(s, users, publicID(t, r, "")); err != nil || !reflect.DeepEqual(got, r) {
				t.Errorf("resolve: %+v, %v, want %+v", got, err, r)
			}
		}
		view(t, s, func(tx idstore.Tx) error {
			references, missing, err := idstore.References(tx, users, anchors)
			for i, got := range references {
				if want := (idstore.Reference{Entity: records[i].Entity, Type: "User", Public: publicID(t, records[i], "")}); got != want {
					t.Errorf("anchor %q: %+v, want %+v", anchors[i], got, want)
				}
			}
			if len(missing) > 0 {
				t.Errorf("missing %v", missing)
			}
			return err
		})
		for _, bad := range []idstore.Anchor{{}, {Backend: "a"}, {Key: "k"}, {Backend: strings.Repeat("b", 256), Key: "k"}, {Backend: "a", Key: strings.Repeat("k", 1<<16+1)}} {
			err := s.Update(t.Context(), func(tx idstore.Tx) error {
				_, err := idstore.Adopt(tx, users, []idstore.Anchor{bad})
				return err
			})
			wantErr(t, "adopt", err, idstore.ErrInvalid)
		}
		err := s.Update(t.Context(), func(tx idstore.Tx) error {
			_, err := idstore.Adopt(tx, idstore.Scope{}, []idstore.Anchor{anchor(1)})
			return err
		})
		wantErr(t, "adopt without a type", err, idstore.ErrInvalid)
	})

	t.Run("by anchors", func(t *testing.T) {
		s, _ := open(t)
		view(t, s, func(tx idstore.Tx) error {
			_, missing, err := idstore.ByAnchors(tx, users, []idstore.Anchor{anchor(1)})
			if !slices.Equal(missing, []int{0}) {
				t.Errorf("empty store: missing %v", missing)
			}
			return err
		})
		person := adopt(t, s, users, anchor(1))[0]
		group := adopt(t, s, groups, anchor(2))[0]
		all := []idstore.Anchor{anchor(0), anchor(1), anchor(2), {Backend: "unknown", Key: "1"}}
		for _, test := range []struct {
			scope   idstore.Scope
			missing []int
		}{
			{users, []int{0, 3}},
			{groups, []int{0, 3}},
			// The person has no id of the private domain yet. How ids of groups are scoped is not for users to say.
			{private, []int{0, 1, 3}},
		} {
			view(t, s, func(tx idstore.Tx) error {
				records, missing, err := idstore.ByAnchors(tx, test.scope, all)
				if !slices.Equal(missing, test.missing) {
					t.Errorf("%+v: missing %v, want %v", test.scope, missing, test.missing)
				}
				if !reflect.DeepEqual(records, []idstore.Record{{}, person, group, {}}) {
					t.Errorf("%+v: records %+v", test.scope, records)
				}
				return err
			})
		}
	})

	t.Run("pairwise ids", func(t *testing.T) {
		s, _ := open(t)
		shared := adopt(t, s, users, anchor(1))[0]
		both := adopt(t, s, private, anchor(1), anchor(1))
		if both[0].Entity != shared.Entity || len(both[0].IDs) != 2 || !reflect.DeepEqual(both[0], both[1]) {
			t.Fatalf("records %+v", both)
		}
		own, common := publicID(t, both[0], "lab"), publicID(t, both[0], "")
		if own == common || common != publicID(t, shared, "") || common != publicID(t, both[0], "elsewhere") {
			t.Errorf("ids %s and %s", own, common)
		}
		for _, test := range []struct {
			scope idstore.Scope
			id    idstore.PublicID
			want  error
		}{{users, common, nil}, {private, own, nil}, {users, own, idstore.ErrNotFound}, {private, common, idstore.ErrNotFound}, {groups, common, idstore.ErrNotFound}} {
			_, err := resolve(s, test.scope, test.id)
			wantErr(t, "resolve", err, test.want)
		}
		if r := adopt(t, s, groups, anchor(1))[0]; !reflect.DeepEqual(r, both[0]) {
			t.Errorf("seen as a group: %+v, want %+v", r, both[0])
		}
	})

	t.Run("externalId", func(t *testing.T) {
		s, _ := open(t)
		a, b := adopt(t, s, users, anchor(1))[0], adopt(t, s, users, anchor(2))[0]
		group := adopt(t, s, groups, anchor(3))[0]
		set := func(scope idstore.Scope, e idstore.EntityID, value string) (r idstore.Record) {
			update(t, s, func(tx idstore.Tx) (err error) {
				r, err = idstore.SetExternalID(tx, scope, e, value)
				return err
			})
			if r.ExternalID(scope.Externals) != value {
				t.Errorf("externalId %q, want %q", r.ExternalID(scope.Externals), value)
			}
			return r
		}
		want := func(scope idstore.Scope, value string, want ...idstore.EntityID) {
			t.Helper()
			view(t, s, func(tx idstore.Tx) error {
				records, err := idstore.ByExternalID(tx, scope, value)
				var got []idstore.EntityID
				for _, r := range records {
					got = append(got, r.Entity)
				}
				if !slices.Equal(got, want) {
					t.Errorf("externalId %q: entities %v, want %v", value, got, want)
				}
				return err
			})
		}
		long := strings.Repeat("long ", 1000)
		want(users, "x")
		set(users, b.Entity, "x")
		set(users, a.Entity, "x") // not unique by the RFC
		set(groups, group.Entity, "x")
		set(entra, a.Entity, long)
		want(users, "x", a.Entity, b.Entity)
		want(groups, "x", group.Entity)
		want(entra, "x")
		want(entra, long, a.Entity)
		want(users, long)
		want(users, "X") // caseExact
		want(users, "")
		if r := set(users, a.Entity, "y"); r.ExternalID("entra") != long {
			t.Errorf("the other domain's externalId became %q", r.ExternalID("entra"))
		}
		want(users, "x", b.Entity)
		want(users, "y", a.Entity)
		set(users, b.Entity, "")
		want(users, "x")
		for _, test := range []struct {
			scope idstore.Scope
			e     idstore.EntityID
			value string
			want  error
		}{{users, 999, "x", idstore.ErrNotFound}, {users, group.Entity, "x", idstore.ErrNotFound}, {users, a.Entity, strings.Repeat("x", 1<<16+1), idstore.ErrInvalid}} {
			err := s.Update(t.Context(), func(tx idstore.Tx) error {
				_, err := idstore.SetExternalID(tx, test.scope, test.e, test.value)
				return err
			})
			wantErr(t, "set", err, test.want)
		}
	})

	t.Run("many alike", func(t *testing.T) {
		// More entities with one externalId than one row of its index can hold.
		s, _ := open(t)
		var anchors []idstore.Anchor
		for i := range 500 {
			anchors = append(anchors, anchor(i))
		}
		var want []idstore.EntityID
		for _, r := range adopt(t, s, users, anchors...) {
			want = append(want, r.Entity)
		}
		update(t, s, func(tx idstore.Tx) error {
			for _, e := range want {
				if _, err := idstore.SetExternalID(tx, users, e, "same"); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, s, func(tx idstore.Tx) error {
			records, err := idstore.ByExternalID(tx, users, "same")
			var got []idstore.EntityID
			for _, r := range records {
				got = append(got, r.Entity)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d entities, want %d", len(got), len(want))
			}
			return err
		})
	})
}
