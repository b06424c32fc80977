package scim

import (
	"slices"
	"strings"
)

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
