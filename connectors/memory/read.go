package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"postern/connectors"
)

// A connector is one collection of a backend.
type connector struct {
	b    *Backend
	room *room
}

var (
	_ connectors.Sweeper = (*connector)(nil)
	_ connectors.Watcher = (*connector)(nil)
)

func (c *connector) Capabilities() connectors.Capabilities {
	return connectors.Capabilities{
		Server:   "memory",
		Conds:    c.b.declared,
		Guard:    c.b.guard,
		Watch:    c.b.told.keep > 0,
		Matching: c.room.matching,
	}
}

func (c *connector) Get(ctx context.Context, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	if err := c.b.enter(ctx, OpGet); err != nil {
		return connectors.Entry{}, err
	}
	e, err := c.get(a, want)
	if err := c.b.leave(ctx, OpGet); err != nil {
		return connectors.Entry{}, err
	}
	return e, err
}

func (c *connector) get(a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	c.b.mu.RLock()
	defer c.b.mu.RUnlock()
	o := c.room.objects[a]
	if o == nil {
		return connectors.Entry{}, &connectors.Error{Kind: connectors.NotFound}
	}
	return c.render(o, want), nil
}

func (c *connector) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) {
		if err := c.b.enter(ctx, OpSearch); err != nil {
			yield(connectors.Entry{}, err)
			return
		}
		found, err := c.find(q)
		for _, e := range found {
			if ctx.Err() != nil {
				yield(connectors.Entry{}, timeout(ctx))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if lost := c.b.leave(ctx, OpSearch); lost != nil {
			err = lost
		}
		if err != nil {
			yield(connectors.Entry{}, err)
		}
	}
}

// find returns what a search gives, all as of one moment.
func (c *connector) find(q connectors.Query) ([]connectors.Entry, error) {
	if asked := connectors.KindsOf(q.Where) &^ c.b.declared; asked != 0 {
		return nil, &connectors.Error{Kind: connectors.Unsupported, Reason: "this condition can not be searched by"}
	}
	c.b.mu.RLock()
	defer c.b.mu.RUnlock()
	asks := connectors.AttrsOf(q.Where)
	var found []connectors.Entry
	for o := range c.candidates(q.Where) {
		if connectors.Match(q.Where, c.view(o, asks), c.room.readable) != connectors.True {
			continue
		}
		if limit := c.b.options.SearchLimit; limit > 0 && len(found) == limit {
			return found, &connectors.Error{Kind: connectors.TooMany}
		}
		found = append(found, c.render(o, q.Want))
		if len(found) == q.Limit {
			break
		}
	}
	return found, nil
}

// candidates yields the objects among which the answer is, in the order of
// their creation.
func (c *connector) candidates(where connectors.Cond) iter.Seq[*object] {
	order := c.room.order
	if in, ok := where.(connectors.AnchorIn); ok {
		order = nil
		for _, a := range in {
			if o := c.room.objects[a]; o != nil {
				order = append(order, place{o.serial, a})
			}
		}
		slices.SortFunc(order, func(p, q place) int { return cmp.Compare(p.serial, q.serial) })
		order = slices.Compact(order)
	}
	return func(yield func(*object) bool) {
		for _, p := range order {
			if !yield(c.room.objects[p.anchor]) {
				return
			}
		}
	}
}

// render makes the entry of an object, for keeps.
func (c *connector) render(o *object, want []connectors.Attr) connectors.Entry {
	e := c.view(o, want)
	for i := range e.Fields {
		e.Fields[i].Values = slices.Clone(e.Fields[i].Values)
	}
	return e
}

// view makes the entry of an object, to be looked at while the lock is held.
func (c *connector) view(o *object, want []connectors.Attr) connectors.Entry {
	e := connectors.Entry{Anchor: o.anchor, Stamp: o.stamp}
	if len(want) > 0 {
		e.Fields = make([]connectors.Field, 0, len(want))
	}
	for i, a := range want {
		l := lower(a)
		if c.room.writeOnly[l] || slices.Contains(want[:i], a) {
			continue
		}
		f := connectors.Field{Attr: a}
		if from, ok := c.room.reverse[l]; ok {
			f.Refs = c.b.holders(from, o.name)
		} else {
			stored := o.field(l)
			f.Values, f.Refs = stored.values, c.b.targets(stored.refs, c.room.refs[l])
		}
		if !f.Empty() {
			e.Fields = append(e.Fields, f)
		}
	}
	return e
}

// targets returns the objects that some names belong to, without the dead ones
// and those outside the collections.
func (b *Backend) targets(names []name, into []string) []connectors.Target {
	var ts []connectors.Target
	for _, n := range names {
		if o := b.named[n]; o != nil && slices.Contains(into, n.collection) {
			ts = append(ts, connectors.Target{Collection: n.collection, Anchor: o.anchor})
		}
	}
	return ts
}

// holders returns the objects that refer to a name, in the order of their
// creation.
func (b *Backend) holders(from Reverse, to name) []connectors.Target {
	r := b.rooms[from.Collection]
	if r == nil || !slices.Contains(r.refs[from.Attr], to.collection) {
		return nil
	}
	var ps []place
	for a := range b.holds[edge{from.Collection, from.Attr, to}] {
		ps = append(ps, place{r.objects[a].serial, a})
	}
	slices.SortFunc(ps, func(p, q place) int { return cmp.Compare(p.serial, q.serial) })
	var ts []connectors.Target
	for _, p := range ps {
		ts = append(ts, connectors.Target{Collection: from.Collection, Anchor: p.anchor})
	}
	return ts
}
