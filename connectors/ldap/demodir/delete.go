package demodir

import "slices"

// delete takes an entry without children out of the tree (RFC 4511 §4.8) and
// its name out of the entries that refer to it.
func (d *Directory) delete(name dn, c controls) (pre *view, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.locate(name)
	if err != nil {
		return nil, err
	}
	if pre, err = d.before(n, c); err != nil {
		return nil, err
	}
	if len(n.children) > 0 {
		return nil, refuse(notAllowedOnNonLeaf, "subordinate objects must be deleted first")
	}
	delete(d.byDN, n.entry.dn.norm)
	if n.parent != nil {
		n.parent.children = without(n.parent.children, n)
	}
	gone := n.entry.dn.norm
	d.replace(n, nil)
	d.redirect(map[string]dn{gone: {}})
	return pre, nil
}

// redirect lets references follow the entries they name, as OpenLDAP's refint
// overlay does: moved holds, by the normal form of the name that was, the name
// that is, or the empty one where the entry is gone. An attribute that an entry
// may not be without then gets the name of nobody, so that no later entry of the
// old name inherits a membership. The write lock is held.
func (d *Directory) redirect(moved map[string]dn) {
	var types []*attributeType
	for _, t := range d.schema.attributes {
		if t.indexed && t.isReference() {
			types = append(types, t)
		}
	}
	var holders []*node
	for _, t := range types {
		for norm := range moved {
			holders = append(holders, d.index[posting{t, norm}]...)
		}
	}
	slices.SortFunc(holders, byID)
	for _, n := range slices.Compact(holders) {
		draft := n.entry.draft()
		for _, t := range types {
			if a := draft.find(t); a != nil {
				next := a.redirect(moved)
				if len(next.values) == 0 && d.schema.required(draft, t) {
					nobody := d.nobody()
					next.values, next.norms = []string{nobody.text}, []string{nobody.norm}
				}
				draft.put(next)
			}
		}
		d.touch(draft, d.root)
		d.replace(n, draft)
	}
}

func (a *attribute) redirect(moved map[string]dn) attribute {
	next := attribute{typ: a.typ}
	seen := newSet(nil, len(a.norms), len(a.norms))
	for i, norm := range a.norms {
		value := a.values[i]
		gone := false
		if to, ok := moved[norm]; ok {
			value, norm = to.text, to.norm
			gone = norm == ""
		}
		if !gone && seen.add(norm) {
			next.values = append(next.values, value)
			next.norms = append(next.norms, norm)
		}
	}
	return next
}

// nobody is the name that stands in a reference which may not be empty.
func (d *Directory) nobody() dn {
	cn := d.schema.attribute("cn")
	return rdn{[]pair{{cn, "nobody", "nobody"}}, "cn=nobody", "cn=nobody"}.under(d.suffix)
}
