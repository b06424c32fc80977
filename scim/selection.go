package scim

import "strings"

// A Selection says which attributes a response has (RFC 7644 §3.9). The zero
// Selection has those that are returned by default.
type Selection struct {
	// By the order of each attribute; nil where the client did not choose.
	shown []bool
}

// ParseSelection reads the parameters attributes and excludedAttributes, whose
// items may still be joined by commas. Names that no attribute has are left
// out. A schema's URN stands for all its attributes. The two parameters are
// mutually exclusive.
func ParseSelection(rt *ResourceType, attributes, excluded []string) (Selection, error) {
	include, exclude := splitNames(attributes), splitNames(excluded)
	switch {
	case len(include) > 0 && len(exclude) > 0:
		return Selection{}, InvalidValue("parameters \"attributes\" and \"excludedAttributes\" exclude each other")
	case len(include) == 0 && len(exclude) == 0:
		return Selection{}, nil
	}
	s := Selection{shown: make([]bool, rt.size)}
	for _, a := range rt.attrs {
		s.start(a, len(include) == 0)
	}
	for _, name := range include {
		for _, a := range rt.named(name) {
			s.include(a)
		}
	}
	for _, name := range exclude {
		for _, a := range rt.named(name) {
			if a.Returned != ReturnedAlways {
				s.shown[a.order] = false
			}
		}
	}
	return s, nil
}

// splitNames splits the values of a parameter at commas.
func splitNames(values []string) []string {
	var names []string
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// named returns the attribute of a name, or those of a schema.
func (rt *ResourceType) named(name string) []*Attribute {
	if a, ok := rt.Attribute(name); ok {
		return []*Attribute{a}
	}
	if s, ok := rt.schema(name); ok {
		return s.Attributes
	}
	return nil
}

// start shows the minimum set, and with byDefault the default set too.
func (s *Selection) start(a *Attribute, byDefault bool) {
	s.shown[a.order] = a.Returned == ReturnedAlways || byDefault && a.Returned == ReturnedDefault
	for _, sub := range a.Sub {
		s.shown[sub.order] = sub.Returned == ReturnedAlways || byDefault && sub.Returned == ReturnedDefault
	}
}

// include shows what a client asks for by name: with a complex attribute also
// the sub-attributes that are returned by default.
func (s *Selection) include(a *Attribute) {
	if a.Returned == ReturnedNever {
		return
	}
	s.shown[a.order] = true
	if a.parent != nil {
		if a.parent.Returned != ReturnedNever {
			s.shown[a.parent.order] = true
		}
		return
	}
	for _, sub := range a.Sub {
		if sub.Returned == ReturnedDefault {
			s.shown[sub.order] = true
		}
	}
}

// Wants reports whether a response may have the attribute, so that what is
// behind need not be read when it has not.
func (s Selection) Wants(attr *Attribute) bool {
	if s.shown == nil {
		return attr.Returned == ReturnedDefault || attr.Returned == ReturnedAlways
	}
	return s.shown[attr.order]
}
