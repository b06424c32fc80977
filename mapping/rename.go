package mapping

import (
	"strings"

	"postern/scim"
)

// RenameFilter returns the filter with every id that it compares something with
// replaced by what rename makes of it: the id of the resource, that in its
// location, and the ids in references and in their $ref.
func (m *Mapping) RenameFilter(f scim.Filter, rename func(id string) string) scim.Filter {
	return scim.MapFilter(f, func(c scim.Compare, of *scim.Attribute) scim.Filter {
		attr, sub := c.Path.Attr, c.Path.Sub
		if of != nil {
			attr, sub = of, c.Path.Attr
		}
		if c.Op == scim.Eq || c.Op == scim.Ne {
			c.Value = m.renamed(attr, sub, c.Value, rename)
		}
		return c
	})
}

// renamed renames what a filter compares an attribute with.
func (m *Mapping) renamed(attr, sub *scim.Attribute, v scim.Value, rename func(string) string) scim.Value {
	p := m.property(attr)
	switch {
	case attr == m.rt.ID(), p != nil && p.value != nil && (sub == nil || sub == p.value):
		if id := v.Text(); v.Kind() == scim.KindString && (attr != m.rt.ID() || exact(id)) {
			return scim.Str(rename(id))
		}
	case attr == m.rt.Meta() && sub != nil && sub.Name == "location", p != nil && p.value != nil && sub == p.ref:
		uri := v.Text()
		at := strings.LastIndexByte(uri, '/') + 1
		if !exact(uri[at:]) {
			return v
		}
		return scim.Str(uri[:at] + rename(uri[at:]))
	}
	return v
}

// exact reports whether an id is written as clients are shown it: where ids are
// compared exactly, another writing is no id (RFC 7643 §3.1).
func exact(id string) bool { return id == strings.ToLower(id) }

// RenamePatch returns the patch with every id that it names as a reference
// replaced by what rename makes of it.
func (m *Mapping) RenamePatch(p scim.Patch, rename func(id string) string) scim.Patch {
	ops := make([]scim.Operation, len(p.Ops))
	for i, op := range p.Ops {
		if prop := m.property(op.Path.Attr); prop != nil && prop.value != nil {
			if op.Path.Filter != nil {
				op.Path.Filter = m.RenameFilter(scim.ValuePath{Attr: op.Path.Attr, Filter: op.Path.Filter}, rename).(scim.ValuePath).Filter
			}
			if op.Path.Sub == nil || op.Path.Sub == prop.value {
				op.Value = prop.renamed(op.Value, rename)
			}
		}
		ops[i] = op
	}
	p.Ops = ops
	return p
}

// renamed renames the ids in a value of a reference attribute.
func (p *property) renamed(v scim.Value, rename func(string) string) scim.Value {
	switch v.Kind() {
	case scim.KindList:
		items := make([]scim.Value, v.Len())
		for i, item := range v.Items() {
			items[i] = p.renamed(item, rename)
		}
		return scim.List(items...)
	case scim.KindComplex:
		if id := v.Object().Get(p.value); !id.IsAbsent() {
			return scim.Obj(v.Object().With(p.value, scim.Str(rename(id.Text()))))
		}
	case scim.KindString:
		return scim.Str(rename(v.Text()))
	}
	return v
}
