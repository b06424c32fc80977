package scim

import "net/http"

// Apply returns the resource with all operations applied in order, or the first
// error; r itself is never changed. When nothing changes, it returns r.
func (p Patch) Apply(r *Resource) (*Resource, error) {
	a := applier{dialect: p.dialect, attrs: r.Attrs, evaluation: Evaluation{Spaces: p.Spaces}}
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

// An applier is a resource in the middle of a patch. Its attributes are the
// resource's own until the first change, and from then on a copy.
type applier struct {
	dialect    Dialect
	changed    bool
	attrs      Object
	evaluation Evaluation
	steps      int
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
