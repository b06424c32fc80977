package scim

// target adds an operation on a path. An operation that changes nothing,
// whatever the resource, is left out.
func (p *patchDecoder) target(op OpKind, path Path, at int) error {
	attr := path.target()
	switch {
	case path.Attr == p.rt.common.schemas && op == OpRemove:
		return NotMutable("attribute %q is required: it follows from the other attributes", attr)
	case path.Attr == p.rt.common.schemas:
		return nil
	case path.Attr == p.rt.common.id && op != OpRemove && p.opt.ID != "" && p.nodes[at].text == p.opt.ID:
		return nil
	case path.Attr.Mutability == ReadOnly, attr.Mutability == ReadOnly:
		return NotMutable("attribute %q is readOnly", attr)
	}
	switch {
	case op == OpRemove:
		return p.remove(path, at)
	case path.Filter != nil && path.Sub == nil && p.opt.Dialect.TargetParts:
		return InvalidPath("path %q has a value filter and no sub-attribute", path)
	case op == OpReplace && p.opt.Dialect.AddReferences && path.Filter == nil && path.Sub == nil && attr.MultiValued && attr.reference():
		op = OpAdd
	}
	if n := &p.nodes[at]; n.kind == '[' && n.count == 1 && !attr.MultiValued {
		at++
	}
	left := p.left
	v, err := p.operand(path, at)
	if err != nil {
		return err
	}
	if v.IsAbsent() && p.left > left {
		return nil // a reference to what is yet to be made is not null
	}
	// RFC 7643 §2.5: null and [] are unassigned. An add replaces what there is one
	// of, and to what there are several of it adds nothing.
	if op == OpReplace || !attr.MultiValued {
		switch {
		case p.partial(path, at) && op == OpReplace && p.opt.Dialect.ReplaceWhole:
			if err := p.remove(path, noValue); err != nil {
				return err
			}
		case p.partial(path, at):
			p.removeNulls(path, at)
		case v.IsAbsent():
			return p.remove(path, noValue)
		}
	}
	if !v.IsAbsent() {
		p.add(Operation{op, path, v})
	}
	return nil
}

func (p *patchDecoder) add(op Operation) { p.patch.Ops = append(p.patch.Ops, op) }

// operand decodes the value for a path: a list for a multi-valued attribute, and
// one value for the elements that a filter selects.
func (p *patchDecoder) operand(path Path, at int) (Value, error) {
	if path.Filter != nil && path.Sub == nil {
		if n := &p.nodes[at]; n.kind == 'n' || n.kind == '[' && n.count == 0 {
			return Value{}, nil
		}
		return p.element(path.Attr, at)
	}
	return p.value(path.target(), at)
}

// remove adds the removal of a target: of the listed values where there is a
// list of them, else of all. The two are never confused: an empty list removes
// nothing, and null, which could mean either, is refused for an attribute that
// holds several complex values.
func (p *patchDecoder) remove(path Path, at int) error {
	attr := path.target()
	listed := at != noValue && attr.MultiValued && (path.Sub != nil || path.Filter == nil)
	if !listed {
		if vs, ok := removedValues(path); ok {
			if err := p.selected(path, vs, at); err != nil {
				return err
			}
			p.add(Operation{OpRemoveValues, Path{Attr: path.Attr}, vs})
			return nil
		}
		p.add(Operation{Op: OpRemove, Path: path})
		return nil
	}
	n := &p.nodes[at]
	if n.kind == 'n' {
		return InvalidValue("operation \"remove\" on %q has null for a value: leave the value out to remove all", path)
	}
	vs, err := p.value(attr, at)
	if err != nil {
		return err
	}
	want := 1
	if n.kind == '[' {
		want = int(n.count)
	}
	if vs.Len() != want {
		return InvalidValue("operation \"remove\" on %q lists a value that names no element", path)
	}
	for _, e := range vs.Items() {
		if attr.reference() && e.Object().Get(attr.value).IsAbsent() {
			return InvalidValue("operation \"remove\" on %q lists an element without %q", path, attr.value)
		}
	}
	if want > 0 {
		p.add(Operation{OpRemoveValues, path, vs})
	}
	return nil
}

// selected checks a value that stands beside a path which selects references by their
// value. RFC 7644 §3.5.2.2 knows none there; one that lists the same is harmless, and
// of one that lists others it can not be told what is to be removed.
func (p *patchDecoder) selected(path Path, selected Value, at int) error {
	if at == noValue || p.nodes[at].kind == 'n' {
		return nil
	}
	vs, err := p.value(path.Attr, at)
	if err != nil {
		return err
	}
	leaf := path.Attr.value
	keys := make(map[string]bool, selected.Len())
	for _, v := range selected.Items() {
		keys[string(appendKey(nil, leaf, v.Object().Get(leaf)))] = true
	}
	for _, v := range vs.Items() {
		if v = v.Object().Get(leaf); !v.IsAbsent() && !keys[string(appendKey(nil, leaf, v))] {
			return InvalidValue("operation \"remove\" on %q lists %s, which its path does not select: leave the value out, or the filter", path, v)
		}
	}
	return nil
}

// removedValues returns the references that a path selects by their value alone:
// members[value eq "x" or value eq "y"]. Other values are compared as filters do.
func removedValues(path Path) (Value, bool) {
	if path.Filter == nil || path.Sub != nil || !path.Attr.reference() {
		return Value{}, false
	}
	alternatives := Or{path.Filter}
	if or, ok := path.Filter.(Or); ok {
		alternatives = or
	}
	vs := make([]Value, 0, len(alternatives))
	for _, f := range alternatives {
		c, ok := f.(Compare)
		switch {
		case !ok || c.Op != Eq:
			return Value{}, false
		case c.Path.Attr == path.Attr:
			vs = append(vs, c.Value)
		case c.Path.Attr == path.Attr.value:
			vs = append(vs, Obj(Object{{path.Attr.value, c.Value}}))
		default:
			return Value{}, false
		}
	}
	return List(vs...), true
}

// partial reports whether the value names sub-attributes of one complex value:
// those that it does not name are left unchanged (RFC 7644 §3.5.2.3).
func (p *patchDecoder) partial(path Path, at int) bool {
	return path.Attr.Type == Complex && !path.Attr.MultiValued && path.Sub == nil && p.nodes[at].kind == '{'
}

// removeNulls adds the removal of each sub-attribute that the value of a complex
// attribute names without a value.
func (p *patchDecoder) removeNulls(path Path, at int) {
	for name, i := range p.members(at) {
		n := &p.nodes[i]
		empty := n.kind == 'n' || n.kind == '[' && n.count == 0 || n.kind == '"' && n.text == ""
		if sub, ok := path.Attr.SubAttribute(name); ok && empty && sub.Mutability != ReadOnly {
			p.add(Operation{Op: OpRemove, Path: Path{Attr: path.Attr, Sub: sub}})
		}
	}
}
