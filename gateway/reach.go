package gateway

import (
	"slices"

	"postern/connectors"
	"postern/mapping"
	"postern/scim"
)

// A reach is how much of an entry has to be known for something.
type reach struct {
	*target
	want  []connectors.Attr
	table bool              // also what the identity table holds
	show  []mapping.Display // and of other resources, how they are called
}

// reach returns what has to be known of some attributes.
func (t *target) reach(attrs []*scim.Attribute) reach {
	r := reach{target: t, show: t.Mapping.Displays(nil, attrs)}
	for _, a := range attrs {
		switch a {
		case t.rt.Schemas(), t.meta.version: // what there is of each schema; all that a version covers
			r.want = t.want
		case t.rt.ID(), t.rt.ExternalID():
		default:
			r = r.with(reach{target: t, want: t.Mapping.AttrsOf(a)})
		}
		switch a {
		case t.rt.ID(), t.rt.ExternalID(), t.rt.Meta():
			r.table = true
		}
	}
	return r
}

// filterReach returns what has to be known to evaluate the filter.
func (s *section) filterReach() reach { return s.reach(scim.AttributesOf(s.Filter)) }

// selected returns what has to be known to show a selection with its version.
func (t *target) selected(s scim.Selection) reach {
	want, _ := t.wanted(s)
	return reach{target: t, want: want, table: true, show: t.Mapping.Displays(s.Wants, nil)}
}

// with joins two of one target.
func (r reach) with(o reach) reach {
	if r.target == nil {
		return o
	}
	r.table = r.table || o.table
	for _, d := range o.show {
		if !slices.ContainsFunc(r.show, func(have mapping.Display) bool { return have.Sub == d.Sub }) {
			r.show = append(slices.Clip(r.show), d)
		}
	}
	switch {
	case len(r.want) == 0:
		r.want = o.want
	case len(r.want) < len(r.target.want) && len(o.want) > 0:
		// In the order of a full read, as the connectors answer.
		r.want = slices.DeleteFunc(slices.Clone(r.target.want), func(a connectors.Attr) bool {
			return !slices.Contains(r.want, a) && !slices.Contains(o.want, a)
		})
	}
	return r
}

// whole reports whether a version can be made of it.
func (r reach) whole() bool {
	return len(r.want) == len(r.target.want) || r.Mapping.Covers(r.want)
}
