package memory

import (
	"slices"

	"postern/connectors"
)

// change carries out one change on a copy that is not stored yet.
func (c *connector) change(o *object, ch connectors.Change) error {
	a := lower(ch.Attr)
	m, known := c.room.rule(a)
	into, isRef := c.room.refs[a]
	switch {
	case ch.Empty():
		return nil
	case ch.Place != nil:
		return errPlaces
	case !known:
		return invalid(ch.Attr, "is not an attribute of the backend")
	case m.ReadOnly:
		return invalid(ch.Attr, "is set by the backend alone")
	case isRef && len(ch.Delete)+len(ch.Add) > 0, !isRef && len(ch.DeleteRefs)+len(ch.AddRefs) > 0:
		return invalid(ch.Attr, "holds another kind of value")
	}
	f := o.edit(a)
	if ch.Replace {
		f.values, f.refs = nil, nil
	}
	if isRef {
		return c.changeRefs(f, ch, into)
	}
	return changeValues(f, ch, m)
}

func changeValues(f *field, ch connectors.Change, m connectors.Matching) error {
	values := slices.Clone(f.values)
	for _, v := range ch.Delete {
		i := find(m, values, v)
		if i >= 0 {
			values = slices.Delete(values, i, i+1)
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
		if find(m, values, v) < 0 {
			values = append(values, v)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a value is there already"}
		}
	}
	f.values = values
	return nil
}

func (c *connector) changeRefs(f *field, ch connectors.Change, into []string) error {
	has := make(map[name]bool, len(f.refs))
	for _, n := range f.refs {
		has[n] = true
	}
	gone := make(map[name]bool, len(ch.DeleteRefs))
	for _, t := range ch.DeleteRefs {
		n, ok := c.b.nameOf(t)
		if ok && has[n] {
			gone[n] = true
			delete(has, n)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a reference is not there"}
		}
	}
	refs := slices.DeleteFunc(slices.Clone(f.refs), func(n name) bool { return gone[n] })
	for _, t := range ch.AddRefs {
		n, ok := c.b.nameOf(t)
		if !ok || !slices.Contains(into, t.Collection) {
			return invalid(ch.Attr, "names no object")
		}
		if !has[n] {
			has[n] = true
			refs = append(refs, n)
		} else if !ch.Lenient {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: ch.Attr, Reason: "a reference is there already"}
		}
	}
	f.refs = refs
	return nil
}

// check returns what stands against storing o in the place of old, and settles
// its name.
func (c *connector) check(old, o *object, touched []connectors.Attr) error {
	r := c.room
	for _, a := range touched {
		f := o.field(lower(a))
		if m, _ := r.rule(f.attr); m.SingleValue && len(f.values)+len(f.refs) > 1 {
			return invalid(a, "can have one value only")
		}
	}
	for _, a := range r.Required {
		if f := o.field(lower(a)); len(f.values)+len(f.refs) == 0 {
			return invalid(a, "must have a value")
		}
	}
	names := o.field(lower(o.naming)).values
	if len(names) == 0 {
		return invalid(o.naming, "must have a value, it names the object")
	}
	// The value that names the object goes on to do so as long as it is there.
	if !slices.Contains(names, o.rdn) {
		o.rdn = names[0]
	}
	o.name = name{r.Name, normal(r, o.naming, o.rdn)}
	if other := c.b.named[o.name]; other != nil && other.anchor != o.anchor {
		return &connectors.Error{Kind: connectors.Exists, Attr: o.naming}
	}
	for _, a := range r.Unique {
		if c.taken(o, old, lower(a)) {
			return &connectors.Error{Kind: connectors.Exists, Attr: a}
		}
	}
	return nil
}

// taken reports whether another object has a value of the attribute. Values
// that the object had before need no look.
func (c *connector) taken(o, old *object, a connectors.Attr) bool {
	m, _ := c.room.rule(a)
	fresh := o.field(a).values
	if old != nil {
		fresh = slices.DeleteFunc(slices.Clone(fresh), func(v connectors.Value) bool {
			return find(m, old.field(a).values, v) >= 0
		})
	}
	if len(fresh) == 0 {
		return false
	}
	for _, other := range c.room.objects {
		if other.anchor == o.anchor {
			continue
		}
		for _, v := range other.field(a).values {
			if find(m, fresh, v) >= 0 {
				return true
			}
		}
	}
	return false
}

// nameOf returns the name of an object that exists.
func (b *Backend) nameOf(t connectors.Target) (name, bool) {
	r := b.rooms[t.Collection]
	if r == nil {
		return name{}, false
	}
	o := r.objects[t.Anchor]
	if o == nil {
		return name{}, false
	}
	return o.name, true
}

// find returns the index of the value that is equal by the rule, or -1.
func find(m connectors.Matching, in []connectors.Value, v connectors.Value) int {
	return slices.IndexFunc(in, func(w connectors.Value) bool { return m.Equal(w, v) == connectors.True })
}

// same reports whether two states of an object hold the same, in any order of
// their attributes.
func same(a, b *object) bool {
	for _, f := range a.fields {
		if g := b.field(f.attr); !slices.Equal(f.values, g.values) || !slices.Equal(f.refs, g.refs) {
			return false
		}
	}
	for _, f := range b.fields {
		if g := a.field(f.attr); len(g.values)+len(g.refs) == 0 && len(f.values)+len(f.refs) > 0 {
			return false
		}
	}
	return true
}

var errPlaces = &connectors.Error{Kind: connectors.Unsupported, Reason: "objects do not lie in containers here"}

func invalid(a connectors.Attr, reason string) error {
	return &connectors.Error{Kind: connectors.Invalid, Attr: a, Reason: reason}
}
