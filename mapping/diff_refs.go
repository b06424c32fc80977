package mapping

import (
	"slices"

	"postern/connectors"
	"postern/scim"
)

// references plans a reference attribute from what it is to be as a whole.
func (pl *planner) references(p *property, v scim.Value) {
	r := p.rules[0]
	var have []connectors.Target
	if f := fieldAt(pl.e, r.attr, r.slot); f != nil {
		have = f.Refs
	}
	if r.write == writeNever && pl.mode != patching {
		return
	}
	items := v.Items()
	want := make(map[connectors.Target]bool, len(items))
	c := connectors.Change{Attr: r.attr}
	had := make(map[connectors.Target]bool, len(have))
	for _, t := range have {
		had[t] = true
	}
	if p.shape == shapeReference && len(have) > 1 {
		i := r.shownRef(have) // the others stay
		have = have[i : i+1 : i+1]
	}
	for _, item := range items {
		id := p.id(item)
		if id == "" {
			pl.fail(scim.InvalidValue("%s: a reference needs the id of a resource as its value", r.path))
			return
		}
		ref, ok := pl.named[id]
		if !ok {
			var err error
			if ref, err = r.target(pl.refs, id); err != nil {
				pl.fail(err)
				return
			}
		}
		if t := ref.Target; !want[t] && !ref.among(had) {
			c.AddRefs = append(c.AddRefs, t)
		}
		for t := range ref.all {
			want[t] = true
		}
	}
	for _, t := range have {
		if !want[t] {
			c.DeleteRefs = append(c.DeleteRefs, t)
		}
	}
	if !c.Empty() && pl.may(r, len(have) > 0, len(items) == 0) && pl.whole(r) {
		pl.change(r, c)
	}
}

// elementwise is what a patch adds to references and takes from them, where that
// can be done without knowing what is there: not where it matters whether there
// is something.
func (p *property) elementwise(patch scim.Patch) (add, remove []scim.Value, ok bool) {
	if p.shape != shapeReferences || p.attr.Required || p.rules[0].write == writeCreate {
		return nil, nil, false
	}
	return patch.Elementwise(p.attr)
}

// plannable refuses an operation that selects references by what is not known here,
// by what they show or by the text of their ids: nothing would be selected silently,
// or everything.
func (m *Mapping) plannable(op scim.Operation) error {
	for _, d := range m.displays {
		if d.Of == op.Path.Attr && slices.Contains(scim.AttributesOf(op.Path.Filter), d.Sub) {
			return scim.InvalidPath("%s can not select what a PATCH changes; use %s", subPath(d.Of, d.Sub), subPath(d.Of, m.property(d.Of).value))
		}
	}
	if p := m.property(op.Path.Attr); p != nil && p.value != nil {
		return p.selectable(op.Path.Filter)
	}
	return nil
}

// selectable refuses a filter on references that asks more of an id than whether it
// is a given one: ids are not looked up for it, so that it would select others than
// a client sees.
func (p *property) selectable(f scim.Filter) error {
	var parts []scim.Filter
	switch f := f.(type) {
	case scim.And:
		parts = f
	case scim.Or:
		parts = f
	case scim.Not:
		parts = []scim.Filter{f.Filter}
	case scim.Compare:
		switch {
		case f.Path.Attr == p.value && f.Op != scim.Eq && f.Op != scim.Ne:
			return scim.InvalidPath("%s can select what a PATCH changes by eq and ne alone, not by %s", subPath(p.attr, p.value), f.Op)
		case f.Path.Attr.Type == scim.Reference:
			return scim.InvalidPath("%s can not select what a PATCH changes; use %s", subPath(p.attr, f.Path.Attr), subPath(p.attr, p.value))
		}
	}
	for _, part := range parts {
		if err := p.selectable(part); err != nil {
			return err
		}
	}
	return nil
}

// elementwise plans references that come and go one by one. Where the entry was
// read only the difference is written; else all of it, as a change of sets. An
// id to remove that names nothing can not be a member and is passed over.
func (pl *planner) elementwise(p *property, add, remove []scim.Value) {
	r := p.rules[0]
	c := connectors.Change{Attr: r.attr}
	adding := make(map[connectors.Target]bool, len(add))
	var others map[connectors.Target]Referent // by what is added, where others may stand for it
	for _, v := range add {
		ref, err := r.target(pl.refs, p.id(v))
		if err != nil {
			pl.fail(err)
			return
		}
		t := ref.Target
		if len(ref.Others) > 0 {
			if others == nil {
				others = make(map[connectors.Target]Referent)
			}
			others[t] = ref
		}
		if !adding[t] {
			adding[t] = true
			c.AddRefs = append(c.AddRefs, t)
		}
	}
	removing := make(map[connectors.Target]bool, len(remove))
	for _, v := range remove {
		ref, err := r.target(pl.refs, p.id(v))
		if err != nil {
			pl.ignore(r.path + "[value eq " + scim.Str(p.id(v)).String() + "]")
			continue
		}
		if adding[ref.Target] {
			continue
		}
		for t := range ref.all {
			if !removing[t] {
				removing[t] = true
				c.DeleteRefs = append(c.DeleteRefs, t)
			}
		}
	}
	f := fieldAt(pl.e, r.attr, r.slot)
	if f == nil || len(f.Refs) == 0 || f.Partial {
		c.Lenient = true
	} else {
		had := make(map[connectors.Target]bool, len(adding)+len(removing))
		for _, t := range f.Refs {
			if adding[t] || removing[t] {
				had[t] = true
			}
		}
		if others != nil {
			for _, t := range f.Refs {
				had[t] = true
			}
		}
		c.AddRefs = keep(c.AddRefs, func(t connectors.Target) bool { return !had[t] && !others[t].among(had) })
		c.DeleteRefs = keep(c.DeleteRefs, func(t connectors.Target) bool { return had[t] })
	}
	if !c.Empty() && pl.may(r, f != nil, false) {
		pl.change(r, c)
	}
}

func keep(list []connectors.Target, ok func(connectors.Target) bool) []connectors.Target {
	var out []connectors.Target
	for _, t := range list {
		if ok(t) {
			out = append(out, t)
		}
	}
	return out
}
