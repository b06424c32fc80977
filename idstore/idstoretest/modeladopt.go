package idstoretest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"

	"pgregory.net/rapid"

	"postern/idstore"
)

// adoptAs gives an object an id of its own choosing, sometimes one that was given out.
func (m *model) adoptAs(t *rapid.T) {
	scope, a, external := m.scope(t), m.anchor(t), m.externalID(t)
	id := idstore.PublicID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	if len(m.given) > 0 && rapid.IntRange(0, 2).Draw(t, "known id") == 0 {
		all := make([]idstore.PublicID, 0, len(m.given))
		for one := range m.given {
			all = append(all, one)
		}
		slices.SortFunc(all, func(a, b idstore.PublicID) int { return bytes.Compare(a[:], b[:]) })
		id = rapid.SampledFrom(all).Draw(t, "given id")
	}
	var r idstore.Record
	err := m.store.Update(context.Background(), func(tx idstore.Tx) (err error) {
		r, err = idstore.AdoptAs(tx, scope, a, id, external)
		return err
	})
	want, known := m.byAnchor(a)
	named := idstore.ID{Domain: scope.IDs, Public: id}
	again := known && slices.ContainsFunc(want.IDs, func(own idstore.ID) bool { return own.Domain == named.Domain && own.Public == id })
	switch {
	case id.IsZero():
		wantErr(t, "the id of zeros", err, idstore.ErrInvalid)
		return
	case again:
	case known && (want.Type != scope.Type || has(want, scope.IDs)), m.taken(id):
		wantErr(t, "an id that is taken", err, idstore.ErrTaken)
		return
	}
	if err != nil {
		// An id of an earlier run on the same store may be drawn when one is simplified.
		if !m.given[id] && errors.Is(err, idstore.ErrTaken) {
			t.Skip("an id of another run")
		}
		t.Fatal(err)
	}
	if !known {
		m.newer(t, r.Entity)
		want = idstore.Record{Entity: r.Entity, Type: scope.Type, Links: []idstore.Link{{Anchor: a, Primary: true}}, Created: r.Created}
	}
	if !again {
		m.given[id] = true
		want.IDs = append(slices.Clone(want.IDs), named)
	}
	if external != "" {
		want = called(want, scope.Externals, external)
	}
	if !reflect.DeepEqual(r, want) {
		t.Fatalf("adopted %+v, want %+v", r, want)
	}
	m.entities[r.Entity] = r
}

// taken tells whether an id names something, did, or is reserved.
func (m *model) taken(id idstore.PublicID) bool {
	if _, ok := m.graves[id]; ok {
		return true
	}
	for _, r := range m.entities {
		if slices.ContainsFunc(r.IDs, func(own idstore.ID) bool { return own.Public == id }) {
			return true
		}
	}
	for _, in := range m.intents {
		if in.Kind == idstore.Create && in.Public == id {
			return true
		}
	}
	return false
}
