package scim

import (
	"slices"
	"strconv"
	"strings"
)

// An OpKind is what a PATCH operation does.
type OpKind uint8

const (
	OpAdd OpKind = iota
	OpReplace
	// OpRemove empties the target: its Value is always Absent.
	OpRemove
	// OpRemoveValues takes the listed values, and no others, out of a
	// multi-valued attribute: its Value is a list and is never Absent. It is a
	// kind of its own so that it can never be taken for OpRemove.
	OpRemoveValues
)

var opKindNames = [...]string{"add", "replace", "remove", "remove values"}

// String returns the kind as a request has it.
func (k OpKind) String() string { return opKindNames[k] }

// An Operation is one change of one attribute. Path.Attr is never nil, and Value
// has the type of the target: that of an element where Path has a filter.
type Operation struct {
	Op    OpKind
	Path  Path
	Value Value
}

// String returns what the operation does, without the value, which may be a
// secret.
func (o Operation) String() string {
	s := o.Op.String() + " " + o.Path.String()
	if n := o.Value.Len(); o.Path.Attr.MultiValued && o.Path.Sub == nil && n > 0 {
		s += " (" + strconv.Itoa(n) + ")"
	}
	return s
}

// A Patch is a sequence of operations that is applied as a whole or not at all
// (RFC 7644 §3.5.2).
type Patch struct {
	Ops []Operation
	// Spaces is how the value filters of paths compare; see Evaluation.
	Spaces func(*Attribute) Spaces

	dialect Dialect
}

// PatchOf returns the patch that gives a resource the values of r and leaves the
// attributes that r does not have.
func PatchOf(r *Resource) Patch {
	p := Patch{Ops: make([]Operation, 0, len(r.Attrs))}
	for _, f := range r.Attrs {
		p.Ops = append(p.Ops, Operation{OpReplace, Path{Attr: f.Attr}, f.Value})
	}
	return p
}

// String returns the operations without their values, joined by semicolons.
func (p Patch) String() string {
	var b strings.Builder
	for i, op := range p.Ops {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(op.String())
	}
	return b.String()
}

// Touches reports whether an operation is about the attribute or a part of it.
func (p Patch) Touches(attr *Attribute) bool {
	for i := range p.Ops {
		if p.Ops[i].Path.Attr == attr {
			return true
		}
	}
	return false
}

// Replaces reports whether the last operation about the attribute replaces all of
// it, so that what was there has no part in what will be.
func (p Patch) Replaces(attr *Attribute) bool {
	for _, op := range slices.Backward(p.Ops) {
		if op.Path.Attr == attr {
			return op.Op == OpReplace && op.Path.Filter == nil && op.Path.Sub == nil
		}
	}
	return false
}

// Added returns the elements that the patch adds to a multi-valued attribute.
func (p Patch) Added(attr *Attribute) (added []Value) {
	for _, op := range p.Ops {
		if op.Path.Attr == attr && op.Op == OpAdd && op.Path.Filter == nil && op.Path.Sub == nil {
			added = append(added, op.Value.Items()...)
		}
	}
	return added
}

// Elementwise tells what the patch does to a multi-valued attribute as a list of
// elements that are added and one of elements that are removed; no element is in
// both, since a later operation wins. It is ok when that is all the patch does
// to the attribute, and when an element is the same as another by its value
// alone (simple values, and references such as members). Then the patch can be
// applied without knowing the elements that are there: take out remove, put in
// what of add is not there yet.
func (p Patch) Elementwise(attr *Attribute) (add, remove []Value, ok bool) {
	if !attr.MultiValued || attr.Type == Complex && !attr.reference() {
		return nil, nil, false
	}
	type fate struct {
		v       Value
		removed bool
	}
	var fates []fate
	index := make(map[string]int)
	for i := range p.Ops {
		op := &p.Ops[i]
		if op.Path.Attr != attr {
			continue
		}
		if op.Path.Sub != nil || op.Path.Filter != nil || op.Op != OpAdd && op.Op != OpRemoveValues {
			return nil, nil, false
		}
		for _, v := range op.Value.Items() {
			k := string(appendIdentity(nil, attr, v))
			at, known := index[k]
			if !known {
				at = len(fates)
				index[k] = at
				fates = append(fates, fate{v, op.Op == OpRemoveValues})
				continue
			}
			if removed := op.Op == OpRemoveValues; fates[at].removed != removed {
				fates[at] = fate{v, removed}
			}
		}
	}
	for _, f := range fates {
		if f.removed {
			remove = append(remove, f.v)
		} else {
			add = append(add, f.v)
		}
	}
	return add, remove, true
}

// maxOperations bounds the operations that are left when those on elements are
// condensed: each of them can cost a walk through all elements there are.
const maxOperations = 1000

// condense makes at most two operations of all that are about one attribute and
// elementwise, so that ten thousand single members cost one walk. Operations on
// different attributes do not depend on each other's order.
func (p *Patch) condense() {
	if len(p.Ops) <= few {
		return
	}
	count := make(map[*Attribute]int)
	var many []*Attribute
	for i := range p.Ops {
		attr := p.Ops[i].Path.Attr
		if count[attr]++; count[attr] == 3 {
			many = append(many, attr)
		}
	}
	for _, attr := range many {
		add, remove, ok := p.Elementwise(attr)
		if !ok {
			continue
		}
		p.Ops = slices.DeleteFunc(p.Ops, func(op Operation) bool { return op.Path.Attr == attr })
		for _, op := range [...]Operation{{OpRemoveValues, Path{Attr: attr}, List(remove...)}, {OpAdd, Path{Attr: attr}, List(add...)}} {
			if !op.Value.IsAbsent() {
				p.Ops = append(p.Ops, op)
			}
		}
	}
}

// appendIdentity appends what makes an element the same as another of attr: of a
// reference its value; of another complex element its value and type, which RFC
// 7643 §2.4 wants to be together at most once; else the element as a whole.
func appendIdentity(dst []byte, attr *Attribute, v Value) []byte {
	o := v.Object()
	if attr.value == nil || o == nil {
		return appendKey(dst, attr, v)
	}
	value := o.Get(attr.value)
	if value.IsAbsent() {
		return appendKey(append(dst, 'o'), attr, v)
	}
	dst = appendKey(append(dst, 'v'), attr.value, value)
	if attr.kind != nil && !attr.reference() {
		dst = appendKey(dst, attr.kind, o.Get(attr.kind))
	}
	return dst
}
