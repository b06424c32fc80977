package scim

import (
	"net/http"
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
		return Patch{}, InvalidSyntax("attribute \"Operations\" is empty")
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
