package scim

import "slices"

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
