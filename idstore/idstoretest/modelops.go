package idstoretest

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	"pgregory.net/rapid"

	"postern/idstore"
)

func linked(r idstore.Record, a idstore.Anchor) bool {
	return slices.ContainsFunc(r.Links, func(l idstore.Link) bool { return l.Anchor == a })
}

func known(r idstore.Record, d idstore.Domain, value string) bool {
	return slices.ContainsFunc(r.ExternalIDs, func(x idstore.ExternalID) bool { return x.Domain == d && x.Value == value })
}

func (m *model) note(t *rapid.T) idstore.Note {
	m.clock = m.clock.Add(1)
	return idstore.Note{Who: rapid.SampledFrom([]string{"", "ann"}).Draw(t, "who"), Why: m.run, When: m.clock.Truncate(1e6)}
}

// attempt runs an operation that has to fail for one of the reasons, or to succeed where there are none; then it is what
// the model holds that it is.
func (m *model) attempt(t *rapid.T, what string, reasons []error, want idstore.Operation, fn func(idstore.Tx) (idstore.Operation, error)) bool {
	var got idstore.Operation
	err := m.store.Update(context.Background(), func(tx idstore.Tx) (err error) {
		got, err = fn(tx)
		return err
	})
	if len(reasons) > 0 {
		if !slices.ContainsFunc(reasons, func(reason error) bool { return errors.Is(err, reason) }) {
			t.Fatalf("%s: error %v, want one of %v", what, err, reasons)
		}
		return false
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	want.ID = got.ID
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: %+v, want %+v", what, got, want)
	}
	m.happened(t, got)
	return true
}

// happened changes the model as an operation changed the store. Whatever it is, no id gets lost by it.
func (m *model) happened(t *rapid.T, o idstore.Operation) {
	before, after := map[idstore.PublicID]idstore.Scope{}, map[idstore.PublicID]bool{}
	for _, c := range o.Changes {
		for _, id := range c.Before.IDs {
			before[id.Public] = idstore.Scope{Type: c.Before.Type, IDs: id.Domain}
		}
		for _, id := range c.After.IDs {
			after[id.Public] = true
			delete(m.graves, id.Public)
		}
	}
	for id, scope := range before {
		switch {
		case after[id]:
		case o.Kind == idstore.OperationMerge, o.Kind == idstore.OperationSplit, o.Kind == idstore.OperationRelink:
			t.Fatalf("%s lost id %s", o.Kind, id)
		default:
			m.graves[id] = scope
		}
	}
	for _, c := range o.Changes {
		delete(m.entities, c.Entity())
		if c.After.Entity != 0 {
			m.entities[c.Entity()] = c.After
		}
	}
	m.history = append(m.history, o)
}

// likely draws an entity that is mostly a good one, where there are any.
func (m *model) likely(t *rapid.T, good func(idstore.Record) bool) idstore.Record {
	var all []idstore.EntityID
	for e, r := range m.entities {
		if good(r) {
			all = append(all, e)
		}
	}
	if len(all) == 0 || rapid.IntRange(0, 4).Draw(t, "any") == 0 {
		return m.entity(t)
	}
	slices.Sort(all)
	return m.entities[rapid.SampledFrom(all).Draw(t, "good entity")]
}

// busy gives a reason where an intent of an entity is open.
func (m *model) busy(entities ...idstore.EntityID) (reasons []error) {
	for _, in := range m.intents {
		if slices.Contains(entities, in.Entity) {
			return []error{idstore.ErrBusy}
		}
	}
	return nil
}

// worked gives a reason where work for one of the links is queued.
func (m *model) worked(links ...idstore.Link) []error {
	for _, w := range m.work {
		if slices.ContainsFunc(links, func(l idstore.Link) bool { return l.Anchor == w.Anchor }) {
			return []error{idstore.ErrBusy}
		}
	}
	return nil
}

func (m *model) merge(t *rapid.T) {
	from := m.entity(t)
	into := m.likely(t, func(r idstore.Record) bool { return r.Type == from.Type && r.Entity != from.Entity })
	o := idstore.MergeOptions{Leftover: rapid.SampledFrom([]idstore.Action{idstore.ActionKeep, idstore.ActionKeep, idstore.ActionKeep, idstore.ActionDisable, idstore.ActionDelete}).Draw(t, "leftover"), Note: m.note(t)}
	reasons := slices.Concat(m.busy(from.Entity, into.Entity), m.worked(from.Links...))
	if from.Entity == into.Entity || from.Type != into.Type || from.Retired || into.Retired {
		reasons = append(reasons, idstore.ErrInvalid)
	}
	want := idstore.Operation{Kind: idstore.OperationMerge, Note: o.Note, Changes: []idstore.Change{{Before: into, After: joined(into, from, true)}, {Before: from}}}
	for _, l := range from.Links {
		if o.Leftover != idstore.ActionKeep {
			want.Leftovers = append(want.Leftovers, idstore.Leftover{Anchor: l.Anchor, Action: o.Leftover, State: idstore.LeftoverPending})
		}
	}
	if m.attempt(t, "merge", reasons, want, func(tx idstore.Tx) (idstore.Operation, error) {
		return idstore.Merge(tx, from.Entity, into.Entity, o)
	}) {
		m.learnWork(t)
	}
}

