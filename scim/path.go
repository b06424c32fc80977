package scim

import (
	"strings"
	"unicode/utf8"
)

// An AttrPath names an attribute, or a sub-attribute of it (attrPath of RFC 7644
// §3.4.2.2). Within a value filter Attr is the sub-attribute itself.
type AttrPath struct {
	Attr *Attribute
	Sub  *Attribute // nil for the attribute as a whole
}

// String returns the path in its canonical form, with the URN in front of an
// extension's attribute.
func (p AttrPath) String() string { return p.target().String() }

// target returns the attribute whose values the path means.
func (p AttrPath) target() *Attribute {
	if p.Sub != nil {
		return p.Sub
	}
	return p.Attr
}

func pathOf(a *Attribute) AttrPath {
	if a.parent != nil {
		return AttrPath{a.parent, a}
	}
	return AttrPath{Attr: a}
}

// A Path is the target of a PATCH operation (RFC 7644 §3.5.2): an attribute, or
// those of its elements for which Filter holds, or a sub-attribute of these.
type Path struct {
	Attr   *Attribute
	Filter Filter     // nil for all elements
	Sub    *Attribute // nil for the attribute, or the elements, as a whole
}

// String returns the path in its canonical form; ParsePath reads it back.
func (p Path) String() string {
	dst := p.Attr.appendPath(nil)
	if p.Filter != nil {
		dst = append(dst, '[')
		dst = p.Filter.appendTo(dst, false, p.Attr)
		dst = append(dst, ']')
	}
	if p.Sub != nil {
		dst = append(append(dst, '.'), p.Sub.Name...)
	}
	return string(dst)
}

// target returns the attribute whose values the path means.
func (p Path) target() *Attribute { return AttrPath{p.Attr, p.Sub}.target() }

// ParsePath parses the path of a PATCH operation. What is wrong with the path is
// an invalidPath, and what is wrong within its brackets an invalidFilter.
func ParsePath(rt *ResourceType, s string) (Path, error) { return Dialect{}.ParsePath(rt, s) }

// ParsePath parses a path that a client of the dialect sent.
func (d Dialect) ParsePath(rt *ResourceType, s string) (Path, error) {
	if len(s) > maxFilterLength {
		return Path{}, InvalidPath("path is longer than %d bytes", maxFilterLength)
	}
	if !utf8.ValidString(s) {
		return Path{}, InvalidPath("path is not valid UTF-8")
	}
	name, _, filtered := strings.Cut(s, "[")
	name = strings.TrimSpace(name)
	a, ok := rt.Attribute(name)
	if !ok {
		return Path{}, InvalidPath("unknown attribute %.200q in path", name)
	}
	attr := pathOf(a)
	if !filtered {
		return Path{Attr: attr.Attr, Sub: attr.Sub}, nil
	}
	if attr.Sub != nil || !a.MultiValued {
		return Path{}, InvalidPath("attribute %q in path has no elements to filter", a)
	}
	p := filterParser{rt: rt, dialect: d, s: s, pos: strings.IndexByte(s, '[')}
	f, err := p.brackets(attr)
	if err != nil {
		return Path{}, err
	}
	path := Path{Attr: a, Filter: f}
	rest := strings.TrimSpace(s[p.pos:])
	if rest == "" {
		return path, nil
	}
	sub, dotted := strings.CutPrefix(rest, ".")
	if !dotted {
		return Path{}, InvalidPath("unexpected %.40q after the value filter in path", rest)
	}
	if path.Sub, ok = a.SubAttribute(sub); !ok {
		return Path{}, InvalidPath("unknown sub-attribute %.200q of %q in path", sub, a)
	}
	return path, nil
}
