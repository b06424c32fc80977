package rest

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"postern/connectors"
)

// Create implements connectors.Connector. Where it takes several calls and one of
// the later ones fails, the object is deleted again.
func (c *collection) Create(ctx context.Context, d connectors.Draft, want []connectors.Attr) (connectors.Entry, error) {
	if !c.Collection.Create.declared() {
		return connectors.Entry{}, errUnsupported("create")
	}
	if !d.Place.IsZero() {
		return connectors.Entry{}, errPlaces
	}
	if err := ctx.Err(); err != nil {
		return connectors.Entry{}, gaveUp(err)
	}
	n := c.draft(connectors.Entry{})
	for _, f := range d.Fields {
		err := n.change(connectors.Change{Attr: f.Attr, Add: f.Values, AddRefs: f.Refs})
		if kindIs(err, connectors.GuardFailed) { // what is twice in a draft is a mistake, not a conflict
			err = invalid(f.Attr, "has a value twice")
		}
		if err != nil {
			return connectors.Entry{}, err
		}
	}
	for _, a := range n.order {
		if err := c.checkTargets(ctx, a, n.fields[a].Refs); err != nil {
			return connectors.Entry{}, err
		}
	}
	body, _, err := c.body(n, n.changed(), make(map[string]any), false)
	if err != nil {
		return connectors.Entry{}, err
	}
	return c.app.detached(ctx, func() {}, func(ctx context.Context) (connectors.Entry, error) {
		return c.create(ctx, d, n, body, want)
	})
}

func (c *collection) create(ctx context.Context, d connectors.Draft, n *draft, body any, want []connectors.Attr) (connectors.Entry, error) {
	a, err := c.app.client.do(ctx, request{call: &c.Collection.Create, body: c.Collection.Create.wrapped(body), hasBody: true})
	if err != nil {
		if kindIs(err, connectors.NotFound) { // the place where objects are made, and no object
			err = &connectors.Error{Kind: connectors.Unavailable, Err: err}
		}
		return connectors.Entry{}, err
	}
	var o object
	whole := false
	if doc, ok := c.Collection.Create.Object.get(a.doc); ok && c.Collection.Create.HasObject {
		o, err = c.decode(&c.Collection.Create, doc, a.header, want)
		whole = err == nil && !c.lacks(&c.Collection.Create, want)
	}
	if o.entry.Anchor == "" {
		if o.entry.Anchor, err = c.made(ctx, d, a); err != nil {
			return connectors.Entry{}, err
		}
	}
	c.app.changed(c, o.entry.Anchor)
	s := &steps{c: c, anchor: o.entry.Anchor}
	s.undo = append(s.undo, func(ctx context.Context) error { return s.call(ctx, &c.Collection.Delete, nil) })
	more, err := s.rest(ctx, n)
	if err != nil {
		return connectors.Entry{}, s.fail(ctx, err)
	}
	c.app.changed(c, o.entry.Anchor)
	if whole && !more {
		return o.entry, nil
	}
	e, err := c.Get(ctx, o.entry.Anchor, want)
	if err != nil {
		err = &connectors.Error{Kind: connectors.Timeout, Err: err} // it is made, and can not be shown
	}
	return e, err
}

// made finds the anchor of a new object that the answer does not show: in the
// Location, or by its name.
func (c *collection) made(ctx context.Context, d connectors.Draft, a answer) (connectors.Anchor, error) {
	if u, err := a.url.Parse(a.header.Get("Location")); err == nil && a.header.Get("Location") != "" {
		if anchor := c.anchorIn(u); anchor != "" {
			if e, err := c.Get(ctx, anchor, nil); err == nil {
				return e.Anchor, nil
			}
		}
	}
	if name := d.Field(d.Name); len(name.Values) > 0 {
		for e, err := range c.Search(ctx, connectors.Query{Where: connectors.Equal{Attr: d.Name, Value: name.Values[0]}, Limit: 1}) {
			if err == nil {
				return e.Anchor, nil
			}
		}
	}
	return "", &connectors.Error{Kind: connectors.Timeout, Err: c.strange(&c.Collection.Create, "the answer does not tell which object was made")}
}

