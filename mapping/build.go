package mapping

import (
	"cmp"
	"slices"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// build makes the mapping of lines that have been found right.
func (c *compiler) build() *Mapping {
	rt, err := c.resourceType()
	if err != nil {
		c.add(c.spec.At.Problem("%v", err))
		return nil
	}
	m := &Mapping{rt: rt, digest: c.digest()}
	for _, attr := range rt.Attributes() {
		if p := c.property(attr); p != nil {
			m.properties = append(m.properties, p)
			m.rules = append(m.rules, p.rules...)
		}
	}
	for _, l := range c.lines {
		if l.display != nil {
			p := l.rule.property
			m.displays = append(m.displays, Display{Of: p.attr, Sub: p.display, Attr: l.attr, Path: l.spec.Display.Value, at: l.spec.Display, refs: l.rule.refs})
		}
	}
	c.buildNaming(m)
	c.buildPlacing(m)
	for _, l := range c.lines {
		for _, segments := range l.fallback {
			l.rule.fallback = append(l.rule.fallback, c.template(segments))
		}
	}
	for _, k := range c.spec.Constants {
		f := connectors.Field{Attr: c.spelling(connectors.Attr(k.Attr.Value))}
		for _, v := range k.Values {
			f.Values = append(f.Values, connectors.Value(v.Value))
		}
		m.constants = append(m.constants, f)
	}
	for _, d := range c.derivedText {
		m.derived = append(m.derived, derived{pos: d.spec.Attr.Pos, attr: d.attr, template: *c.template(d.segments), account: d.spec.Codec.Value == accountNameCodec,
			numbers: d.spec.Collision.Value == collisionNumber})
	}
	m.freeze()
	return m
}

// property gathers the rules for one attribute of the mapped resource type.
func (c *compiler) property(attr *scim.Attribute) *property {
	path := scim.AttrPath{Attr: attr}.String()
	p := &property{attr: attr}
	groups := make(map[string]*element)
	for _, l := range c.lines {
		if (scim.AttrPath{Attr: l.path.Attr}).String() != path {
			continue
		}
		r := c.rule(l, p)
		p.rules = append(p.rules, r)
		switch {
		case len(r.refs) > 0:
			p.shape = shapeReference
			if attr.MultiValued {
				p.shape = shapeReferences
			}
			p.value, p.ref, p.typ = subAttribute(attr, "value"), subAttribute(attr, "$ref"), subAttribute(attr, "type")
			if l.display != nil {
				p.display = subAttribute(attr, l.display.Name)
			}
		case attr.Type != scim.Complex:
			if attr.MultiValued {
				p.shape = shapeList
			}
		case !attr.MultiValued:
			p.shape = shapeComplex
		default:
			p.shape = shapeElements
			el := groups[l.group]
			if el == nil {
				el = &element{multi: l.multi, primaryAt: subAttribute(attr, "primary")}
				groups[l.group] = el
				p.elements = append(p.elements, el)
				for _, f := range l.constants {
					if sub := subAttribute(attr, f.Attr.Name); f.Attr.Name != "primary" {
						el.constants = append(el.constants, scim.Field{Attr: sub, Value: f.Value})
					}
				}
			}
			el.primary = el.primary || l.primary
			el.rules = append(el.rules, r)
			r.element = el
		}
	}
	if len(p.rules) == 0 {
		return nil
	}
	inOrder := func(a, b *rule) int {
		return cmp.Compare(slices.Index(attr.Sub, a.leaf), slices.Index(attr.Sub, b.leaf))
	}
	if p.shape == shapeComplex {
		slices.SortFunc(p.rules, inOrder)
	}
	for _, el := range p.elements {
		el.layOut(attr)
	}
	return p
}

// layOut puts constants and rules into the order of the schema.
func (el *element) layOut(attr *scim.Attribute) {
	for _, sub := range attr.Sub {
		if sub == el.primaryAt && el.primary {
			el.slots = append(el.slots, slot{attr: sub, constant: scim.Bool(true)})
		}
		for _, f := range el.constants {
			if f.Attr == sub {
				el.slots = append(el.slots, slot{attr: sub, constant: f.Value})
			}
		}
		for _, r := range el.rules {
			if r.leaf == sub {
				el.slots = append(el.slots, slot{attr: sub, rule: r})
			}
		}
	}
}

func (c *compiler) rule(l *line, p *property) *rule {
	r := &rule{
		pos:      l.spec.Path.Pos,
		path:     l.spec.Path.Value,
		attr:     l.attr,
		slot:     -1,
		property: p,
		leaf:     p.attr,
		codec:    l.codec,
		state:    l.state,
		multi:    l.multi,
		write:    l.write,
		lenient:  l.spec.Forbidden.Value == "ignore",
		unread:   l.unread,
		generate: l.spec.Generate.Value,
		volatile: l.path.Attr == c.full.Meta() || restless[fold(l.attr)] || len(l.spec.Refs) > 0 && l.path.Attr.Mutability == scim.ReadOnly,
	}
	if l.path.Sub != nil {
		r.leaf = subAttribute(p.attr, l.path.Sub.Name)
	}
	for _, ref := range l.spec.Refs {
		r.refs = append(r.refs, ref.Value)
		endpoint := c.spec.Resources[ref.Value]
		if endpoint == "" {
			endpoint = ref.Value + "s"
		}
		r.endpoints = append(r.endpoints, strings.Trim(endpoint, "/")+"/")
	}
	l.rule = r
	return r
}

func (c *compiler) buildNaming(m *Mapping) {
	if !c.named {
		return
	}
	n := c.name
	n.slot = -1
	if n.attr != "" {
		n.template = *c.template(c.nameText)
		if only := n.template.only(); only != nil && only.attr == n.attr && only.write != writeNever {
			n.rule = only
		}
	}
	m.naming = &n
}

func (c *compiler) template(segments []segment) *template {
	t := &template{}
	for _, g := range segments {
		p := part{literal: g.literal}
		if g.path != "" {
			l, _ := c.lineOf(g.path)
			p.input = l.rule
		}
		t.parts = append(t.parts, p)
	}
	return t
}

// freeze counts and lists what the others need again and again.
func (m *Mapping) freeze() {
	for _, r := range m.rules {
		if r.unread {
			continue
		}
		if r.slot = slices.Index(m.attrs, r.attr); r.slot < 0 {
			r.slot = len(m.attrs)
			m.attrs = append(m.attrs, r.attr)
		}
	}
	if n := m.naming; n != nil && n.attr != "" {
		if n.slot = slices.Index(m.attrs, n.attr); n.slot < 0 {
			n.slot = len(m.attrs)
			m.attrs = append(m.attrs, n.attr)
		}
	}
	m.attrs = slices.Clip(m.attrs)
	for _, r := range m.rules {
		covered := slices.ContainsFunc(m.versioned, func(v versioned) bool { return v.attr == r.attr })
		if !r.unread && !r.volatile && !covered {
			m.versioned = append(m.versioned, versioned{attr: r.attr, slot: r.slot})
		}
	}
	slices.SortFunc(m.versioned, func(a, b versioned) int { return cmp.Compare(fold(a.attr), fold(b.attr)) })
	for _, p := range m.properties {
		switch p.shape {
		case shapeComplex:
			m.fields += len(p.rules)
		case shapeReference:
			m.fields += 4
		case shapeElements:
			m.values += len(p.elements)
			for _, el := range p.elements {
				m.fields += len(el.slots)
			}
		}
	}
}
