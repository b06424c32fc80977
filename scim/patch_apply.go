package scim

// Apply returns the resource with all operations applied in order, or the first
// error; r itself is never changed. When nothing changes, it returns r.
func (p Patch) Apply(r *Resource) (*Resource, error) {
	a := applier{dialect: p.dialect, attrs: r.Attrs}
	for i := range p.Ops {
		if err := a.apply(&p.Ops[i], len(p.Ops)); err != nil {
			return nil, err
		}
	}
	if !a.changed {
		return r, nil
	}
	out := &Resource{Type: r.Type, Attrs: a.attrs}
	if err := p.check(r, out); err != nil {
		return nil, err
	}
	return out, nil
}

// check holds the touched attributes of the outcome against their
// characteristics: an attribute that is required stays assigned (RFC 7644
// §3.5.2.2), and one that is immutable keeps its value.
func (p Patch) check(was, will *Resource) error {
	for i := range p.Ops {
		attr := p.Ops[i].Path.Attr
		before, after := was.Attrs.Get(attr), will.Attrs.Get(attr)
		if err := checkImmutable(attr, before, after); err != nil {
			return err
		}
		if after.IsAbsent() {
			if attr.Required && !before.IsAbsent() && (attr.schema == nil || will.demands(attr.schema)) {
				return NotMutable("attribute %q is required", attr)
			}
			continue
		}
		if err := validateSub(attr, after); err != nil {
			return err
		}
		if attr.schema != nil && attr.schema.extension && !was.uses(attr.schema) {
			if err := will.validateSchema(attr.schema); err != nil {
				return err
			}
		}
	}
	for _, e := range was.Type.Extensions {
		if e.Required && was.uses(e.Schema) && !will.uses(e.Schema) {
			return NotMutable("schema extension %q is required", e.Schema.ID)
		}
	}
	return nil
}

// An applier is a resource in the middle of a patch. Its attributes are the
// resource's own until the first change, and from then on a copy.
type applier struct {
	dialect Dialect
	changed bool
	attrs   Object
}

// set puts the value of attr in place. ops bounds how many attributes can come.
func (a *applier) set(attr *Attribute, was, will Value, ops int) {
	if identical(was, will) {
		return
	}
	if !a.changed {
		a.attrs = append(make(Object, 0, len(a.attrs)+ops), a.attrs...)
		a.changed = true
	}
	i := 0
	for i < len(a.attrs) && a.attrs[i].Attr.order < attr.order {
		i++
	}
	switch found := !was.IsAbsent(); {
	case found && will.IsAbsent():
		a.attrs = append(a.attrs[:i], a.attrs[i+1:]...)
	case found:
		a.attrs[i].Value = will
	default:
		a.attrs = append(a.attrs, Field{})
		copy(a.attrs[i+1:], a.attrs[i:])
		a.attrs[i] = Field{attr, will}
	}
}

func (a *applier) apply(op *Operation, ops int) error {
	attr := op.Path.Attr
	was := a.attrs.Get(attr)
	var will Value
	var err error
	switch {
	case !attr.MultiValued:
		will = applySingle(op, was)
	case op.Path.Filter != nil || op.Path.Sub != nil:
		will, err = a.applySelected(op, was)
	default:
		will = applyList(op, was)
	}
	if err != nil {
		return err
	}
	a.set(attr, was, will, ops)
	return nil
}

// applySingle applies an operation to a single-valued attribute. The value of a
// complex one changes what it names and leaves the rest.
func applySingle(op *Operation, was Value) Value {
	attr, sub := op.Path.Attr, op.Path.Sub
	switch {
	case sub != nil:
		return merge(attr, was, op.subChange(was))
	case op.Op == OpRemove:
		return Value{}
	case attr.Type == Complex:
		return merge(attr, was, op.Value.Object())
	default:
		return op.Value
	}
}

// merge puts the fields of change into a complex value; an absent one removes.
// What describes the target of a reference goes with it when the reference comes
// to point elsewhere.
func merge(attr *Attribute, was Value, change Object) Value {
	o := was.Object()
	if attr.reference() {
		if v := change.Get(attr.value); !v.IsAbsent() && !Equal(attr.value, v, o.Get(attr.value)) {
			o = nil
		}
	}
	for _, f := range change {
		o = o.With(f.Attr, f.Value)
	}
	return Obj(o)
}

// subChange returns the sub-attribute that the operation is about as it is to be
// in a complex value.
func (o *Operation) subChange(was Value) Object {
	sub := o.Path.Sub
	if o.Op == OpAdd && sub.MultiValued {
		return Object{{sub, addElements(sub, was.Object().Get(sub), o.Value)}}
	}
	return Object{{sub, o.Value}}
}

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
		if op.Path.Filter != nil && !matchElement(op.Path.Filter, attr, e) {
			out = append(out, e)
			continue
		}
		will := a.applyElement(op, e)
		if op.Op != OpRemove || op.Path.Sub != nil {
			if err := checkImmutableSub(e.Object(), will.Object()); err != nil {
				return Value{}, err
			}
		}
		promoted = promoted || primary(attr, will)
		touched[len(out)] = true
		out = append(out, will)
	}
	if len(touched) == 0 && op.Op != OpRemove {
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
	return List(out...), nil
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
		return merge(attr, Obj(terms), op.Value.Object())
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
