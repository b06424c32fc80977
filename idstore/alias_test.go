package idstore_test

import (
	"errors"
	"testing"

	"postern/idstore"
)

// TestAlias: an alias is accepted and never shown.
func TestAlias(t *testing.T) {
	old, shown, pairwise := idstore.PublicID{1}, idstore.PublicID{2}, idstore.PublicID{3}
	a := idstore.Anchor{Backend: "ad", Key: "k"}
	r := idstore.Record{
		Entity: 5, Type: "User", Links: []idstore.Link{{Anchor: a, Primary: true}},
		IDs: []idstore.ID{{Public: old, Alias: true}, {Domain: "lab", Public: pairwise}, {Public: shown}},
	}
	shared, private := idstore.Scope{Type: "User"}, idstore.Scope{Type: "User", IDs: "lab"}
	inTx(t, func(tx idstore.Tx) error {
		if err := idstore.PutRecord(tx, r); err != nil {
			return err
		}
		for _, test := range []struct {
			scope idstore.Scope
			id    idstore.PublicID
			want  error
		}{{shared, old, nil}, {shared, shown, nil}, {private, pairwise, nil}, {private, old, idstore.ErrNotFound}, {shared, pairwise, idstore.ErrNotFound}} {
			got, err := idstore.Resolve(tx, test.scope, test.id)
			if !errors.Is(err, test.want) || err == nil && got.Entity != r.Entity {
				t.Errorf("resolve %s in %+v: %+v, %v, want %v", test.id, test.scope, got, err, test.want)
			}
		}
		for scope, want := range map[idstore.Scope]idstore.PublicID{shared: shown, private: pairwise, {Type: "User", IDs: "new"}: shown} {
			references, _, err := idstore.References(tx, scope, []idstore.Anchor{a})
			if err != nil {
				return err
			}
			if got, _ := r.PublicID(scope.IDs); references[0].Public != want || got != want {
				t.Errorf("%+v shows %s and %s, want %s", scope, references[0].Public, got, want)
			}
		}
		return nil
	})
}