// anchorIn reads the last segment of a path, without what stands around the
// anchor there in the call that reads.
func (c *collection) anchorIn(u *url.URL) connectors.Anchor {
	last := u.EscapedPath()[strings.LastIndexByte(u.EscapedPath(), '/')+1:]
	for _, segment := range c.Read.Target.segments {
		for i, p := range segment {
			if p.name != phAnchor {
				continue
			}
			if i > 0 {
				last = strings.TrimPrefix(last, segment[i-1].literal)
			}
			if i+1 < len(segment) {
				last = strings.TrimSuffix(last, segment[i+1].literal)
			}
		}
	}
	plain, err := url.PathUnescape(last)
	if err != nil {
		return ""
	}
	return connectors.Anchor(plain)
}

// rest makes the calls for what does not go into the body of a new object.
func (s *steps) rest(ctx context.Context, n *draft) (more bool, err error) {
	for _, a := range n.changed() {
		now := n.fields[a]
		switch {
		case s.c.Switches[a] != nil:
			e, err := s.c.Get(ctx, s.anchor, []connectors.Attr{a})
			if err != nil {
				return true, err
			}
			more = true
			if is := e.Field(a).Values; len(is) == 1 && s.c.Types[a].matching().Equal(is[0], now.Values[0]) == connectors.True {
				continue
			}
			if err := s.flip(ctx, a, nil, now.Values); err != nil {
				return true, err
			}
		case s.c.isSub(a):
			if err := s.sub(ctx, a, nil, now.Values); err != nil {
				return true, err
			}
			more = true
		case s.c.Members[a].calls():
			if err := s.members(ctx, a, now.Refs, nil); err != nil {
				return true, err
			}
			more = true
		}
	}
	return more, nil
}

func (c *collection) isSub(a connectors.Attr) bool {
	_, ok := c.Subs[a]
	return ok
}

// apart reports whether an attribute is written by calls of its own.
func (c *collection) apart(a connectors.Attr) bool {
	return c.Switches[a] != nil || c.isSub(a) || c.Members[a].calls()
}

// body puts the attributes that go into a body into an object; any says whether
// there is one. Where was is set, it is what they were that is put there.
func (c *collection) body(n *draft, attrs []connectors.Attr, into any, was bool) (body any, some bool, err error) {
	for _, a := range attrs {
		if c.apart(a) {
			continue
		}
		f := *n.fields[a]
		if was {
			f = n.was[a]
		}
		_, p := c.path(a)
		var v any
		if _, isRef := c.References[a]; isRef {
			v, err = c.writeRefs(a, f.Refs)
		} else {
			v, err = c.Types[a].write(a, f.Values)
		}
		if err != nil {
			return nil, false, err
		}
		into, some = p.put(into, v), true
	}
	return into, some, nil
}

// writeRefs writes references: an array where several are possible.
func (c *collection) writeRefs(a connectors.Attr, ts []connectors.Target) (any, error) {
	list := make([]any, len(ts))
	for i, t := range ts {
		kind := c.Types[a]
		kind.List = false
		v, err := kind.write(a, []connectors.Value{connectors.Value(t.Anchor)})
		if err != nil {
			return nil, err
		}
		list[i] = c.Members[a].Value.put(nil, v)
	}
	if m, declared := c.Members[a]; c.Types[a].List || declared && !m.calls() {
		return list, nil
	}
	switch {
	case len(list) > 1:
		return nil, invalid(a, "can have one value only")
	case len(list) == 0:
		return nil, nil
	}
	return list[0], nil
}

// tries is how often a write is tried because the version had moved meanwhile.
const tries = 20

