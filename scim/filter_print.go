package scim

// String returns the filters joined by and.
func (f And) String() string { return string(f.appendTo(nil, false, nil)) }

// String returns the filters joined by or.
func (f Or) String() string { return string(f.appendTo(nil, false, nil)) }

// String returns not (filter).
func (f Not) String() string { return string(f.appendTo(nil, false, nil)) }

// String returns the comparison.
func (f Compare) String() string { return string(f.appendTo(nil, false, nil)) }

// String returns path pr.
func (f Present) String() string { return string(f.appendTo(nil, false, nil)) }

// String returns attribute[filter].
func (f ValuePath) String() string { return string(f.appendTo(nil, false, nil)) }

func (f And) appendTo(dst []byte, _ bool, within *Attribute) []byte {
	for i, g := range f {
		if i > 0 {
			dst = append(dst, " and "...)
		}
		dst = g.appendTo(dst, true, within)
	}
	return dst
}

func (f Or) appendTo(dst []byte, grouped bool, within *Attribute) []byte {
	if grouped {
		dst = append(dst, '(')
	}
	for i, g := range f {
		if i > 0 {
			dst = append(dst, " or "...)
		}
		dst = g.appendTo(dst, false, within)
	}
	if grouped {
		dst = append(dst, ')')
	}
	return dst
}

func (f Not) appendTo(dst []byte, _ bool, within *Attribute) []byte {
	dst = append(dst, "not ("...)
	dst = f.Filter.appendTo(dst, false, within)
	return append(dst, ')')
}

func (f Compare) appendTo(dst []byte, _ bool, within *Attribute) []byte {
	dst = f.Path.appendTo(dst, within)
	dst = append(dst, ' ')
	dst = append(dst, f.Op.String()...)
	dst = append(dst, ' ')
	return appendValue(dst, f.Value)
}

func (f Present) appendTo(dst []byte, _ bool, within *Attribute) []byte {
	return append(f.Path.appendTo(dst, within), " pr"...)
}

func (f ValuePath) appendTo(dst []byte, _ bool, _ *Attribute) []byte {
	dst = append(f.Attr.appendPath(dst), '[')
	dst = f.Filter.appendTo(dst, false, f.Attr)
	return append(dst, ']')
}

// appendTo appends the path as it stands within the brackets of an attribute,
// or outside of any.
func (p AttrPath) appendTo(dst []byte, within *Attribute) []byte {
	switch within {
	case nil:
		return p.target().appendPath(dst)
	case p.Attr:
		return append(dst, "value"...)
	default:
		return append(dst, p.Attr.Name...)
	}
}
