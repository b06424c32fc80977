package scim

// Validate reports the first attribute that r must have and has not: a required
// attribute that a client may write, a required sub-attribute of a complex value
// that is there, or any attribute of a required extension.
func Validate(r *Resource) error {
	for _, attr := range r.Type.attrs {
		v := r.Attrs.Get(attr)
		if !v.IsAbsent() {
			if err := validateSub(attr, v); err != nil {
				return err
			}
			continue
		}
		if attr.Required && attr.Mutability != ReadOnly && (attr.schema == nil || r.demands(attr.schema)) {
			return InvalidValue("attribute %q is required", attr)
		}
	}
	for _, e := range r.Type.Extensions {
		if e.Required && !r.uses(e.Schema) {
			return InvalidValue("schema extension %q is required", e.Schema.ID)
		}
	}
	return nil
}

// validateSchema reports the first attribute of s that r must have and has not.
func (r *Resource) validateSchema(s *Schema) error {
	for _, attr := range s.Attributes {
		if attr.Required && attr.Mutability != ReadOnly && r.Attrs.Get(attr).IsAbsent() {
			return InvalidValue("attribute %q is required", attr)
		}
	}
	return nil
}

// demands reports whether the required attributes of s are required of r: those
// of an extension are when it is required or used (RFC 7643 §6).
func (r *Resource) demands(s *Schema) bool {
	if !s.extension {
		return true
	}
	for _, e := range r.Type.Extensions {
		if e.Schema == s && e.Required {
			return true
		}
	}
	return r.uses(s)
}

// validateSub reports the first required sub-attribute that a value of attr
// lacks, and more than one primary value.
func validateSub(attr *Attribute, v Value) error {
	if attr.Type != Complex {
		return nil
	}
	primaries := 0
	for _, e := range v.Items() {
		for _, sub := range attr.Sub {
			if sub.Required && sub.Mutability != ReadOnly && e.Object().Get(sub).IsAbsent() {
				return InvalidValue("attribute %q is required", sub)
			}
		}
		if attr.primary != nil && e.Object().Get(attr.primary).Bool() {
			primaries++
		}
	}
	if primaries > 1 && attr.MultiValued {
		return InvalidValue("attribute %q has more than one primary value", attr)
	}
	return nil
}

// checkImmutable compares one attribute before and after; no value is another
// value too.
func checkImmutable(attr *Attribute, was, will Value) error {
	if attr.Mutability == Immutable && !was.IsAbsent() && !Equal(attr, was, will) {
		return NotMutable("attribute %q is immutable and has a value", attr)
	}
	if attr.Type != Complex || attr.MultiValued {
		return nil
	}
	return checkImmutableSub(was.Object(), will.Object())
}

func checkImmutableSub(was, will Object) error {
	for _, f := range was {
		if err := checkImmutable(f.Attr, f.Value, will.Get(f.Attr)); err != nil {
			return err
		}
	}
	return nil
}
