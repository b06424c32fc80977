package mapping

import (
	"slices"

	"postern/connectors"
	"postern/scim"
)

// A Draft is an object to be created.
type Draft struct {
	connectors.Draft
	// Ignored names what the client sent and no rule can hold.
	Ignored []string

	m *Mapping
}

// Create returns the object that a new resource becomes: its values, defaults
// where it leaves something out, the constants, and the name.
func (m *Mapping) Create(r *scim.Resource, refs Refs) (Draft, error) {
	n := m.naming
	if n == nil {
		return Draft{}, &connectors.Error{Kind: connectors.Unsupported, Reason: "resources of this type can not be created"}
	}
	pl := planner{m: m, e: &connectors.Entry{}, refs: refs, mode: creating, now: r, was: &scim.Resource{Type: m.rt}}
	for _, p := range m.properties {
		pl.property(p)
	}
	if pl.err != nil {
		return Draft{}, pl.err
	}
	d := Draft{Draft: connectors.Draft{Name: n.attr}, Ignored: pl.plan.Ignored, m: m}
	for _, c := range pl.plan.Changes {
		d.Fields = append(d.Fields, connectors.Field{Attr: c.Attr, Values: c.Add, Refs: c.AddRefs})
	}
	if n.attr != "" && !slices.ContainsFunc(d.Fields, func(f connectors.Field) bool { return f.Attr == n.attr }) {
		name, missing := n.template.render(valuesOf(r), depthOfName)
		if missing != nil {
			return Draft{}, missingName(missing)
		}
		d.Fields = append(d.Fields, connectors.Field{Attr: n.attr, Values: []connectors.Value{connectors.Value(name)}})
	}
	if m.placing != nil {
		var err error
		if d.Place, err = m.placing.of(pl.made); err != nil {
			return Draft{}, err
		}
	}
	for _, c := range m.constants {
		d.Fields = append(d.Fields, connectors.Field{Attr: c.Attr, Values: slices.Clone(c.Values)})
	}
	for i := range m.derived {
		if f := m.derived[i].field(r); !f.Empty() {
			d.Fields = append(d.Fields, f)
		}
	}
	return d, nil
}
