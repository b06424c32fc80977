package demodir

// newEntry reads what an add request brings, or Load with more freedom, into a draft.
func (d *Directory) newEntry(in Entry, loading bool) (*entry, error) {
	name, err := d.name(in.DN)
	if err != nil {
		return nil, err
	}
	e := &entry{dn: name}
	for _, given := range in.Attributes {
		t := d.schema.attribute(given.Name)
		switch {
		case t == nil:
			return nil, refuse(undefinedAttributeType, "%s: attribute type undefined", given.Name)
		case t.fixed && !(loading && t == d.schema.entryUUID):
			return nil, refuse(constraintViolation, "%s: no user modification allowed", t.name())
		case len(given.Values) == 0:
			return nil, refuse(protocolError, "no values for attribute type %s", t.name())
		case e.find(t) != nil:
			return nil, refuse(attributeOrValueExists, "attribute '%s' provided more than once", t.name())
		}
		a, err := d.schema.values(t, given.Values)
		if err != nil {
			return nil, err
		}
		e.attrs = append(e.attrs, a)
	}
	// The values of the RDN belong to the entry also where a client leaves the
	// attribute out (RFC 4511 §4.7).
	for _, p := range name.rdnPairs() {
		if e.find(p.typ) == nil {
			e.put(attribute{p.typ, []string{p.value}, []string{p.norm}})
		}
	}
	_, structural, err := d.schema.classesOf(e)
	if err != nil {
		return nil, err
	}
	e.put(d.operational(d.schema.structuralClass, structural.name))
	return e, nil
}

// add puts a draft into the tree (RFC 4511 §4.7) and returns the view that a
// post-read control asks for, if one does.
func (d *Directory) add(e *entry, who dn, c controls) (*view, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.checkUnique(nil, e); err != nil {
		return nil, err
	}
	if len(e.dn.rdns) == 0 || d.byDN[e.dn.norm] != nil {
		return nil, refuse(entryAlreadyExists, "")
	}
	if !e.dn.isUnder(d.suffix) {
		return nil, refuse(unwillingToPerform, "no global superior knowledge")
	}
	n := &node{id: d.nextID, entry: e}
	if e.dn.norm != d.suffix.norm {
		parent, err := d.locate(e.dn.parent())
		if err != nil {
			return nil, err
		}
		n.parent = parent
		e.dn = e.dn.rdns[0].under(parent.entry.dn)
	}
	if c.assertion != nil && c.assertion.matches(d, n) != yes {
		return nil, refuse(assertionFailed, "")
	}
	if err := d.schema.check(e); err != nil {
		return nil, err
	}
	d.create(e, who)
	d.nextID++
	n.entry = nil
	d.replace(n, e)
	d.byDN[e.dn.norm] = n
	if n.parent != nil {
		n.parent.children = with(n.parent.children, n)
	}
	return d.afterwards(n, c), nil
}

// checkUnique refuses a draft that holds a value which another entry has, of an
// attribute that the options hold unique. The lock is held.
func (d *Directory) checkUnique(n *node, e *entry) error {
	for _, t := range d.unique {
		a := e.find(t)
		if a == nil {
			continue
		}
		for i, norm := range a.norms {
			for _, holder := range d.index[posting{t, norm}] {
				if holder != n {
					return refuse(constraintViolation, "non-unique attributes found with (%s=%s)", t.name(), a.values[i])
				}
			}
		}
	}
	return nil
}

// before checks the assertion of an update and takes the pre-read view.
func (d *Directory) before(n *node, c controls) (*view, error) {
	if c.assertion != nil && c.assertion.matches(d, n) != yes {
		return nil, refuse(assertionFailed, "")
	}
	if c.preRead == nil {
		return nil, nil
	}
	v := d.see(n, c.preRead)
	return &v, nil
}

// afterwards takes the post-read view.
func (d *Directory) afterwards(n *node, c controls) *view {
	if c.postRead == nil {
		return nil
	}
	v := d.see(n, c.postRead)
	return &v
}
