package scim

import (
	"net/http"
	"slices"
)

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
	if err := p.check(r, &Resource{Type: r.Type, Attrs: a.attrs}); err != nil {
		return nil, err
	}
	a.keep(p.Ops, r.Attrs)
	if identical(Obj(r.Attrs), Obj(a.attrs)) {
		return r, nil
	}
	return &Resource{Type: r.Type, Attrs: a.attrs}, nil
}

// keep lets immutable values be as they were, now that they are known to be the
// same: not even the case of their letters changes.
func (a *applier) keep(ops []Operation, was Object) {
	for i := range ops {
		attr := ops[i].Path.Attr
		before, after := was.Get(attr), a.attrs.Get(attr)
		switch {
		case before.IsAbsent() || after.IsAbsent():
		case attr.Mutability == Immutable:
			a.set(attr, after, before, 0)
		case attr.Type == Complex && !attr.MultiValued:
			a.set(attr, after, keepImmutable(before, after), 0)
		}
	}
}

// check holds the touched attributes of the outcome against their
// characteristics: an attribute that is required stays assigned (RFC 7644
// §3.5.2.2), and one that is immutable keeps its value.
func (p Patch) check(was, will *Resource) error {
	for i := range p.Ops {
		attr, sub := p.Ops[i].Path.Attr, p.Ops[i].Path.Sub
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
		if sub != nil && sub.Required && p.Ops[i].Op >= OpRemove && lacks(after, sub) {
			return NotMutable("attribute %q is required", sub)
		}
		if !attr.MultiValued && attr.reference() && lacks(after, attr.value) {
			return InvalidValue("attribute %q is required", attr.value)
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

// lacks reports whether a value, or an element of it, is without a sub-attribute.
func lacks(v Value, sub *Attribute) bool {
	return slices.ContainsFunc(v.Items(), func(e Value) bool { return e.Object().Get(sub).IsAbsent() })
}

// An applier is a resource in the middle of a patch. Its attributes are the
// resource's own until the first change, and from then on a copy.
type applier struct {
	dialect Dialect
	changed bool
	attrs   Object
	steps   int
}

// maxSteps bounds what the operations of one patch may cost together, in looks
// at one element each: a few seconds, which is more than any client that means
// well asks for.
const maxSteps = 10_000_000

// walk accounts for a look at n elements that takes so many steps at each.
func (a *applier) walk(n, steps int) error {
	if a.steps += n * steps; a.steps > maxSteps {
		return Errorf(http.StatusRequestEntityTooLarge, "", "the PATCH takes too many steps: send it in parts")
	}
	return nil
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
	steps := 1
	if op.Path.Filter != nil {
		steps += terms(op.Path.Filter)
	}
	if err := a.walk(was.Len()+op.Value.Len(), steps); err != nil {
		return err
	}
	var will Value
	var err error
	switch {
	case !attr.MultiValued:
		will = applySingle(op, was)
	case op.Path.Filter != nil || op.Path.Sub != nil:
		will, err = a.applySelected(op, was)
	default:
		will, err = applyList(op, was)
	}
	if err != nil {
		return err
	}
	a.set(attr, was, will, ops)
	return nil
}

// terms counts the comparisons in a filter.
func terms(f Filter) int {
	n := 0
	switch f := f.(type) {
	case And:
		for _, g := range f {
			n += terms(g)
		}
	case Or:
		for _, g := range f {
			n += terms(g)
		}
	case Not:
		n = terms(f.Filter)
	default:
		n = 1
	}
	return n
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
// to point elsewhere, or nowhere.
func merge(attr *Attribute, was Value, change Object) Value {
	o := was.Object()
	for _, f := range change {
		if f.Attr == attr.value && attr.reference() && !Equal(attr.value, f.Value, o.Get(attr.value)) {
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
	switch {
	case o.Op == OpAdd && sub.MultiValued:
		v, _ := addElements(sub, was.Object().Get(sub), o.Value) // fails for complex ones alone
		return Object{{sub, v}}
	case o.Op == OpRemoveValues:
		return Object{{sub, removeElements(sub, was.Object().Get(sub), o.Value)}}
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
