package scim

// MapFilter returns the filter with every comparison replaced by what fn makes of
// it. Within the brackets of a value path, of is the attribute that they belong
// to and the comparison's path is the sub-attribute alone; else of is nil.
func MapFilter(f Filter, fn func(c Compare, of *Attribute) Filter) Filter {
	return mapFilter(f, nil, fn)
}

func mapFilter(f Filter, of *Attribute, fn func(Compare, *Attribute) Filter) Filter {
	several := func(parts []Filter) []Filter {
		out := make([]Filter, len(parts))
		for i := range parts {
			out[i] = mapFilter(parts[i], of, fn)
		}
		return out
	}
	switch f := f.(type) {
	case And:
		return And(several(f))
	case Or:
		return Or(several(f))
	case Not:
		return Not{mapFilter(f.Filter, of, fn)}
	case Compare:
		return fn(f, of)
	case ValuePath:
		return ValuePath{f.Attr, mapFilter(f.Filter, f.Attr, fn)}
	}
	return f
}
