package idstoretest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/idstore"
)

// model is what a store should hold, kept in the plainest way.
type model struct {
	store    idstore.Store
	entities map[idstore.EntityID]idstore.Record
	graves   map[idstore.PublicID]idstore.Scope // of every id whose entity was deleted
	given    map[idstore.PublicID]bool          // every id that was ever given out or reserved
	intents  map[idstore.IntentID]idstore.Intent
	history  []idstore.Operation // oldest first
	work     map[idstore.WorkID]idstore.Work
	clock    time.Time
	greatest idstore.EntityID
	run      string // keeps the runs on one store apart
}

var modelScopes = []idstore.Scope{users, groups, entra, private}

func testModel(t *testing.T, open Open) {
	s, reopen := open(t)
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := &model{
			store:    s,
			entities: map[idstore.EntityID]idstore.Record{},
			graves:   map[idstore.PublicID]idstore.Scope{},
			given:    map[idstore.PublicID]bool{},
			intents:  map[idstore.IntentID]idstore.Intent{},
			work:     map[idstore.WorkID]idstore.Work{},
			clock:    time.UnixMilli(1_800_000_000_000).UTC(),
			run:      fmt.Sprint("run ", runs, " "),
		}
		m.dropAll(t)
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"adopt":   m.adopt,
			"adoptAs": m.adoptAs,
			"failing": m.failing,
			"set":     m.set,
			"create":  m.create,
			"delete":  m.delete,
			"retire":  m.retire,
			"rename":  m.rename,
			"end":     m.end,

			"merge":    m.merge,
			"split":    m.split,
			"relink":   m.relink,
			"removeID": m.removeID,
			"undo":     m.undo,
			"take":     m.take,
			"finish":   m.finish,
			"fail":     m.fail,
			"hold":     m.hold,
			"cancel":   m.cancel,
			"abandon":  m.abandon,
			"verify":   m.verify,
			"reopen": func(t *rapid.T) {
				if reopen == nil {
					t.Skip("the store keeps nothing")
				}
				s = reopen()
				m.store = s
			},
		})
	})
	m := &model{store: s}
	if err := m.damages(); err != nil {
		t.Error(err)
	}
}

// verify asks for damages.
func (m *model) verify(t *rapid.T) {
	if err := m.damages(); err != nil {
		t.Fatal(err)
	}
}

func (m *model) damages() error {
	return m.store.View(context.Background(), func(tx idstore.Tx) error {
		_, err := idstore.Check(tx, func(d idstore.Damage) error { return errors.New(d.String()) })
		return err
	})
}

