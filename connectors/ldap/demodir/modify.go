package demodir

// change is one change of a modify request (RFC 4511 §4.6) with its values checked.
type change struct {
	operation int
	attribute attribute
}

// The operations of a change.
const (
	changeAdd     = 0
	changeDelete  = 1
	changeReplace = 2
)

// newChange checks one change as it came in.
func (d *Directory) newChange(operation int, in Attribute) (change, error) {
	t := d.schema.attribute(in.Name)
	switch {
	case t == nil:
		return change{}, refuse(undefinedAttributeType, "%s: attribute type undefined", in.Name)
	case operation < changeAdd || operation > changeReplace:
		return change{}, refuse(unwillingToPerform, "modify operation %d is not supported", operation)
	case operation == changeAdd && len(in.Values) == 0:
		return change{}, refuse(protocolError, "modify/add: %s: no values given", t.name())
	}
	a, err := d.schema.values(t, in.Values)
	return change{operation, a}, err
}

// modify applies changes in their order, all or none, and returns the views
// that pre-read and post-read controls ask for.
func (d *Directory) modify(name dn, changes []change, who dn, c controls) (pre, post *view, err error) {
	for _, ch := range changes {
		if ch.attribute.typ.fixed {
			return nil, nil, refuse(constraintViolation, "%s: no user modification allowed", ch.attribute.typ.name())
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.locate(name)
	if err != nil {
		return nil, nil, err
	}
	if pre, err = d.before(n, c); err != nil {
		return nil, nil, err
	}
	draft := n.entry.draft()
	for _, ch := range changes {
		switch ch.operation {
		case changeAdd:
			err = draft.addValues(ch.attribute)
		case changeDelete:
			err = draft.deleteValues(ch.attribute)
		case changeReplace:
			draft.put(ch.attribute)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if err := d.checkUnique(n, draft); err != nil {
		return nil, nil, err
	}
	if err := d.schema.check(draft); err != nil {
		return nil, nil, err
	}
	d.touch(draft, who)
	d.replace(n, draft)
	return pre, d.afterwards(n, c), nil
}
