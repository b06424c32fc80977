package demodir

import "slices"

// rename gives an entry another RDN, another parent or both (RFC 4511 §4.9). The
// entries below go with it, and references follow.
func (d *Directory) rename(name dn, to rdn, deleteOld bool, superior *dn, who dn, c controls) (pre, post *view, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.locate(name)
	if err != nil {
		return nil, nil, err
	}
	if n.parent == nil {
		return nil, nil, refuse(unwillingToPerform, "the suffix can not be renamed")
	}
	if pre, err = d.before(n, c); err != nil {
		return nil, nil, err
	}
	parent := n.parent
	if superior != nil {
		if parent = d.byDN[superior.norm]; parent == nil {
			return nil, nil, refuse(noSuchObject, "new superior not found")
		}
		if parent.entry.dn.isUnder(n.entry.dn) {
			return nil, nil, refuse(unwillingToPerform, "an entry can not be moved below itself")
		}
	}
	draft := n.entry.draft()
	draft.dn = to.under(parent.entry.dn)
	if holder := d.byDN[draft.dn.norm]; holder != nil && holder != n {
		return nil, nil, refuse(entryAlreadyExists, "")
	}
	if err := draft.rename(n.entry.dn.rdns[0], to, deleteOld); err != nil {
		return nil, nil, err
	}
	if err := d.checkUnique(n, draft); err != nil {
		return nil, nil, err
	}
	if err := d.schema.check(draft); err != nil {
		return nil, nil, err
	}
	d.touch(draft, who)
	d.move(n, parent, draft)
	return pre, d.afterwards(n, c), nil
}

// rename writes the values of the new RDN into the draft and, if it is asked,
// takes out those of the old one that are not in the new.
func (e *entry) rename(from, to rdn, deleteOld bool) error {
	for _, p := range to.pairs {
		if p.typ.fixed {
			return refuse(constraintViolation, "%s: no user modification allowed", p.typ.name())
		}
	}
	if deleteOld {
		for _, p := range from.pairs {
			if slices.ContainsFunc(to.pairs, func(q pair) bool { return q.typ == p.typ && q.norm == p.norm }) {
				continue
			}
			if err := e.deleteValues(attribute{p.typ, []string{p.value}, []string{p.norm}}); err != nil {
				return err
			}
		}
	}
	for _, p := range to.pairs {
		a := e.find(p.typ)
		if at := slices.Index(a.allNorms(), p.norm); at >= 0 {
			// The same value, but perhaps in another spelling.
			next := attribute{p.typ, slices.Clone(a.values), a.norms}
			next.values[at] = p.value
			e.put(next)
			continue
		}
		if err := e.addValues(attribute{p.typ, []string{p.value}, []string{p.norm}}); err != nil {
			return err
		}
	}
	return nil
}

func (a *attribute) allNorms() []string {
	if a == nil {
		return nil
	}
	return a.norms
}

// move puts the draft in the place of an entry, below its parent, and gives
// everything below the entry its new name.
func (d *Directory) move(n, parent *node, draft *entry) {
	old := n.entry.dn
	if parent != n.parent {
		n.parent.children = without(n.parent.children, n)
		parent.children = with(parent.children, n)
		n.parent = parent
	}
	subtree := n.subtree(nil)
	moved := make(map[string]dn, len(subtree))
	for _, sub := range subtree {
		delete(d.byDN, sub.entry.dn.norm)
	}
	for _, sub := range subtree {
		was := sub.entry.dn
		if sub == n {
			d.replace(n, draft)
		} else {
			below := was.rdns[:len(was.rdns)-len(old.rdns)]
			next := sub.entry.draft()
			next.dn = joinDN(slices.Concat(below, draft.dn.rdns))
			sub.entry = next
		}
		d.byDN[sub.entry.dn.norm] = sub
		if was.text != sub.entry.dn.text {
			moved[was.norm] = sub.entry.dn
		}
	}
	if len(moved) > 0 {
		d.redirect(moved)
	}
}

// subtree appends the node and all below it, a parent before its children.
func (n *node) subtree(list []*node) []*node {
	list = append(list, n)
	for _, child := range n.children {
		list = child.subtree(list)
	}
	return list
}
