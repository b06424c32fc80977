package mapping

import (
	"slices"

	"postern/connectors"
	"postern/scim"
)

// Refs holds what the SCIM ids of a request stand for. An id that is not in it
// names nothing.
type Refs map[string]Referent

// A Referent is what an id stands for: the object that is referred to by it, and
// the Others of the same resource, which a reference may name as well since two
// resources were merged. Who asks for the resource finds and removes both.
type Referent struct {
	connectors.Target
	Others []connectors.Target
}

// Names holds, for the reference attributes of an entry, the SCIM ids aligned
// with Field.Refs. An empty id hides its reference, and so does a list that is
// missing or too short.
type Names map[connectors.Attr][]string

// Needs is what a PATCH can only be planned with.
type Needs struct {
	Want  []connectors.Attr // backend attributes of the object
	IDs   []string          // SCIM ids that it names as references
	Blind bool              // nothing needs to be read: members come and go one by one
}

// Needs returns what Plan has to be given.
func (m *Mapping) Needs(p scim.Patch) Needs {
	n := Needs{Blind: len(p.Ops) > 0}
	for _, op := range p.Ops {
		prop := m.property(op.Path.Attr)
		if prop == nil {
			n.Blind = false
			continue
		}
		if prop.value != nil {
			n.IDs = appendIDs(n.IDs, prop, op.Value)
			n.IDs = filterIDs(n.IDs, prop, op.Path.Filter)
		}
	}
	for _, prop := range m.properties {
		if !p.Touches(prop.attr) {
			continue
		}
		if _, _, ok := prop.elementwise(p); ok {
			continue
		}
		n.Blind = false
		for _, r := range prop.rules {
			n.Want = appendNew(n.Want, r.readable())
			if r.fallback != nil {
				n.Want = r.fallback.wants(n.Want, depthOfDefault)
			}
		}
		placed := m.placing != nil && m.placing.uses(prop)
		if m.naming != nil && m.naming.uses(prop) || placed && m.Numbers() {
			n.Want = appendNew(n.Want, []connectors.Attr{m.naming.attr})
			n.Want = m.naming.template.wants(n.Want, depthOfName)
		}
		if placed && m.naming != nil { // what refers to it by its name has to follow
			n.Want = appendNew(n.Want, []connectors.Attr{m.naming.attr})
		}
		if placed {
			n.Want = m.placing.wants(n.Want)
		}
	}
	return n
}

// wants appends the attributes that the template can show.
func (t *template) wants(want []connectors.Attr, depth int) []connectors.Attr {
	for input := range t.inputs {
		want = appendNew(want, input.readable())
		if depth > 0 && input.fallback != nil {
			want = input.fallback.wants(want, depth-1)
		}
	}
	return want
}

// uses reports whether the name is made of something in the property.
func (n *naming) uses(p *property) bool {
	for input := range n.template.inputs {
		if input.property == p {
			return true
		}
	}
	return false
}

// NeedsCreate returns the SCIM ids that a whole resource names as references,
// for Create and for PlanReplace.
func (m *Mapping) NeedsCreate(r *scim.Resource) []string {
	var ids []string
	for _, p := range m.properties {
		if p.value != nil {
			ids = appendIDs(ids, p, r.Get(p.attr))
		}
	}
	return ids
}

// FilterRefs returns the SCIM ids that a filter compares references with, to be
// resolved before Lower.
func (m *Mapping) FilterRefs(f scim.Filter) []string {
	var ids []string
	switch f := f.(type) {
	case scim.And:
		for _, part := range f {
			ids = append(ids, m.FilterRefs(part)...)
		}
	case scim.Or:
		for _, part := range f {
			ids = append(ids, m.FilterRefs(part)...)
		}
	case scim.Not:
		ids = m.FilterRefs(f.Filter)
	case scim.Compare:
		if p := m.property(f.Path.Attr); p != nil && p.value != nil && (f.Path.Sub == nil || f.Path.Sub == p.value) {
			ids = appendIDs(ids, p, f.Value)
		}
	case scim.ValuePath:
		if p := m.property(f.Attr); p != nil && p.value != nil {
			ids = filterIDs(ids, p, f.Filter)
		}
	}
	return ids
}

// filterIDs appends the ids in a filter on the elements of a reference.
func filterIDs(ids []string, p *property, f scim.Filter) []string {
	switch f := f.(type) {
	case scim.And:
		for _, part := range f {
			ids = filterIDs(ids, p, part)
		}
	case scim.Or:
		for _, part := range f {
			ids = filterIDs(ids, p, part)
		}
	case scim.Not:
		ids = filterIDs(ids, p, f.Filter)
	case scim.Compare:
		if f.Path.Attr == p.value {
			ids = appendIDs(ids, p, f.Value)
		}
	}
	return ids
}

// appendIDs appends the ids in a value of a reference attribute, or of its
// sub-attribute value.
func appendIDs(ids []string, p *property, v scim.Value) []string {
	if v.Kind() != scim.KindList {
		if id := p.id(v); id != "" && !(len(ids) < 64 && slices.Contains(ids, id)) {
			ids = append(ids, id)
		}
		return ids
	}
	items := v.Items()
	ids = slices.Grow(ids, len(items))
	for _, item := range items {
		if id := p.id(item); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// id returns the id in one element of a reference attribute.
func (p *property) id(v scim.Value) string {
	if v.Kind() == scim.KindComplex {
		v = v.Object().Get(p.value)
	}
	return v.Text()
}

// target resolves an id that a client wants to be referred to.
func (r *rule) target(refs Refs, id string) (Referent, error) {
	t, ok := refs[id]
	if !ok {
		return t, scim.InvalidValue("%s: there is no resource with the id %q", r.path, id)
	}
	if !slices.Contains(r.refs, t.Collection) {
		return t, scim.InvalidValue("%s: the resource with the id %q is a %s and can not be referred to here", r.path, id, t.Collection)
	}
	return t, nil
}

// all yields the targets.
func (r Referent) all(yield func(connectors.Target) bool) {
	if !yield(r.Target) {
		return
	}
	for _, t := range r.Others {
		if !yield(t) {
			return
		}
	}
}

// among reports whether one of the targets is in a set.
func (r Referent) among(set map[connectors.Target]bool) bool {
	return set[r.Target] || slices.ContainsFunc(r.Others, func(t connectors.Target) bool { return set[t] })
}
