package demodir

// check holds a draft against the schema as OpenLDAP does after each write: the
// rules for object classes of RFC 4512 §2.4, single values, and the values that
// name the entry (RFC 4511 §4.7).
func (s *schema) check(e *entry) error {
	classes, structural, err := s.classesOf(e)
	if err != nil {
		return err
	}
	if named := e.find(s.structuralClass); named != nil && named.norms[0] != structural.key {
		return refuse(objectClassModsProhibited, "structural object class modification from '%s' to '%s' not allowed",
			named.values[0], structural.name)
	}
	for _, class := range classes {
		for c := class; c != nil; c = c.super {
			for _, t := range c.must {
				if e.find(t) == nil {
					return refuse(objectClassViolation, "object class '%s' requires attribute '%s'", class.name, t.name())
				}
			}
		}
	}
	for i := range e.attrs {
		a := &e.attrs[i]
		if a.typ.single && len(a.values) > 1 {
			return refuse(constraintViolation, "attribute '%s' cannot have multiple values", a.typ.name())
		}
		if !a.typ.operational && !allowed(classes, a.typ) {
			return refuse(objectClassViolation, "attribute '%s' not allowed", a.typ.name())
		}
	}
	for _, p := range e.dn.rdns[0].pairs {
		if !e.find(p.typ).has(p.norm) {
			return refuse(namingViolation, "value of naming attribute '%s' is not present in entry", p.typ.name())
		}
	}
	return nil
}

// classesOf returns the object classes of an entry and the structural one that
// is lowest: there must be exactly one chain of these (RFC 4512 §2.4.2).
func (s *schema) classesOf(e *entry) (classes []*objectClass, structural *objectClass, err error) {
	named := e.find(s.objectClass)
	if named == nil {
		return nil, nil, refuse(objectClassViolation, "no objectClass attribute")
	}
	for _, name := range named.norms {
		c := s.class(name)
		classes = append(classes, c)
		switch {
		case c.kind != "STRUCTURAL" || structural.is(c):
		case c.is(structural) || structural == nil:
			structural = c
		default:
			return nil, nil, refuse(objectClassViolation, "invalid structural object class chain (%s/%s)", structural.name, c.name)
		}
	}
	if structural == nil {
		return nil, nil, refuse(objectClassViolation, "no structural object class provided")
	}
	return classes, structural, nil
}

func allowed(classes []*objectClass, t *attributeType) bool {
	for _, c := range classes {
		if c.key == "extensibleobject" || c.allows(t) {
			return true
		}
	}
	return false
}

// required holds where an entry may not be without this type.
func (s *schema) required(e *entry, t *attributeType) bool {
	for _, name := range e.find(s.objectClass).norms {
		if s.class(name).requires(t) {
			return true
		}
	}
	return false
}
