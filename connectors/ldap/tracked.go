package ldap

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"postern/connectors"
)

// tracked is the connector of a collection whose directory has several servers.
// It keeps every operation on one server once that has written, and holds what
// a server says against what was written by way of another: what that one may
// not have yet is Unavailable and neither NotFound nor an empty list.
type tracked struct {
	*collection
	relaxed bool // replicas may answer
}

// Replica implements connectors.Replicated.
func (t tracked) Replica() connectors.Connector {
	if len(t.dir.pool.replicas) == 0 {
		return t
	}
	return tracked{t.collection, true}
}

// Get implements connectors.Connector. That a replica does not know an object
// is no answer: the active server is asked.
func (t tracked) Get(ctx context.Context, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	for relaxed := t.relaxed; ; relaxed = false {
		ctx, r := follow(ctx, relaxed)
		e, err := t.collection.Get(ctx, a, want)
		e, err = t.vouch(r.by(), a, e, err)
		if k := connectors.KindOf(err); err != nil && relaxed && (k == connectors.NotFound || k == connectors.Unavailable) {
			continue
		}
		return e, err
	}
}

// vouch holds what a server says of an object against the last write of it.
func (t tracked) vouch(s *server, a connectors.Anchor, e connectors.Entry, err error) (connectors.Entry, error) {
	n := t.dir.journal.elsewhere(t.target(a), s)
	if n == nil || s == nil || err != nil && connectors.KindOf(err) != connectors.NotFound {
		return e, err
	}
	switch {
	case n.deleted:
		return connectors.Entry{}, notFound()
	case t.has(n, e, err == nil):
		t.dir.journal.prove(n, s)
	case t.dir.pool.settled(n), err == nil && time.Since(n.at) > t.dir.config.Pin:
		// As good as it gets: the server that took the write has had the time to
		// pass it on, or the object is there and nothing tells how old it is.
	default:
		return connectors.Entry{}, notArrived()
	}
	return e, err
}

// has reports whether an entry shows that a server has a write: its stamp is no
// older, where stamps of different servers can be compared, or it is there and
// was only created.
func (t tracked) has(n *note, e connectors.Entry, found bool) bool {
	f := t.dir.facts.Load()
	if !found || f == nil {
		return false
	}
	// A CSN begins with its time (RFC 4533 leaves it to the server; OpenLDAP and
	// the X.500 replication drafts agree), and a replica keeps it.
	if sameAttr(string(f.stamp), "entryCSN") && n.stamp != "" {
		return e.Stamp >= n.stamp
	}
	return n.created
}

func (t tracked) target(a connectors.Anchor) connectors.Target {
	return connectors.Target{Collection: t.Name, Anchor: a}
}

func notArrived() *connectors.Error {
	return &connectors.Error{Kind: connectors.Unavailable, Reason: "another directory server has taken over and may not have the last changes yet",
		Err: errors.New("what was written by way of another server has not arrived")}
}

// Create implements connectors.Connector.
func (t tracked) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	ctx, r := follow(ctx, false)
	e, err := t.collection.Create(ctx, d, want)
	written := valuesOf(func(yield func(connectors.Value) bool) {
		for _, f := range d.Fields {
			for _, v := range f.Values {
				if !yield(v) {
					return
				}
			}
		}
	})
	switch {
	case err == nil:
		t.dir.journal.add(t.target(e.Anchor), &note{server: r.bound(), stamp: e.Stamp, values: written, created: true})
	case r.bound() != nil && connectors.KindOf(err) == connectors.Timeout:
		t.dir.journal.doubt(t.Name, &note{server: r.bound(), values: written})
	}
	return e, err
}

// Apply implements connectors.Connector.
func (t tracked) Apply(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (connectors.Entry, error) {
	ctx, r := follow(ctx, false)
	e, err := t.collection.Apply(ctx, a, cs, g, want)
	if s := r.bound(); err == nil && s != nil {
		t.dir.journal.add(t.target(a), &note{server: s, stamp: e.Stamp, values: valuesOf(func(yield func(connectors.Value) bool) {
			for _, c := range cs {
				for _, v := range c.Add {
					if !yield(v) {
						return
					}
				}
			}
		})})
	}
	if connectors.KindOf(err) == connectors.NotFound {
		return t.vouch(r.by(), a, e, err)
	}
	return e, err
}

// Delete implements connectors.Connector.
func (t tracked) Delete(ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
	ctx, r := follow(ctx, false)
	err := t.collection.Delete(ctx, a, g)
	if s := r.bound(); err == nil && s != nil {
		t.dir.journal.add(t.target(a), &note{server: s, deleted: true})
	}
	if connectors.KindOf(err) == connectors.NotFound {
		_, err = t.vouch(r.by(), a, connectors.Entry{}, err)
	}
	return err
}

// MoveOut implements connectors.Mover. From a collection that the container is not
// in, what is moved is deleted.
func (t tracked) MoveOut(ctx context.Context, a connectors.Anchor, container string, g connectors.Guard) error {
	ctx, r := follow(ctx, false)
	err := t.collection.MoveOut(ctx, a, container, g)
	if s := r.bound(); err == nil && s != nil {
		t.dir.journal.add(t.target(a), &note{server: s, deleted: !t.within(container)})
	}
	if connectors.KindOf(err) == connectors.NotFound {
		_, err = t.vouch(r.by(), a, connectors.Entry{}, err)
	}
	return err
}

// LiesIn implements connectors.Mover.
func (t tracked) LiesIn(ctx context.Context, a connectors.Anchor, container string) (bool, error) {
	ctx, r := follow(ctx, false)
	lies, err := t.collection.LiesIn(ctx, a, container)
	if _, err := t.vouch(r.by(), a, connectors.Entry{}, err); err != nil {
		return false, err
	}
	return lies, nil
}

// Search implements connectors.Connector. A search is only answered by a server
// that has what was written a moment ago by way of others. That a replica finds
// nothing is no answer: the active server is asked.
func (t tracked) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) {
		if !t.relaxed || !t.search(ctx, q, true, yield) {
			t.search(ctx, q, false, yield)
		}
	}
}

