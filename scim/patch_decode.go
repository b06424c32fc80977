package scim

import (
	"net/http"
	"slices"
	"strings"
)

const patchOpURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// DecodePatch reads the body of a PATCH (RFC 7644 §3.5.2). Operations without a
// path become one operation for each attribute that their value names; names may
// be dotted or carry a URN there. What can not be done whatever the resource is
// like (a readOnly target, a value of the wrong type) fails here.
func DecodePatch(rt *ResourceType, body []byte, opt DecodeOptions) (Patch, error) {
	d, err := newDecoder(rt, body, opt)
	if err != nil {
		return Patch{}, err
	}
	return d.patch()
}

// patch reads the whole as the message of a PATCH, or as its operations.
func (d *decoder) patch() (Patch, error) {
	if d.nodes[d.root].kind == '[' {
		return d.operations(d.root)
	}
	ops, named := noValue, !d.opt.Dialect.RefuseUnknown
	for name, i := range d.members(d.root) {
		switch {
		case strings.EqualFold(name, "schemas"):
			is, err := d.names(i, patchOpURN)
			if err != nil {
				return Patch{}, err
			}
			named = named || is
		case strings.EqualFold(name, "Operations"):
			ops = i
		default:
			if err := d.unknown(name); err != nil {
				return Patch{}, err
			}
		}
	}
	switch {
	case !named:
		return Patch{}, InvalidSyntax("attribute \"schemas\" does not name %q", patchOpURN)
	case ops == noValue || d.nodes[ops].kind != '[':
		return Patch{}, InvalidSyntax("attribute \"Operations\" is not an array of operations")
	}
	return d.operations(ops)
}

// operations reads an array of operations.
func (d *decoder) operations(ops int) (Patch, error) {
	if d.nodes[ops].count == 0 {
		return Patch{}, InvalidSyntax("attribute \"Operations\" is not an array of operations")
	}
	p := patchDecoder{decoder: d, patch: Patch{dialect: d.opt.Dialect}}
	p.patch.Ops = make([]Operation, 0, d.nodes[ops].count)
	for i := range d.children(ops) {
		if err := p.operation(i); err != nil {
			return Patch{}, err
		}
	}
	if p.patch.condense(); len(p.patch.Ops) > maxOperations {
		return Patch{}, Errorf(http.StatusRequestEntityTooLarge, "", "a PATCH has at most %d operations beside those that add or remove listed elements", maxOperations)
	}
	return p.patch, nil
}

// names reports whether the attribute schemas of a message has the URN.
func (d *decoder) names(at int, urn string) (bool, error) {
	switch n := &d.nodes[at]; n.kind {
	case 'n':
		return false, nil
	case '"':
		return strings.EqualFold(n.text, urn), nil
	case '[':
	default:
		return false, InvalidSyntax("attribute \"schemas\" takes an array of strings, not %s", n.kind)
	}
	named := false
	for i := range d.children(at) {
		if n := &d.nodes[i]; n.kind != '"' {
			return false, InvalidSyntax("attribute \"schemas\" takes strings, not %s", n.kind)
		}
		named = named || strings.EqualFold(d.nodes[i].text, urn)
	}
	return named, nil
}

type patchDecoder struct {
	*decoder
	patch Patch
	named []AttrPath // by the value of an operation without a path
}

// noValue stands for the node of a value that is not given.
const noValue = -1

func (p *patchDecoder) operation(at int) error {
	if p.nodes[at].kind != '{' {
		return InvalidSyntax("attribute \"Operations\" has %s where an operation is expected", p.nodes[at].kind)
	}
	var word, path string
	value := noValue
	for name, i := range p.members(at) {
		n := &p.nodes[i]
		switch {
		case strings.EqualFold(name, "op"):
			word = n.text
			if n.kind != '"' {
				return InvalidSyntax("attribute \"op\" of an operation takes a string, not %s", n.kind)
			}
		case strings.EqualFold(name, "path"):
			if n.kind != '"' && n.kind != 'n' {
				return InvalidPath("attribute \"path\" of an operation takes a string, not %s", n.kind)
			}
			path = n.text
		case strings.EqualFold(name, "value"):
			value = i
		default:
			if err := p.unknown(name); err != nil {
				return err
			}
		}
	}
	op, ok := parseOpKind(word)
	p.named = p.named[:0]
	switch {
	case !ok:
		return InvalidSyntax("operation %.40q is not add, replace or remove", word)
	case op != OpRemove && value == noValue:
		return InvalidValue("operation %q needs a value", op)
	}
	path = p.resolvedPath(strings.TrimSpace(path))
	s, whole := p.rt.schema(path)
	switch {
	case path == "" && op == OpRemove:
		return NoTarget("operation \"remove\" needs a path")
	case path == "" && p.opt.Dialect.RequirePath:
		return InvalidPath("operation %q needs a path", op)
	case path == "":
		return p.pathless(op, value, nil)
	case whole && s.extension && op == OpRemove:
		return p.removeExtension(s)
	case whole && op != OpRemove:
		return p.pathless(op, value, s)
	}
	target, err := p.opt.Dialect.ParsePath(p.rt, path)
	if err != nil {
		return err
	}
	return p.target(op, target, value)
}