// Apply implements connectors.Connector: the object is read, compared with what
// the changes and the guard expect, and written, under a lock that keeps this
// process from writing it twice at the same time. With a version the write is
// conditional in the application too. Without one, a writer past this process who
// is faster than the time between the two calls is not seen.
//
// What takes several calls is undone where a later one is refused. A crash in
// between leaves what was done by then.
func (c *collection) Apply(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, want []connectors.Attr) (connectors.Entry, error) {
	if g.Level > c.caps.Guard {
		return connectors.Entry{}, errGuard
	}
	if slices.ContainsFunc(cs, func(ch connectors.Change) bool { return ch.Place != nil }) {
		return connectors.Entry{}, errPlaces
	}
	release, err := c.app.locks.acquire(ctx, c.Name+"\x00"+string(a))
	if err != nil {
		return connectors.Entry{}, err
	}
	need := slices.Clone(want)
	for _, ch := range cs {
		need = append(need, ch.Attr)
	}
	return c.app.detached(ctx, release, func(own context.Context) (connectors.Entry, error) {
		for try := 1; ; try++ {
			o, n, err := c.prepare(ctx, a, cs, g, need)
			if err != nil {
				return connectors.Entry{}, err
			}
			if len(n.changed()) == 0 {
				return pick(o.entry, want), nil
			}
			e, err := c.write(own, o, n, want)
			if !kindIs(err, connectors.GuardFailed) || !c.Version.has || try == tries {
				return e, err
			}
			// Somebody else wrote: what is asked for may still be possible.
		}
	})
}

var errPlaces = &connectors.Error{Kind: connectors.Unsupported, Unsent: true, Reason: "the application has no containers"}

var errGuard = &connectors.Error{Kind: connectors.Unsupported, Unsent: true, Reason: "a write can not be made conditional on that"}

