package rest

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"postern/connectors"
)

// A draft is what an object's attributes are to be, and which of them change.
type draft struct {
	c      *collection
	fields map[connectors.Attr]*connectors.Field
	was    map[connectors.Attr]connectors.Field
	order  []connectors.Attr // of those that are touched
	unseen map[connectors.Attr]bool
}

func (c *collection) draft(e connectors.Entry) *draft {
	d := &draft{c: c, fields: make(map[connectors.Attr]*connectors.Field), was: make(map[connectors.Attr]connectors.Field), unseen: make(map[connectors.Attr]bool)}
	for _, f := range e.Fields {
		known, _ := c.path(f.Attr)
		d.was[known] = f
		d.fields[known] = &connectors.Field{Attr: known, Values: slices.Clone(f.Values), Refs: slices.Clone(f.Refs)}
	}
	return d
}

// change carries out one change on the draft.
func (d *draft) change(ch connectors.Change) error {
	if ch.Empty() {
		return nil
	}
	a, _ := d.c.path(ch.Attr)
	_, isRef := d.c.References[a]
	if a == d.c.Anchor {
		return invalid(ch.Attr, "is set by the application alone")
	}
	if isRef && len(ch.Delete)+len(ch.Add) > 0 || !isRef && len(ch.DeleteRefs)+len(ch.AddRefs) > 0 {
		return invalid(ch.Attr, "holds another kind of value")
	}
	f := d.fields[a]
	if f == nil {
		f = &connectors.Field{Attr: a}
		d.fields[a] = f
	}
	if !slices.Contains(d.order, a) {
		d.order = append(d.order, a)
	}
	if ch.Replace {
		f.Values, f.Refs, d.unseen[a] = nil, nil, true
	}
	if isRef {
		return changeRefs(f, ch)
	}
	m := d.c.Types[a].matching()
	if _, sub := d.c.Subs[a]; sub {
		m.SingleValue = false
	}
	return changeValues(f, ch, m)
}

func changeValues(f *connectors.Field, ch connectors.Change, m connectors.Matching) error {
	find := func(v connectors.Value) int {
		return slices.IndexFunc(f.Values, func(w connectors.Value) bool { return m.Equal(w, v) == connectors.True })
	}
	for _, v := range ch.Delete {
		if i := find(v); i >= 0 {
			f.Values = slices.Delete(f.Values, i, i+1)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a value is not there"}
		}
	}
	for _, v := range ch.Add {
		if v == "" {
			return invalid(ch.Attr, "has an empty value")
		}
		if _, ok := m.Normal(v); !ok {
			return invalid(ch.Attr, "has a value of another syntax")
		}
		if find(v) < 0 {
			f.Values = append(f.Values, v)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a value is there already"}
		}
	}
	if m.SingleValue && len(f.Values) > 1 {
		return invalid(ch.Attr, "can have one value only")
	}
	return nil
}

func changeRefs(f *connectors.Field, ch connectors.Change) error {
	has := make(map[connectors.Target]bool, len(f.Refs))
	for _, t := range f.Refs {
		has[t] = true
	}
	gone := make(map[connectors.Target]bool, len(ch.DeleteRefs))
	for _, t := range ch.DeleteRefs {
		if has[t] {
			gone[t] = true
			delete(has, t)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a reference is not there"}
		}
	}
	f.Refs = slices.DeleteFunc(f.Refs, func(t connectors.Target) bool { return gone[t] })
	for _, t := range ch.AddRefs {
		if !has[t] {
			has[t] = true
			f.Refs = append(f.Refs, t)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a reference is there already"}
		}
	}
	return nil
}

// changed are the attributes that are not what they were, in the order in which
// they were touched.
func (d *draft) changed() []connectors.Attr {
	return slices.DeleteFunc(slices.Clone(d.order), func(a connectors.Attr) bool {
		was, now := d.was[a], d.fields[a]
		return !d.unseen[a] && slices.Equal(was.Values, now.Values) && slices.Equal(was.Refs, now.Refs)
	})
}

// added are the references that an attribute has now and had not.
func (d *draft) added(a connectors.Attr) []connectors.Target {
	return without(d.fields[a].Refs, d.was[a].Refs)
}

func (d *draft) removed(a connectors.Attr) []connectors.Target {
	return without(d.was[a].Refs, d.fields[a].Refs)
}

func without[T comparable](all, some []T) []T {
	drop := make(map[T]bool, len(some))
	for _, t := range some {
		drop[t] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(t T) bool { return drop[t] })
}

// checkTargets refuses references to what is not there: not every application
// does, and some say that they did what they did not.
func (c *collection) checkTargets(ctx context.Context, a connectors.Attr, ts []connectors.Target) error {
	refused := invalid(a, "names no object")
	var anchors connectors.AnchorIn
	var into *collection
	for _, t := range ts {
		if !slices.Contains(c.References[a], t.Collection) || c.References[a][0] != t.Collection || c.app.collections[t.Collection] == nil {
			return refused
		}
		into = c.app.collections[t.Collection]
		anchors = append(anchors, t.Anchor)
	}
	if len(anchors) == 0 {
		return nil
	}
	if into.worthAWalk(len(anchors)) {
		left := make(map[connectors.Anchor]bool, len(anchors))
		for _, anchor := range anchors {
			left[anchor] = true
		}
		for p, err := range into.pages(ctx, &into.List, nil, nil) {
			if err != nil {
				return err
			}
			for _, doc := range p.objects {
				if o, err := into.decode(&into.List.Call, doc, nil, nil); err == nil {
					delete(left, o.entry.Anchor)
				}
			}
			if len(left) == 0 {
				return nil
			}
		}
		anchors = anchors[:0]
		for anchor := range left { // the list may not have everything
			anchors = append(anchors, anchor)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, anchor := range anchors {
		group.Go(func() error {
			_, err := into.Get(ctx, anchor, nil)
			if kindIs(err, connectors.NotFound) {
				return refused
			}
			return err
		})
	}
	return group.Wait()
}