// resolvedPath returns a path with the ids in place of the bulkIds that its value
// filter names.
func (p *patchDecoder) resolvedPath(path string) string {
	if p.opt.BulkID == nil {
		return path
	}
	parts := strings.Split(path, `"`)
	for i := 1; i < len(parts); i += 2 {
		if name, ok := strings.CutPrefix(parts[i], bulkPrefix); ok {
			if id, ok := p.opt.BulkID(name); ok {
				parts[i] = id
			}
		}
	}
	return strings.Join(parts, `"`)
}

func parseOpKind(word string) (OpKind, bool) {
	for k := OpAdd; k <= OpRemove; k++ {
		if strings.EqualFold(word, opKindNames[k]) {
			return k, true
		}
	}
	return 0, false
}

// pathless makes an operation of each attribute that an object names: an object
// in place of the resource, or of an extension of it.
func (p *patchDecoder) pathless(op OpKind, at int, ext *Schema) error {
	switch n := &p.nodes[at]; {
	case n.kind == 'n' && ext != nil && ext.extension && op == OpReplace:
		return p.removeExtension(ext)
	case n.kind == 'n' && ext != nil:
		return nil
	case n.kind != '{':
		return InvalidValue("operation %q without a path to an attribute takes an object, not %s", op, n.kind)
	}
	for name, i := range p.members(at) {
		if ext == nil {
			if s, ok := p.rt.schema(name); ok {
				if err := p.pathless(op, i, s); err != nil {
					return err
				}
				continue
			}
		}
		path, ok, err := p.memberPath(name, ext)
		if err != nil {
			return err
		}
		if !ok {
			if p.opt.Dialect.RefuseUnknown {
				return InvalidPath("unknown attribute %.200q in value", qualified(name, ext))
			}
			if err := p.unknownValue(qualified(name, ext), i); err != nil {
				return err
			}
			continue
		}
		if path.Attr == p.rt.common.meta || path.Attr == p.rt.common.schemas {
			continue
		}
		if err := p.name(path, i); err != nil {
			return err
		}
		if err := p.target(op, path, i); err != nil {
			return err
		}
	}
	return nil
}

// name fails where a value without a path has an attribute twice, by two of its
// names: the order of names in an object means nothing, so neither is the later.
func (p *patchDecoder) name(path Path, at int) error {
	if path.Filter != nil {
		return nil
	}
	target := AttrPath{path.Attr, path.Sub}
	if slices.Contains(p.named, target) {
		return InvalidSyntax("attribute %q is given twice", target)
	}
	p.named = append(p.named, target)
	if !p.partial(path, at) {
		return nil
	}
	for name := range p.members(at) {
		if sub, ok := path.Attr.SubAttribute(name); ok {
			if err := p.name(Path{Attr: path.Attr, Sub: sub}, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeExtension adds the removal of each attribute of an extension that a
// client may write.
func (p *patchDecoder) removeExtension(s *Schema) error {
	for _, a := range s.Attributes {
		if a.Mutability == ReadOnly {
			continue
		}
		if err := p.target(OpRemove, Path{Attr: a}, noValue); err != nil {
			return err
		}
	}
	return nil
}

// memberPath resolves a name in a value without path. A name with a value filter
// is a path too (Entra sends them).
func (p *patchDecoder) memberPath(name string, ext *Schema) (Path, bool, error) {
	if attr, ok := p.attribute(name, ext); ok {
		a := pathOf(attr)
		return Path{Attr: a.Attr, Sub: a.Sub}, true, nil
	}
	attr, _, filtered := strings.Cut(name, "[")
	if !filtered {
		return Path{}, false, nil
	}
	if _, ok := p.attribute(attr, ext); !ok {
		return Path{}, false, nil
	}
	path, err := p.opt.Dialect.ParsePath(p.rt, qualified(name, ext))
	return path, err == nil, err
}

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
		return p.single(path.Attr, at)
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

// removedValues returns the elements that a path selects by their value alone:
// members[value eq "x" or value eq "y"].
func removedValues(path Path) (Value, bool) {
	if path.Filter == nil || path.Sub != nil {
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