// joined is what into becomes when from goes into it.
func joined(into, from idstore.Record, links bool) idstore.Record {
	r := into
	r.Links, r.IDs, r.ExternalIDs = slices.Clone(into.Links), slices.Clone(into.IDs), slices.Clone(into.ExternalIDs)
	for _, l := range from.Links {
		if links {
			r.Links = append(r.Links, idstore.Link{Anchor: l.Anchor})
		}
	}
	for _, id := range from.IDs {
		id.Alias = id.Alias || has(into, id.Domain)
		r.IDs = append(r.IDs, id)
	}
	for _, x := range from.ExternalIDs {
		i := slices.IndexFunc(r.ExternalIDs, func(own idstore.ExternalID) bool { return own.Domain == x.Domain && own.Value == x.Value })
		shows := into.ExternalID(x.Domain) != ""
		switch {
		case i < 0:
			x.Alias = x.Alias || shows
			r.ExternalIDs = append(r.ExternalIDs, x)
		case !x.Alias && !shows:
			r.ExternalIDs[i].Alias = false
		}
	}
	return r
}

func (m *model) split(t *rapid.T) {
	r := m.likely(t, func(r idstore.Record) bool { return len(r.Links) > 1 })
	draw := func(what string) bool { return rapid.IntRange(0, 2).Draw(t, what) == 0 }
	o := idstore.SplitOptions{Note: m.note(t)}
	stays, leaves := r, idstore.Record{Type: r.Type, Created: o.When}
	stays.Links, stays.IDs, stays.ExternalIDs = nil, nil, nil
	for _, l := range r.Links {
		half := &stays
		if draw("link") {
			o.Links, half = append(o.Links, l.Anchor), &leaves
		}
		half.Links = append(half.Links, idstore.Link{Anchor: l.Anchor, Primary: half.Links == nil})
	}
	for _, id := range r.IDs {
		half := &stays
		if draw("id") {
			o.IDs, half = append(o.IDs, id.Public), &leaves
		}
		half.IDs = append(half.IDs, id)
	}
	for _, x := range r.ExternalIDs {
		half := &stays
		if draw("externalId") {
			o.ExternalIDs, half = append(o.ExternalIDs, x), &leaves
		}
		half.ExternalIDs = append(half.ExternalIDs, x)
	}
	reasons := slices.Concat(m.busy(r.Entity), m.worked(r.Links...))
	if stays.Links == nil || leaves.Links == nil || stays.IDs == nil || r.Retired {
		reasons = append(reasons, idstore.ErrInvalid)
	}
	leaves.Entity = m.greatest + 1
	for _, half := range []*idstore.Record{&stays, &leaves} {
		show(half, r)
	}
	want := idstore.Operation{Kind: idstore.OperationSplit, Note: o.Note, Changes: []idstore.Change{{Before: r, After: stays}, {After: leaves}}}
	if m.attempt(t, "split", reasons, want, func(tx idstore.Tx) (op idstore.Operation, err error) {
		if op, err = idstore.Split(tx, r.Entity, o); err == nil {
			// Failed updates and other runs may have used numbers.
			want.Changes[1].After.Entity = op.Changes[1].Entity()
		}
		return op, err
	}) {
		m.newer(t, want.Changes[1].After.Entity)
	}
}

// show gives each domain the half's oldest name that is left, where the whole showed one.
func show(half *idstore.Record, whole idstore.Record) {
	for i, id := range half.IDs {
		if !slices.ContainsFunc(half.IDs, func(other idstore.ID) bool { return other.Domain == id.Domain && !other.Alias }) {
			half.IDs[i].Alias = false
		}
	}
	for i, x := range half.ExternalIDs {
		if half.ExternalID(x.Domain) == "" && whole.ExternalID(x.Domain) != "" {
			half.ExternalIDs[i].Alias = false
		}
	}
}

func (m *model) relink(t *rapid.T) {
	r, now := m.entity(t), m.anchor(t)
	before := rapid.SampledFrom(r.Links).Draw(t, "link").Anchor
	o := idstore.RelinkOptions{Absorb: rapid.Bool().Draw(t, "absorb"), Note: m.note(t)}
	reasons := slices.Concat(m.busy(r.Entity), m.worked(idstore.Link{Anchor: before}))
	after := r
	after.Links = slices.Clone(r.Links)
	for i := range after.Links {
		if after.Links[i].Anchor == before {
			after.Links[i].Anchor = now
		}
	}
	changes := []idstore.Change{{Before: r, After: after}}
	holder, taken := m.byAnchor(now)
	switch {
	case now == before || r.Retired:
		reasons = append(reasons, idstore.ErrInvalid)
	case taken:
		touched := slices.ContainsFunc(m.history, func(op idstore.Operation) bool { return touches(op, holder.Entity) })
		if !o.Absorb || holder.Entity == r.Entity || holder.Type != r.Type || len(holder.Links) > 1 || holder.ExternalIDs != nil || touched {
			reasons = append(reasons, idstore.ErrTaken)
		}
		reasons = slices.Concat(reasons, m.busy(holder.Entity), m.worked(holder.Links...))
		changes = []idstore.Change{{Before: r, After: joined(after, holder, false)}, {Before: holder}}
	}
	want := idstore.Operation{Kind: idstore.OperationRelink, Note: o.Note, Changes: changes}
	m.attempt(t, "relink", reasons, want, func(tx idstore.Tx) (idstore.Operation, error) {
		return idstore.Relink(tx, r.Entity, before, now, o)
	})
}

