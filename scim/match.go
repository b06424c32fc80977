package scim

// Match reports whether the resource satisfies the filter. A comparison holds
// when one value of the attribute satisfies it; ne is the negation of eq.
func Match(f Filter, r *Resource) bool { return Evaluation{}.match(f, r.Attrs, r) }

// An Evaluation is how filters are evaluated. The zero value is that of Match.
type Evaluation struct {
	// BaseURL is under which a client sees what is relative in a resource (its
	// location, and references): a filter compares what it sees.
	BaseURL string
	// Spaces says which spaces mean nothing in the values of an attribute; nil says
	// that all of them mean something.
	Spaces func(*Attribute) Spaces
}

// Match reports whether the resource satisfies the filter.
func (ev Evaluation) Match(f Filter, r *Resource) bool { return ev.match(f, r.Attrs, r) }

// match evaluates f on the fields of a resource, or with r nil on those of one
// element.
func (ev Evaluation) match(f Filter, o Object, r *Resource) bool {
	switch f := f.(type) {
	case And:
		for _, g := range f {
			if !ev.match(g, o, r) {
				return false
			}
		}
		return true
	case Or:
		for _, g := range f {
			if ev.match(g, o, r) {
				return true
			}
		}
		return false
	case Not:
		return !ev.match(f.Filter, o, r)
	case Compare:
		v := field(o, r, f.Path.Attr)
		if f.Op == Ne {
			return !ev.anyValue(v, f.Path.Sub, Eq, f.Value, f.Path.target())
		}
		return ev.anyValue(v, f.Path.Sub, f.Op, f.Value, f.Path.target())
	case Present:
		v := field(o, r, f.Path.Attr)
		if f.Path.Sub == nil {
			return !v.IsAbsent()
		}
		return hasSub(v, f.Path.Sub)
	case ValuePath:
		return ev.anyElement(f, field(o, r, f.Attr))
	default:
		return false
	}
}

func field(o Object, r *Resource, attr *Attribute) Value {
	if r != nil {
		return r.Get(attr)
	}
	return o.Get(attr)
}

// anyValue reports whether v, an element of v, or their sub-attribute sub
// compares with want.
func (ev Evaluation) anyValue(v Value, sub *Attribute, op Op, want Value, target *Attribute) bool {
	switch v.kind {
	case Absent:
		return false
	case KindList:
		for _, e := range v.Items() {
			if ev.anyValue(e, sub, op, want, target) {
				return true
			}
		}
		return false
	case KindComplex:
		return ev.anyValue(v.Object().Get(sub), nil, op, want, target)
	default:
		if target.relative && ev.BaseURL != "" {
			v = Str(absolute(ev.BaseURL, v.Text()))
		}
		return sub == nil && ev.compareOne(target, op, v, want)
	}
}

func (ev Evaluation) compareOne(attr *Attribute, op Op, v, want Value) bool {
	if v.kind == KindString && want.kind == KindString {
		if ev.Spaces != nil {
			if spaces := ev.Spaces(attr); spaces != AllSpaces {
				return spaces.compare(attr, op, v.Text(), want.Text())
			}
		}
		return compareText(attr, op, v.Text(), want.Text())
	}
	if v.kind != want.kind {
		return false
	}
	switch c := Order(attr, v, want); op {
	case Eq:
		return c == 0
	case Gt:
		return c > 0
	case Ge:
		return c >= 0
	case Lt:
		return c < 0
	case Le:
		return c <= 0
	default:
		return false
	}
}

func hasSub(v Value, sub *Attribute) bool {
	switch v.kind {
	case KindComplex:
		return !v.Object().Get(sub).IsAbsent()
	case KindList:
		for _, e := range v.Items() {
			if hasSub(e, sub) {
				return true
			}
		}
	}
	return false
}

func (ev Evaluation) anyElement(f ValuePath, v Value) bool {
	if v.kind != KindList {
		return !v.IsAbsent() && ev.element(f.Filter, f.Attr, v)
	}
	for _, e := range v.Items() {
		if ev.element(f.Filter, f.Attr, e) {
			return true
		}
	}
	return false
}

// element reports whether one element of attr satisfies f. In a filter on a
// simple multi-valued attribute, value means the element itself.
func (ev Evaluation) element(f Filter, attr *Attribute, e Value) bool {
	if e.kind == KindComplex {
		return ev.match(f, e.Object(), nil)
	}
	return ev.match(f, Object{{attr, e}}, nil)
}