func (m *model) update(t *rapid.T, fn func(idstore.Tx) error) {
	if err := m.store.Update(context.Background(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

// dropAll drops what the run before left open.
func (m *model) dropAll(t *rapid.T) {
	m.update(t, func(tx idstore.Tx) error {
		var open []idstore.IntentID
		for in, err := range idstore.Intents(tx) {
			if err != nil {
				return err
			}
			open = append(open, in.ID)
		}
		for _, id := range open {
			if err := idstore.Drop(tx, id); err != nil {
				return err
			}
		}
		var queued []idstore.WorkID
		for w, err := range idstore.Works(tx) {
			if err != nil {
				return err
			}
			queued = append(queued, w.ID)
		}
		for _, id := range queued {
			if err := idstore.CancelWork(tx, id, m.clock.Add(10000*time.Hour)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *model) anchor(t *rapid.T) idstore.Anchor {
	return anchor(m.run + fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "anchor")))
}

func (m *model) externalID(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", m.run + "x", m.run + "y"}).Draw(t, "externalId")
}

func (m *model) scope(t *rapid.T) idstore.Scope {
	return rapid.SampledFrom(modelScopes).Draw(t, "scope")
}

// entity draws one that there is.
func (m *model) entity(t *rapid.T) idstore.Record {
	if len(m.entities) == 0 {
		t.Skip("no entity")
	}
	return m.entities[rapid.SampledFrom(slices.Sorted(maps.Keys(m.entities))).Draw(t, "entity")]
}

func (m *model) byAnchor(a idstore.Anchor) (idstore.Record, bool) {
	for _, r := range m.entities {
		if linked(r, a) {
			return r, true
		}
	}
	return idstore.Record{}, false
}

// fresh checks that an id was never given out, and remembers it.
func (m *model) fresh(t *rapid.T, id idstore.PublicID) {
	if id.IsZero() || m.given[id] {
		t.Fatalf("id %s was given out before", id)
	}
	m.given[id] = true
}

// newer checks that an entity was never used.
func (m *model) newer(t *rapid.T, e idstore.EntityID) {
	if e <= m.greatest {
		t.Fatalf("entity %d after %d", e, m.greatest)
	}
	m.greatest = e
}

// has tells whether an entity has an id in a domain, or is retired and gets none.
func has(r idstore.Record, d idstore.Domain) bool {
	return r.Retired || slices.ContainsFunc(r.IDs, func(id idstore.ID) bool { return id.Domain == d })
}

func (m *model) adopt(t *rapid.T) {
	scope := m.scope(t)
	anchors := rapid.SliceOfN(rapid.Custom(m.anchor), 1, 5).Draw(t, "anchors")
	var records []idstore.Record
	m.update(t, func(tx idstore.Tx) (err error) {
		records, err = idstore.Adopt(tx, scope, anchors)
		return err
	})
	for i, r := range records {
		want, known := m.byAnchor(anchors[i])
		if !known {
			m.newer(t, r.Entity)
			want = idstore.Record{Entity: r.Entity, Type: scope.Type, Links: []idstore.Link{{Anchor: anchors[i], Primary: true}}, Created: r.Created}
		}
		if want.Type == scope.Type && !has(want, scope.IDs) {
			last := r.IDs[len(r.IDs)-1]
			m.fresh(t, last.Public)
			want.IDs = append(slices.Clone(want.IDs), idstore.ID{Domain: scope.IDs, Public: last.Public})
		}
		if !reflect.DeepEqual(r, want) {
			t.Fatalf("adopted %+v, want %+v", r, want)
		}
		m.entities[r.Entity] = r
	}
}

// failing does a little of everything in an update that fails.
func (m *model) failing(t *rapid.T) {
	scope, a := m.scope(t), m.anchor(t)
	err := m.store.Update(context.Background(), func(tx idstore.Tx) error {
		records, err := idstore.Adopt(tx, scope, []idstore.Anchor{a})
		if err != nil {
			return err
		}
		r := records[0]
		scope.Type = r.Type
		if _, err := idstore.SetExternalID(tx, scope, r.Entity, m.run+"x"); err != nil && !r.Retired {
			return err
		}
		in, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Delete, Scope: scope, Entity: r.Entity})
		if err != nil {
			return err
		}
		if err := idstore.Remove(tx, in.ID); err != nil {
			return err
		}
		return errOnPurpose
	})
	wantErr(t, "update", err, errOnPurpose)
}

func (m *model) set(t *rapid.T) {
	want, scope, value := m.entity(t), m.scope(t), m.externalID(t)
	scope.Type = want.Type
	var r idstore.Record
	err := m.store.Update(context.Background(), func(tx idstore.Tx) (err error) {
		r, err = idstore.SetExternalID(tx, scope, want.Entity, value)
		return err
	})
	if want.Retired {
		wantErr(t, "the externalId of what is retired", err, idstore.ErrNotFound)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want = called(want, scope.Externals, value)
	if !reflect.DeepEqual(r, want) {
		t.Fatalf("set %+v, want %+v", r, want)
	}
	m.entities[r.Entity] = r
}

// called returns the record with another externalId.
func called(r idstore.Record, d idstore.Domain, value string) idstore.Record {
	if r.ExternalID(d) == value {
		return r
	}
	var all []idstore.ExternalID
	alias := false
	for _, x := range r.ExternalIDs {
		alias = alias || x.Domain == d && x.Value == value
	}
	for _, x := range r.ExternalIDs {
		switch {
		case x.Domain != d:
		case x.Value == value:
			x.Alias = false
		case !x.Alias && !alias:
			continue
		case !x.Alias:
			x.Alias = true
		}
		all = append(all, x)
	}
	if value != "" && !alias {
		all = append(all, idstore.ExternalID{Domain: d, Value: value})
	}
	r.ExternalIDs = all
	return r
}

func (m *model) begin(t *rapid.T, in idstore.Intent) {
	in.Backend, in.Name = "directory", rapid.SampledFrom([]string{"", "uid=a", "uid=b"}).Draw(t, "name")
	var begun idstore.Intent
	m.update(t, func(tx idstore.Tx) (err error) {
		begun, err = idstore.Begin(tx, in)
		return err
	})
	if in.Kind == idstore.Create {
		m.newer(t, begun.Entity)
		m.fresh(t, begun.Public)
	}
	m.intents[begun.ID] = begun
}

func (m *model) create(t *rapid.T) {
	m.begin(t, idstore.Intent{Kind: idstore.Create, Scope: m.scope(t), ExternalID: m.externalID(t)})
}

func (m *model) delete(t *rapid.T) {
	r := m.entity(t)
	m.begin(t, idstore.Intent{Kind: idstore.Delete, Scope: idstore.Scope{Type: r.Type}, Entity: r.Entity})
}

func (m *model) retire(t *rapid.T) {
	r := m.entity(t)
	m.begin(t, idstore.Intent{Kind: idstore.Retire, Scope: idstore.Scope{Type: r.Type}, Entity: r.Entity})
}

func (m *model) rename(t *rapid.T) {
	r := m.entity(t)
	m.begin(t, idstore.Intent{Kind: idstore.Rename, Scope: idstore.Scope{Type: r.Type}, Entity: r.Entity})
}

// end ends an open intent, one way or the other.
func (m *model) end(t *rapid.T) {
	if len(m.intents) == 0 {
		t.Skip("no intent")
	}
	in := m.intents[rapid.SampledFrom(slices.Sorted(maps.Keys(m.intents))).Draw(t, "intent")]
	done := rapid.Bool().Draw(t, "done")
	switch {
	case in.Kind == idstore.Create && done:
		m.bind(t, in)
		return
	case (in.Kind == idstore.Delete || in.Kind == idstore.Retire) && done:
		m.update(t, func(tx idstore.Tx) error { return idstore.Remove(tx, in.ID) })
		m.removed(t, in)
	default:
		m.update(t, func(tx idstore.Tx) error { return idstore.Drop(tx, in.ID) })
	}
	delete(m.intents, in.ID)
}

func (m *model) bind(t *rapid.T, in idstore.Intent) {
	a := m.anchor(t)
	var r idstore.Record
	err := m.store.Update(context.Background(), func(tx idstore.Tx) (err error) {
		r, err = idstore.Bind(tx, in.ID, a)
		return err
	})
	want, known := m.byAnchor(a)
	if known && (want.Entity < in.Entity || want.Type != in.Scope.Type || want.Retired) {
		wantErr(t, "bind", err, idstore.ErrTaken)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if !known {
		want = idstore.Record{Entity: in.Entity, Type: in.Scope.Type, Links: []idstore.Link{{Anchor: a, Primary: true}}, Created: in.Begun}
	}
	if !has(want, in.Scope.IDs) {
		want.IDs = append(slices.Clone(want.IDs), idstore.ID{Domain: in.Scope.IDs, Public: in.Public})
	}
	if in.ExternalID != "" {
		want = called(want, in.Scope.Externals, in.ExternalID)
	}
	if !reflect.DeepEqual(r, want) {
		t.Fatalf("bound %+v, want %+v", r, want)
	}
	m.entities[r.Entity] = r
	delete(m.intents, in.ID)
}

// check compares everything that can be asked.
func (m *model) check(t *rapid.T) {
	err := m.store.View(context.Background(), func(tx idstore.Tx) error {
		for id := range m.given {
			for _, scope := range modelScopes {
				want, wantErr := m.resolve(scope, id)
				got, err := idstore.Resolve(tx, scope, id)
				if !errors.Is(kind(err), wantErr) || !reflect.DeepEqual(got, want) {
					t.Fatalf("resolve %s in %+v: %+v, %v, want %+v, %v", id, scope, got, err, want, wantErr)
				}
			}
		}
		for i := range 10 {
			a := anchor(m.run + fmt.Sprint(i))
			want, known := m.byAnchor(a)
			got, missing, err := idstore.ByAnchors(tx, users, []idstore.Anchor{a})
			if err != nil || !reflect.DeepEqual(got[0], want) || (len(missing) > 0) != (!known || want.Type == users.Type && !has(want, "")) {
				t.Fatalf("by anchor: %+v, missing %v, %v, want %+v", got, missing, err, want)
			}
		}
		if err := m.checkReferences(tx); err != nil {
			return err
		}
		for _, value := range []string{m.run + "x", m.run + "y"} {
			for _, scope := range modelScopes {
				var want []idstore.Record
				for _, e := range slices.Sorted(maps.Keys(m.entities)) {
					if r := m.entities[e]; r.Type == scope.Type && known(r, scope.Externals, value) {
						want = append(want, r)
					}
				}
				got, err := idstore.ByExternalID(tx, scope, value)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("by externalId %q in %+v: %+v, %v, want %+v", value, scope, got, err, want)
				}
			}
		}
		if err := m.checkHistory(t, tx); err != nil {
			return err
		}
		return m.checkIntents(t, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkReferences compares References with ByAnchors, which it is short for.
func (m *model) checkReferences(tx idstore.Tx) error {
	var anchors []idstore.Anchor
	for i := range 10 {
		anchors = append(anchors, anchor(m.run+fmt.Sprint(i)))
	}
	for _, scope := range append(modelScopes, idstore.Scope{Type: "User", IDs: "nobody's"}) {
		records, missing, err := idstore.ByAnchors(tx, scope, anchors)
		if err != nil {
			return err
		}
		want := make([]idstore.Reference, len(records))
		for i, r := range records {
			want[i].Entity, want[i].Type = r.Entity, r.Type
			want[i].Public, _ = r.PublicID(scope.IDs)
		}
		got, lacking, err := idstore.References(tx, scope, anchors)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got, want) || !slices.Equal(lacking, missing) {
			return fmt.Errorf("references in %+v: %+v, missing %v, want %+v, missing %v", scope, got, lacking, want, missing)
		}
	}
	return nil
}

func (m *model) checkIntents(t *rapid.T, tx idstore.Tx) error {
	where := func(want func(idstore.Intent) bool) (found []idstore.Intent) {
		for _, id := range slices.Sorted(maps.Keys(m.intents)) {
			if in := m.intents[id]; want(in) {
				found = append(found, in)
			}
		}
		return found
	}
	var all []idstore.Intent
	for in, err := range idstore.Intents(tx) {
		if err != nil {
			return err
		}
		all = append(all, in)
	}
	if want := where(func(idstore.Intent) bool { return true }); !reflect.DeepEqual(all, want) {
		t.Fatalf("intents %+v, want %+v", all, want)
	}
	for _, name := range []string{"uid=a", "uid=b"} {
		got, err := idstore.IntentsForName(tx, "directory", name)
		want := where(func(in idstore.Intent) bool { return in.Name == name })
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("intents for %q: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for e := range m.entities {
		got, err := idstore.IntentsForEntity(tx, e)
		want := where(func(in idstore.Intent) bool { return in.Entity == e })
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("intents for the entity: %+v, %v, want %+v", got, err, want)
		}
	}
	return nil
}

// resolve says what an id that was once given out should lead to.
func (m *model) resolve(scope idstore.Scope, id idstore.PublicID) (idstore.Record, error) {
	for _, r := range m.entities {
		for _, own := range r.IDs {
			if own.Public == id && own.Domain == scope.IDs && r.Type == scope.Type {
				return r, nil
			}
		}
	}
	if grave, ok := m.graves[id]; ok && grave.Type == scope.Type && grave.IDs == scope.IDs {
		return idstore.Record{}, idstore.ErrGone
	}
	return idstore.Record{}, idstore.ErrNotFound
}

// kind is the kind of an error that Resolve may return.
func kind(err error) error {
	for _, kind := range []error{idstore.ErrNotFound, idstore.ErrGone} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return err
}