// prepare reads the object and finds out what is to be written.
func (c *collection) prepare(ctx context.Context, a connectors.Anchor, cs []connectors.Change, g connectors.Guard, need []connectors.Attr) (object, *draft, error) {
	o, err := c.guarded(ctx, a, g, need)
	if err != nil {
		return o, nil, err
	}
	n := c.draft(o.entry)
	for _, ch := range cs {
		if err := n.change(ch); err != nil {
			return o, nil, err
		}
	}
	for _, attr := range n.changed() {
		if err := c.checkTargets(ctx, attr, n.added(attr)); err != nil {
			return o, nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return o, nil, gaveUp(err)
	}
	return o, n, nil
}

// guarded reads the object if it is as the guard expects.
func (c *collection) guarded(ctx context.Context, a connectors.Anchor, g connectors.Guard, need []connectors.Attr) (object, error) {
	for _, f := range g.Read {
		need = append(need, f.Attr)
	}
	o, err := c.read(ctx, a, need)
	if err != nil {
		return o, err
	}
	if g.Level == connectors.GuardEntry && g.Stamp != o.entry.Stamp {
		return o, &connectors.Error{Kind: connectors.GuardFailed}
	}
	for _, f := range g.Read {
		now := o.entry.Field(f.Attr)
		if f.Empty() != now.Empty() || len(without(f.Values, now.Values))+len(without(f.Refs, now.Refs)) > 0 {
			return o, &connectors.Error{Kind: connectors.GuardFailed, Attr: f.Attr}
		}
	}
	return o, nil
}

// write makes the calls that a change takes: first the one that can be
// conditional.
func (c *collection) write(ctx context.Context, o object, n *draft, want []connectors.Attr) (connectors.Entry, error) {
	anchor := o.entry.Anchor
	s := &steps{c: c, anchor: anchor, version: string(o.entry.Stamp)}
	c.app.changed(c, anchor)
	defer c.app.changed(c, anchor)
	e, whole, err := s.update(ctx, o, n, want)
	if err != nil {
		return e, err
	}
	for _, a := range n.changed() {
		was, now := n.was[a], n.fields[a]
		var err error
		switch {
		case c.Switches[a] != nil:
			err = s.flip(ctx, a, was.Values, now.Values)
		case c.isSub(a):
			err = s.sub(ctx, a, was.Values, now.Values)
		case c.Members[a].calls():
			err = s.members(ctx, a, n.added(a), n.removed(a))
		default:
			continue
		}
		if err != nil {
			return connectors.Entry{}, s.fail(ctx, err)
		}
		whole = false
	}
	if whole {
		return e, nil
	}
	e, err = c.Get(ctx, anchor, want)
	if err != nil && !kindIs(err, connectors.NotFound) {
		err = &connectors.Error{Kind: connectors.Timeout, Err: err} // it is written, and can not be shown
	}
	return e, err
}

// update makes the call that changes the object itself, if anything goes by it.
// whole says that its answer is the entry as it is now.
func (s *steps) update(ctx context.Context, o object, n *draft, want []connectors.Attr) (e connectors.Entry, whole bool, err error) {
	c := s.c
	call := &c.Update
	send := func(ctx context.Context, version connectors.Stamp, raw any, was bool) (answer, error) {
		var into any = make(map[string]any)
		if c.Whole {
			into = clone(o.doc)
		}
		body, _, err := c.body(n, n.changed(), into, was)
		if err != nil {
			return answer{}, err
		}
		r := request{call: call, values: map[string]string{phAnchor: string(s.anchor), phVersion: string(version)}, hasBody: true}
		if c.Version.has && c.Version.Header {
			r.ifMatch = string(version)
		} else if c.Version.has && raw != nil {
			body = c.Version.Field.put(body, raw)
		}
		r.body = call.wrapped(body)
		return c.app.client.do(ctx, r)
	}
	if _, some, err := c.body(n, n.changed(), make(map[string]any), false); err != nil || !some {
		return e, false, err
	}
	if !call.declared() {
		return e, false, errUnsupported("update")
	}
	a, err := send(ctx, o.entry.Stamp, o.stamp, false)
	if err != nil {
		return e, false, err
	}
	if doc, ok := call.Object.get(a.doc); ok && call.HasObject {
		if now, err := c.decode(call, doc, a.header, want); err == nil && now.entry.Anchor == s.anchor {
			e, whole = now.entry, !c.lacks(call, want)
			if c.Version.has && now.entry.Stamp == "" {
				whole = false
			}
		}
	}
	s.undo = append(s.undo, func(ctx context.Context) error {
		now, err := c.read(ctx, s.anchor, nil)
		if err != nil {
			return err
		}
		for a := range n.unseen {
			return &connectors.Error{Kind: connectors.Timeout, Attr: a} // what was there is not known
		}
		_, err = send(ctx, now.entry.Stamp, now.stamp, true)
		return err
	})
	return e, whole, nil
}

// Delete implements connectors.Connector.
func (c *collection) Delete(ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
	if g.Level > c.caps.Guard {
		return errGuard
	}
	if !c.Collection.Delete.declared() {
		return errUnsupported("delete")
	}
	release, err := c.app.locks.acquire(ctx, c.Name+"\x00"+string(a))
	if err != nil {
		return err
	}
	_, err = c.app.detached(ctx, release, func(own context.Context) (connectors.Entry, error) {
		for try := 1; ; try++ {
			o, err := c.guarded(ctx, a, g, nil)
			if err != nil {
				return connectors.Entry{}, err
			}
			if err := ctx.Err(); err != nil {
				return connectors.Entry{}, gaveUp(err)
			}
			c.app.changed(c, a)
			r := request{call: &c.Collection.Delete, values: map[string]string{phAnchor: string(a), phVersion: string(o.entry.Stamp)}}
			if c.Version.has && c.Version.Header {
				r.ifMatch = string(o.entry.Stamp)
			}
			_, err = c.app.client.do(own, r)
			c.app.changed(c, a)
			if !kindIs(err, connectors.GuardFailed) || !c.Version.has || try == tries {
				return connectors.Entry{}, err
			}
		}
	})
	return err
}