// search reports false if nothing was yielded and the active server shall be
// asked; relaxed says that this may be.
func (t tracked) search(ctx context.Context, q connectors.Query, relaxed bool, yield func(connectors.Entry, error) bool) bool {
	if err := t.catchUp(ctx, q.Where); err != nil && !relaxed {
		yield(connectors.Entry{}, err)
		return true
	}
	ctx, r := follow(ctx, relaxed)
	found, skipped := 0, 0
	missing := map[connectors.Anchor]bool{}
	if anchors, others := splitAnchors(q.Where); relaxed && len(others) == 0 {
		for _, a := range anchors {
			missing[a] = true
		}
	}
	for e, err := range t.collection.Search(ctx, q) {
		if err == nil {
			e, err = t.vouch(r.by(), e.Anchor, e, nil)
		}
		if err != nil && connectors.KindOf(err) == connectors.NotFound {
			skipped++ // it was deleted by way of another server
			continue
		}
		if err != nil && relaxed && found == 0 {
			return false
		}
		found++
		delete(missing, e.Anchor)
		if !yield(e, err) || err != nil {
			return true
		}
	}
	switch s := r.by(); {
	case s == nil: // no request was needed
	case relaxed && found == 0:
		return false
	case relaxed && len(missing) > 0 && (q.Limit == 0 || found < q.Limit):
		q.Where, q.Limit = connectors.AnchorIn(slices.Collect(maps.Keys(missing))), max(q.Limit-found, 0)
		return t.search(ctx, q, false, yield)
	case skipped > 0 && q.Limit > 0 && found+skipped >= q.Limit,
		len(t.dir.journal.owed(t.Name, q.Where, s, t.dir.config.Pin)) > 0,
		t.short(q, found+skipped) && t.dir.pool.failedOver(t.dir.config.Pin):
		yield(connectors.Entry{}, notArrived())
	case found == 0:
		if n := t.dir.journal.doubted(t.Name, q.Where, s); n != nil && !t.dir.pool.settled(n) {
			yield(connectors.Entry{}, notArrived())
		}
	}
	return true
}

// short reports whether a query by anchors found fewer than it asked for.
func (t tracked) short(q connectors.Query, found int) bool {
	anchors, others := splitAnchors(q.Where)
	return anchors != nil && len(others) == 0 && found < len(anchors) && (q.Limit == 0 || found < q.Limit)
}

// catchUp finds out whether the active server has what was written by way of
// others and concerns a condition, by asking for it.
func (t tracked) catchUp(ctx context.Context, cond connectors.Cond) error {
	p := t.dir.pool
	p.mu.Lock()
	s := p.active
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	owed := t.dir.journal.owed(t.Name, cond, s, t.dir.config.Pin)
	if len(owed) == 0 {
		return nil
	}
	var anchors connectors.AnchorIn
	for a := range owed {
		anchors = append(anchors, a)
	}
	only, _ := followOnly(ctx, s)
	for e, err := range t.collection.Search(only, connectors.Query{Where: anchors}) {
		if err != nil {
			return err
		}
		if n := owed[e.Anchor]; t.has(n, e, true) {
			t.dir.journal.prove(n, s)
		}
	}
	if len(t.dir.journal.owed(t.Name, cond, s, t.dir.config.Pin)) > 0 {
		return notArrived()
	}
	return nil
}

// settled reports whether the server that took a write has been well for long
// enough since to have passed it on.
func (p *pool) settled(n *note) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := n.server
	if s.well.IsZero() {
		return s.lost.Sub(n.at) >= p.pin
	}
	from := s.well
	if from.Before(n.at) {
		from = n.at
	}
	return time.Since(from) >= p.pin || s.lost.Sub(n.at) >= p.pin
}
