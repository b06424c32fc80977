package scim

import "slices"

// primary reports whether an element of attr is the primary one.
func primary(attr *Attribute, v Value) bool {
	return attr.primary != nil && v.Object().Get(attr.primary).Bool()
}

// demote sets primary to false in all elements but those for which keep holds
// (RFC 7644 §3.5.2). The elements are changed in place.
func demote(attr *Attribute, vs []Value, keep func(i int) bool) {
	for i, v := range vs {
		if primary(attr, v) && !keep(i) {
			vs[i] = Obj(v.Object().With(attr.primary, Bool(false)))
		}
	}
}

// applySelected applies an operation to the elements of a multi-valued attribute
// that the path's filter selects, or to a sub-attribute of all of them.
func (a *applier) applySelected(op *Operation, was Value) (Value, error) {
	attr := op.Path.Attr
	items := was.Items()
	out := make([]Value, 0, len(items)+1)
	touched := make(map[int]bool, 1)
	promoted := false
	for _, e := range items {
		if op.Path.Filter != nil && !a.evaluation.element(op.Path.Filter, attr, e) {
			out = append(out, e)
			continue
		}
		will := a.applyElement(op, e)
		if op.Op != OpRemove || op.Path.Sub != nil {
			if err := checkImmutableSub(e.Object(), will.Object()); err != nil {
				return Value{}, err
			}
			will = keepImmutable(e, will)
		}
		promoted = promoted || primary(attr, will)
		touched[len(out)] = true
		out = append(out, will)
	}
	if len(touched) == 0 && op.Op < OpRemove {
		e, err := a.createElement(op)
		if err != nil {
			return Value{}, err
		}
		promoted = primary(attr, e)
		touched[len(out)] = true
		out = append(out, e)
	}
	if promoted && op.sets(attr.primary) {
		demote(attr, out, func(i int) bool { return touched[i] })
	}
	if op.Op < OpRemove {
		out = distinct(attr, out)
	}
	return List(out...), nil
}

// keepImmutable returns a complex value with the immutable sub-attributes of the
// one that it replaces, which it has in another case at most.
func keepImmutable(was, will Value) Value {
	o := will.Object()
	for _, f := range was.Object() {
		if f.Attr.Mutability == Immutable && !identical(f.Value, o.Get(f.Attr)) {
			o = o.With(f.Attr, f.Value)
		}
	}
	if o == nil {
		return will
	}
	return Obj(o)
}

// distinct takes out the elements that are equal to another before them: what
// has come to be the same is one (RFC 7643 §2.4).
func distinct(attr *Attribute, vs []Value) []Value {
	if len(vs) > few {
		seen := make(map[string]bool, len(vs))
		return slices.DeleteFunc(vs, func(v Value) bool {
			k := string(appendKey(nil, attr, v))
			was := seen[k]
			seen[k] = true
			return was
		})
	}
	out := vs[:0]
	for _, v := range vs {
		if !slices.ContainsFunc(out, func(o Value) bool { return Equal(attr, o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// sets reports whether the operation's value has the sub-attribute.
func (o *Operation) sets(sub *Attribute) bool {
	return sub != nil && (o.Path.Sub == sub || o.Path.Sub == nil && !o.Value.Object().Get(sub).IsAbsent())
}

// applyElement applies an operation to one selected element. A whole element is
// replaced whole (RFC 7644 §3.5.2.3), but for what the filter said about it: a
// mobile number that is replaced stays one.
func (a *applier) applyElement(op *Operation, e Value) Value {
	attr := op.Path.Attr
	switch {
	case op.Path.Sub != nil:
		return merge(attr, e, op.subChange(e))
	case op.Op == OpRemove:
		return Value{}
	case attr.Type != Complex:
		return op.Value
	case op.Op == OpAdd:
		return merge(attr, e, op.Value.Object())
	}
	if terms, ok := equalities(op.Path.Filter, nil); ok {
		var own Object
		for _, f := range terms {
			own = own.With(f.Attr, e.Object().Get(f.Attr))
		}
		return merge(attr, Obj(own), op.Value.Object())
	}
	return op.Value
}

// createElement makes the element that an add was about and that does not exist
// (RFC 7644 §3.5.2.1): it gets what the filter's eq terms say. A replace wants
// noTarget here (§3.5.2.3), but Entra sets a work address in this way. Filters
// that say more than eq make nothing, nor does one on references, where it would
// make a member of what is none.
func (a *applier) createElement(op *Operation) (Value, error) {
	attr := op.Path.Attr
	terms, ok := equalities(op.Path.Filter, nil)
	if op.Op == OpReplace && op.Path.Filter != nil && !a.dialect.CreateTargets || !ok || attr.Type != Complex || attr.reference() {
		return Value{}, NoTarget("path %q selects nothing", op.Path)
	}
	change := op.Value.Object()
	if op.Path.Sub != nil {
		change = op.subChange(Value{})
	}
	for _, f := range terms {
		text := f.Value.Text()
		if f.Attr.Type == Reference && !isURIReference(text) {
			return Value{}, InvalidValue("attribute %q takes a URI", f.Attr)
		}
		if err := f.Attr.Admits(text); err != nil {
			return Value{}, err
		}
	}
	o := terms
	for _, f := range change {
		o = o.With(f.Attr, f.Value)
	}
	return Obj(o), nil
}

// equalities returns the fields that an element must have to satisfy a filter of
// eq terms joined by and, added to o.
func equalities(f Filter, o Object) (Object, bool) {
	switch f := f.(type) {
	case nil:
		return o, true
	case Compare:
		if f.Op != Eq || f.Path.Attr.parent == nil || f.Path.Attr.Mutability == ReadOnly {
			return nil, false
		}
		if other := o.Get(f.Path.Attr); !other.IsAbsent() && !Equal(f.Path.Attr, other, f.Value) {
			return nil, false
		}
		if f.Path.Attr.MultiValued {
			return o.With(f.Path.Attr, List(f.Value)), true
		}
		return o.With(f.Path.Attr, f.Value), true
	case And:
		for _, g := range f {
			var ok bool
			if o, ok = equalities(g, o); !ok {
				return nil, false
			}
		}
		return o, true
	default:
		return nil, false
	}
}
