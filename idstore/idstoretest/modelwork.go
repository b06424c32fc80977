package idstoretest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"postern/idstore"
)

// learnWork puts the work of the newest operation into the model: one piece for each of its leftovers, due at once.
func (m *model) learnWork(t *rapid.T) {
	o := m.history[len(m.history)-1]
	for _, l := range o.Leftovers {
		err := m.store.View(context.Background(), func(tx idstore.Tx) error {
			w, ok, err := idstore.WorkFor(tx, l.Anchor)
			want := idstore.Work{ID: w.ID, Anchor: l.Anchor, Action: l.Action, Operation: o.ID, Queued: o.When, Next: o.When}
			if err == nil && (!ok || w != want) {
				err = fmt.Errorf("work %+v, want %+v", w, want)
			}
			if err != nil {
				return err
			}
			m.work[w.ID] = w
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ended forgets the work of an operation that is chosen, and tells the operation.
func (m *model) ended(id idstore.OperationID, state idstore.LeftoverState, at time.Time, chosen func(idstore.Work) bool) {
	for _, w := range m.work {
		if w.Operation != id || !chosen(w) {
			continue
		}
		delete(m.work, w.ID)
		for i := range m.history {
			if o := &m.history[i]; o.ID == id {
				o.Leftovers = slices.Clone(o.Leftovers)
				for k := range o.Leftovers {
					if l := &o.Leftovers[k]; l.Anchor == w.Anchor {
						l.State, l.At = state, at
					}
				}
			}
		}
	}
}

// anyWork draws work that is queued.
func (m *model) anyWork(t *rapid.T) idstore.Work {
	if len(m.work) == 0 {
		t.Skip("no work")
	}
	return m.work[rapid.SampledFrom(slices.Sorted(maps.Keys(m.work))).Draw(t, "work")]
}

// later lets time pass, by less than a lease or by more.
func (m *model) later(t *rapid.T) time.Time {
	m.clock = m.clock.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "seconds")) * time.Second).Truncate(time.Millisecond)
	return m.clock
}

func (m *model) take(t *rapid.T) {
	if len(m.work) == 0 {
		t.Skip("no work")
	}
	at, n := m.later(t), rapid.IntRange(0, 3).Draw(t, "n")
	var due []idstore.Work
	for _, w := range m.work {
		if !w.Held && !at.Before(w.Next) {
			due = append(due, w)
		}
	}
	slices.SortFunc(due, func(a, b idstore.Work) int {
		if c := a.Next.Compare(b.Next); c != 0 {
			return c
		}
		return int(a.ID) - int(b.ID)
	})
	due = due[:min(n, len(due))]
	for i := range due {
		due[i].Taken, due[i].Next = true, at.Add(time.Minute)
		due[i].Attempts++
		m.work[due[i].ID] = due[i]
	}
	var got []idstore.Work
	m.update(t, func(tx idstore.Tx) (err error) {
		got, err = idstore.TakeWork(tx, at, time.Minute, n)
		return err
	})
	if !slices.Equal(got, due) {
		t.Fatalf("took %+v, want %+v", got, due)
	}
}

func (m *model) finish(t *rapid.T) {
	w, at := m.anyWork(t), m.later(t)
	m.update(t, func(tx idstore.Tx) error { return idstore.FinishWork(tx, w.ID, at) })
	m.ended(w.Operation, idstore.LeftoverDone, at, func(same idstore.Work) bool { return same.ID == w.ID })
	r, ok := m.byAnchor(w.Anchor)
	if !ok {
		t.Fatalf("work %+v for an object that nothing is linked to", w)
	}
	if w.Action == idstore.ActionDelete && len(r.Links) > 1 {
		r.Links = slices.DeleteFunc(slices.Clone(r.Links), func(l idstore.Link) bool { return l.Anchor == w.Anchor })
		r.Links[0].Primary = true
		m.entities[r.Entity] = r
	}
}

// changed does something to work and compares what it then is.
func (m *model) changed(t *rapid.T, want idstore.Work, fn func(idstore.Tx) (idstore.Work, error)) {
	var got idstore.Work
	m.update(t, func(tx idstore.Tx) (err error) {
		got, err = fn(tx)
		return err
	})
	if got != want {
		t.Fatalf("work %+v, want %+v", got, want)
	}
	m.work[want.ID] = want
}

func (m *model) fail(t *rapid.T) {
	w, at := m.anyWork(t), m.later(t)
	want := w
	want.Taken, want.LastError = false, "no such host"
	wait := 30 * time.Second
	for range w.Attempts - 1 {
		wait = min(2*wait, time.Hour)
	}
	want.Next = at.Add(wait)
	m.changed(t, want, func(tx idstore.Tx) (idstore.Work, error) { return idstore.FailWork(tx, w.ID, at, "no such host") })
}

// hold holds work that is not held, and releases work that is.
func (m *model) hold(t *rapid.T) {
	w, at := m.anyWork(t), m.later(t)
	want := w
	want.Held = !w.Held
	if w.Held && (!w.Taken || !at.Before(w.Next)) {
		want.Taken, want.Next = false, at
	}
	m.changed(t, want, func(tx idstore.Tx) (idstore.Work, error) {
		if w.Held {
			return idstore.ReleaseWork(tx, w.ID, at)
		}
		return idstore.HoldWork(tx, w.ID)
	})
}

func (m *model) cancel(t *rapid.T) {
	w, at := m.anyWork(t), m.later(t)
	err := m.store.Update(context.Background(), func(tx idstore.Tx) error { return idstore.CancelWork(tx, w.ID, at) })
	if w.Taken && at.Before(w.Next) {
		wantErr(t, "cancel", err, idstore.ErrBusy)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m.ended(w.Operation, idstore.LeftoverCancelled, at, func(same idstore.Work) bool { return same.ID == w.ID })
}

// abandon makes due what anybody is at.
func (m *model) abandon(t *rapid.T) {
	at := m.later(t)
	m.update(t, func(tx idstore.Tx) error { return idstore.AbandonWork(tx, at) })
	for id, w := range m.work {
		if w.Taken {
			w.Taken, w.Next = false, at
			m.work[id] = w
		}
	}
}

// removed is what Remove leaves.
func (m *model) removed(t *rapid.T, in idstore.Intent) {
	r, ok := m.entities[in.Entity]
	if !ok || in.Kind == idstore.Retire && r.Retired {
		return // another intent to delete it ended first
	}
	var after idstore.Record
	if in.Kind == idstore.Retire {
		after = idstore.Record{Entity: r.Entity, Type: r.Type, Links: r.Links, Created: r.Created, Retired: true}
	}
	var o idstore.Operation
	err := m.store.View(context.Background(), func(tx idstore.Tx) (err error) {
		for o, err = range idstore.History(tx, 0) {
			break
		}
		return err
	})
	want := idstore.Operation{ID: o.ID, Kind: idstore.OperationDelete, Note: idstore.Note{When: o.When}, Changes: []idstore.Change{{Before: r, After: after}}}
	if err != nil || !reflect.DeepEqual(o, want) {
		t.Fatalf("history %+v, %v, want %+v", o, err, want)
	}
	for _, w := range m.work {
		if linked(r, w.Anchor) {
			m.ended(w.Operation, idstore.LeftoverCancelled, o.When, func(same idstore.Work) bool { return same.ID == w.ID })
		}
	}
	m.happened(t, o)
}

// checkHistory compares the history, of all and of each entity, and the queue.
func (m *model) checkHistory(t *rapid.T, tx idstore.Tx) error {
	newest := slices.Clone(m.history)
	slices.Reverse(newest)
	i := 0
	for o, err := range idstore.History(tx, 0) {
		if err != nil || i == len(newest) {
			return err
		}
		if !reflect.DeepEqual(o, newest[i]) {
			t.Fatalf("history %+v, want %+v", o, newest[i])
		}
		i++
	}
	if i < len(newest) {
		t.Fatalf("%d operations, want %d", i, len(newest))
	}
	for e := range m.entities {
		want := slices.DeleteFunc(slices.Clone(newest), func(o idstore.Operation) bool { return !touches(o, e) })
		var before idstore.OperationID
		if len(want) > 1 { // resume after the first
			before, want = want[0].ID, want[1:]
		}
		var got []idstore.Operation
		for o, err := range idstore.HistoryOf(tx, e, before) {
			if err != nil {
				return err
			}
			got = append(got, o)
		}
		if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("history of one %+v, want %+v", got, want)
		}
	}
	var queued []idstore.Work
	for w, err := range idstore.Works(tx) {
		if err != nil {
			return err
		}
		queued = append(queued, w)
		if again, err := idstore.WorkByID(tx, w.ID); err != nil || again != w {
			return errors.Join(err, fmt.Errorf("work %+v, listed %+v", again, w))
		}
	}
	want := slices.SortedFunc(maps.Values(m.work), func(a, b idstore.Work) int { return int(a.ID) - int(b.ID) })
	if !slices.Equal(queued, want) {
		t.Fatalf("work %+v, want %+v", queued, want)
	}
	return nil
}
