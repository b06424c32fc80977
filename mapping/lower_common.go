package mapping

import (
	"postern/connectors"
	"postern/scim"
)

// foreign reports whether an attribute belongs to another resource type.
func (m *Mapping) foreign(a *scim.Attribute) bool {
	switch a {
	case m.rt.ID(), m.rt.ExternalID(), m.rt.Schemas(), m.rt.Meta():
		return false
	}
	return m.property(a) == nil
}

// always reports whether every resource has the attribute, whatever is mapped.
func (m *Mapping) always(a, sub *scim.Attribute) bool {
	switch a {
	case m.rt.ID(), m.rt.Schemas():
		return true
	case m.rt.Meta():
		return sub == nil || sub.Name == "resourceType" || sub.Name == "location"
	}
	return false
}

// common lowers comparisons with what the gateway keeps: ids and what is made of
// them, the schemas, and the constant parts of meta.
func (l *lowering) common(f scim.Compare) answer {
	rt := l.m.rt
	switch f.Path.Attr {
	case rt.ID(), rt.ExternalID():
		return l.anchors(f)
	case rt.Schemas():
		return l.schema(f)
	case rt.Meta():
		switch f.Path.Sub.Name {
		case "location":
			return l.anchors(f)
		case "resourceType":
			meta := scim.Obj(scim.NewObject(scim.Field{Attr: f.Path.Sub, Value: scim.Str(rt.Name)}))
			if scim.Match(f, l.constantResource(rt.Meta(), meta)) {
				return everywhere
			}
			return nowhere
		}
	}
	return unknown
}

// anchors lowers a comparison that the identity table answers.
func (l *lowering) anchors(f scim.Compare) answer {
	if f.Op != scim.Eq || l.look.Anchors == nil {
		return unknown
	}
	anchors, known := l.look.Anchors(f)
	switch {
	case !known:
		return unknown
	case len(anchors) == 0:
		return nowhere
	case !l.conds.Has(connectors.CondAnchorIn):
		return unknown
	}
	return answer{cond: connectors.AnchorIn(anchors), exact: true, defined: true}
}

// schema lowers a comparison with the schemas that a resource uses: the core's
// always, an extension's where it has an attribute of it.
func (l *lowering) schema(f scim.Compare) answer {
	if f.Op != scim.Eq {
		return unknown
	}
	urn := f.Value.Text()
	if urn == l.m.rt.Schema.ID {
		return everywhere
	}
	for _, x := range l.m.rt.Extensions {
		if urn != x.Schema.ID {
			continue
		}
		var parts []answer
		for _, a := range x.Schema.Attributes {
			if a.Returned != scim.ReturnedNever {
				parts = append(parts, l.present(scim.Present{Path: scim.AttrPath{Attr: a}}))
			}
		}
		return l.or(parts...)
	}
	return nowhere
}
