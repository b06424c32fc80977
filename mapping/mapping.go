package mapping

import (
	"slices"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A Mapping is the compiled mapping of one resource type. It may be used by many
// goroutines.
type Mapping struct {
	rt         *scim.ResourceType
	properties []*property // in the order of the resource type
	rules      []*rule
	constants  []connectors.Field
	derived    []derived
	naming     *naming  // nil where nothing can be created
	placing    *placing // nil where everything lies in the base
	containers []Container

	displays  []Display
	attrs     []connectors.Attr
	versioned []versioned
	digest    [32]byte // of the mapping itself

	fields, values int // how much a typical resource needs
}

// ResourceType returns the resource type as far as it is mapped: what has no
// rule is not in it, and what can not be written or read is marked so.
func (m *Mapping) ResourceType() *scim.ResourceType { return m.rt }

// Attrs returns the backend attributes of a full read. The list must not be
// changed.
func (m *Mapping) Attrs() []connectors.Attr { return m.attrs }

// References returns the reference attributes with the resource types that each
// may point to.
func (m *Mapping) References() map[connectors.Attr][]string {
	refs := make(map[connectors.Attr][]string)
	for _, r := range m.rules {
		for _, name := range r.refs {
			if !slices.Contains(refs[r.attr], name) {
				refs[r.attr] = append(refs[r.attr], name)
			}
		}
	}
	return refs
}

// Writes reports whether the mapping ever writes a backend attribute.
func (m *Mapping) Writes(a connectors.Attr) bool {
	return slices.ContainsFunc(m.rules, func(r *rule) bool { return r.attr == a && r.write != writeNever })
}

// PathOf returns the SCIM path that a backend attribute is mapped to, for
// messages to a client, or "". For the attribute that names the object, where
// it has no rule, it is what the name is made of.
func (m *Mapping) PathOf(a connectors.Attr) string {
	for _, r := range m.rules {
		if fold(r.attr) == fold(a) {
			return r.path
		}
	}
	for i := range m.derived {
		if d := &m.derived[i]; fold(d.attr) == fold(a) {
			return d.path()
		}
	}
	if m.naming != nil && fold(m.naming.attr) == fold(a) {
		for r := range m.naming.template.inputs {
			return r.path
		}
	}
	return ""
}

// Uses returns every backend attribute that the mapping reads or writes, with
// the first place in the configuration that names it.
func (m *Mapping) Uses() map[connectors.Attr]configs.Pos {
	uses := make(map[connectors.Attr]configs.Pos)
	add := func(a connectors.Attr, at configs.Pos) {
		if _, ok := uses[a]; !ok {
			uses[a] = at
		}
	}
	for _, r := range m.rules {
		add(r.attr, r.pos)
	}
	if m.naming != nil {
		add(m.naming.attr, m.naming.pos)
	}
	for _, d := range m.derived {
		add(d.attr, d.pos)
	}
	for _, f := range m.constants {
		add(f.Attr, configs.Pos{})
	}
	return uses
}

// Unique returns the backend attributes whose values the gateway looks for before it
// writes them: those of unique attributes, and that which names the object.
func (m *Mapping) Unique() []connectors.Attr {
	var attrs []connectors.Attr
	for _, p := range m.properties {
		if p.attr.Uniqueness != scim.UniqueNone {
			attrs = appendNew(attrs, m.AttrsOf(p.attr))
		}
	}
	if m.naming != nil && m.naming.attr != "" {
		attrs = appendNew(attrs, []connectors.Attr{m.naming.attr})
	}
	return attrs
}

// AttrsOf returns the backend attributes to read for a SCIM attribute, or for
// the attribute that a sub-attribute belongs to.
func (m *Mapping) AttrsOf(a *scim.Attribute) []connectors.Attr {
	if a.Parent() != nil {
		a = a.Parent()
	}
	var attrs []connectors.Attr
	if p := m.property(a); p != nil {
		for _, r := range p.rules {
			attrs = appendNew(attrs, r.readable())
		}
	}
	return attrs
}

// MayOmit reports whether an attribute can be large and serves nothing of what
// the selection wants: references of which there can be many.
func (m *Mapping) MayOmit(a connectors.Attr, s scim.Selection) bool {
	large := false
	for _, r := range m.rules {
		if r.attr != a {
			continue
		}
		if r.property.shape != shapeReferences || s.Wants(r.property.attr) {
			return false
		}
		large = true
	}
	return large
}

// Covers reports whether a version can be made of entries that were read with
// these attributes.
func (m *Mapping) Covers(read []connectors.Attr) bool {
	for i := range m.versioned {
		if !slices.Contains(read, m.versioned[i].attr) {
			return false
		}
	}
	return true
}

func (m *Mapping) property(a *scim.Attribute) *property {
	for _, p := range m.properties {
		if p.attr == a {
			return p
		}
	}
	return nil
}

// readable is the attribute that a rule reads, as a list of one, or none.
func (r *rule) readable() []connectors.Attr {
	if r.unread {
		return nil
	}
	return []connectors.Attr{r.attr}
}

func appendNew(list, more []connectors.Attr) []connectors.Attr {
	for _, a := range more {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}