func touches(o idstore.Operation, e idstore.EntityID) bool {
	return slices.ContainsFunc(o.Changes, func(c idstore.Change) bool { return c.Entity() == e })
}

func (m *model) removeID(t *rapid.T) {
	r := m.entity(t)
	if len(r.IDs) == 0 {
		t.Skip("no id yet")
	}
	id, note := rapid.SampledFrom(r.IDs).Draw(t, "id"), m.note(t)
	after := r
	after.IDs = slices.DeleteFunc(slices.Clone(r.IDs), func(own idstore.ID) bool { return own.Public == id.Public })
	var reasons []error
	if len(after.IDs) == 0 {
		reasons = append(reasons, idstore.ErrInvalid)
	}
	show(&after, idstore.Record{})
	want := idstore.Operation{Kind: idstore.OperationRemoveID, Note: note, Changes: []idstore.Change{{Before: r, After: after}}}
	m.attempt(t, "remove id", reasons, want, func(tx idstore.Tx) (idstore.Operation, error) {
		return idstore.RemoveID(tx, idstore.Scope{Type: r.Type, IDs: id.Domain}, id.Public, note)
	})
}

// undo takes back something of an entity that there is or was.
func (m *model) undo(t *rapid.T) {
	all := map[idstore.EntityID]bool{}
	for _, o := range m.history {
		for _, c := range o.Changes {
			all[c.Entity()] = true
		}
	}
	if len(all) == 0 {
		t.Skip("no history")
	}
	e := rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(t, "whose")
	note := m.note(t)
	at := -1
	for i, o := range m.history {
		if touches(o, e) && o.Kind != idstore.OperationUndo && o.UndoneBy == 0 {
			at = i
		}
	}
	want := idstore.Operation{Kind: idstore.OperationUndo, Note: note}
	var reasons []error
	if at < 0 {
		reasons = append(reasons, idstore.ErrNotFound)
	} else {
		last := m.history[at]
		want.Undoes = last.ID
		for _, c := range last.Changes {
			want.Changes = append(want.Changes, idstore.Change{Before: m.entities[c.Entity()], After: c.Before})
			if !same(m.entities[c.Entity()], m.afterWork(last, c)) {
				reasons = append(reasons, idstore.ErrChanged)
			}
			for _, l := range c.Before.Links {
				if r, taken := m.byAnchor(l.Anchor); taken && !touches(last, r.Entity) {
					reasons = append(reasons, idstore.ErrTaken)
				}
			}
			reasons = append(reasons, m.busy(c.Entity())...)
		}
		for _, w := range m.work {
			if w.Operation == last.ID && w.Taken && note.When.Before(w.Next) {
				reasons = append(reasons, idstore.ErrBusy)
			}
		}
	}
	if m.attempt(t, "undo", reasons, want, func(tx idstore.Tx) (idstore.Operation, error) { return idstore.Undo(tx, e, note) }) {
		m.ended(want.Undoes, idstore.LeftoverCancelled, note.When, func(idstore.Work) bool { return true })
		m.history[at].UndoneBy = m.history[len(m.history)-1].ID
	}
}

// afterWork is what an operation made of an entity, without the links whose objects its
// work has deleted since.
func (m *model) afterWork(o idstore.Operation, c idstore.Change) idstore.Record {
	after := c.After
	after.Links = nil
	for _, l := range c.After.Links {
		gone := !slices.ContainsFunc(m.entities[c.Entity()].Links, func(is idstore.Link) bool { return is.Anchor == l.Anchor })
		for _, left := range o.Leftovers {
			gone = gone && (left.Anchor != l.Anchor || left.Action == idstore.ActionDelete && left.State == idstore.LeftoverDone)
		}
		if !gone || !slices.ContainsFunc(o.Leftovers, func(left idstore.Leftover) bool { return left.Anchor == l.Anchor }) {
			after.Links = append(after.Links, l)
		}
	}
	return after
}

// same compares records whose externalIds are in any order.
func same(a, b idstore.Record) bool {
	if len(a.ExternalIDs) != len(b.ExternalIDs) {
		return false
	}
	for _, x := range a.ExternalIDs {
		if !slices.Contains(b.ExternalIDs, x) {
			return false
		}
	}
	a.ExternalIDs, b.ExternalIDs = nil, nil
	return reflect.DeepEqual(a, b)
}
