package mapping

import (
	"slices"
	"strings"

	"postern/configs"
	"postern/scim"
)

// resourceType makes the resource type as far as it is mapped.
func (c *compiler) resourceType() (*scim.ResourceType, error) {
	keep := make(map[*scim.Attribute]bool)
	for _, l := range c.lines {
		attr := l.path.Attr
		keep[attr] = true
		if attr.Type != scim.Complex {
			continue
		}
		keep[l.leaf] = true
		for _, f := range l.constants {
			keep[f.Attr] = true
		}
		if sub := subAttribute(attr, "primary"); sub != nil && l.primary {
			keep[sub] = true
		}
		if len(l.spec.Refs) > 0 {
			if l.display != nil {
				keep[l.display] = true
			}
			for _, name := range [...]string{"$ref", "type"} {
				if sub := subAttribute(attr, name); sub != nil && (name != "type" || attr.Mutability != scim.ReadOnly) {
					keep[sub] = true
				}
			}
		}
	}
	prune := func(s *scim.Schema) *scim.Schema {
		pruned := s.Prune(func(a *scim.Attribute) bool { return keep[a] })
		for _, attr := range s.Attributes {
			if keep[attr] {
				c.characterise(attr, byName(pruned.Attributes, attr.Name))
			}
		}
		return pruned
	}
	var extensions []scim.Extension
	for _, ext := range c.full.Extensions {
		if slices.ContainsFunc(ext.Schema.Attributes, func(a *scim.Attribute) bool { return keep[a] }) {
			extensions = append(extensions, scim.Extension{Schema: prune(ext.Schema), Required: ext.Required})
		}
	}
	return scim.NewResourceType(c.full.Name, c.full.Endpoint, c.full.Description, prune(c.full.Schema), extensions...)
}

// characterise makes the characteristics of a mapped attribute true (RFC 7643
// §7): what is never written is readOnly, what is written at creation is
// immutable, what is never read is never returned.
func (c *compiler) characterise(full, attr *scim.Attribute) {
	var lines []*line
	for _, l := range c.lines {
		if l.path.Attr == full {
			lines = append(lines, l)
		}
	}
	c.characteriseLeaf(attr, lines)
	switch {
	case full.Type != scim.Complex:
		tabled(attr, lines)
		returned(attr, lines)
		return
	case len(lines[0].spec.Refs) > 0:
		characteriseReference(attr, lines[0])
		returned(attr, lines)
		return
	case attr.Mutability == scim.ReadOnly:
		attr.Required = full.Required
		for _, sub := range attr.Sub {
			sub.Mutability = scim.ReadOnly
		}
	default:
		attr.Mutability, attr.Returned, attr.Uniqueness, attr.CaseExact = full.Mutability, full.Returned, full.Uniqueness, full.CaseExact
	}
	if attr.MultiValued {
		returned(attr, lines)
	}
	for _, sub := range attr.Sub {
		var own []*line
		for _, l := range lines {
			if l.leaf.Name == sub.Name {
				own = append(own, l)
			}
		}
		switch {
		case len(own) == 0:
			fixed(sub, lines)
			continue
		case attr.Mutability != scim.ReadOnly:
			c.characteriseLeaf(sub, own)
		}
		tabled(sub, own)
		if !attr.MultiValued {
			returned(sub, own)
		}
	}
}

// characteriseReference tells what a reference may name, and that the gateway
// says how it is called.
func characteriseReference(attr *scim.Attribute, l *line) {
	for _, sub := range attr.Sub {
		if attr.Mutability == scim.ReadOnly || l.display != nil && sub.Name == l.display.Name {
			sub.Mutability = scim.ReadOnly
		}
		switch sub.Name {
		case "$ref":
			sub.ReferenceTypes = configs.Values(l.spec.Refs)
		case "type":
			sub.Canonical = configs.Values(l.spec.Refs)
		}
	}
}

// fixed makes the values that brackets fix the canonical ones: the sub-attribute
// has no others, since no rule holds it.
func fixed(sub *scim.Attribute, lines []*line) {
	if sub.Type != scim.String {
		return
	}
	var values []string
	for _, l := range lines {
		for _, f := range l.constants {
			if f.Attr.Name == sub.Name && !slices.Contains(values, f.Value.Text()) {
				values = append(values, f.Value.Text())
			}
		}
	}
	sub.Canonical = values
}

// tabled makes the values of tables the canonical ones, where every rule for the
// attribute has a table.
func tabled(attr *scim.Attribute, lines []*line) {
	if attr.Type != scim.String {
		return
	}
	var values []string
	for _, l := range lines {
		t, ok := l.codec.(table)
		if !ok {
			return
		}
		for _, row := range t {
			if !slices.Contains(values, row.scim.Text()) {
				values = append(values, row.scim.Text())
			}
		}
	}
	attr.Canonical = values
}

// returned lets the rules say when an attribute is in an answer.
func returned(attr *scim.Attribute, lines []*line) {
	for _, l := range lines {
		switch l.spec.Returned.Value {
		case "default":
			attr.Returned = scim.ReturnedDefault
		case "request":
			attr.Returned = scim.ReturnedRequest
		case "always":
			attr.Returned = scim.ReturnedAlways
		}
	}
}

// characteriseLeaf sets the characteristics of an attribute by the rules that
// hold its values.
func (c *compiler) characteriseLeaf(attr *scim.Attribute, lines []*line) {
	all := func(ok func(*line) bool) bool {
		return !slices.ContainsFunc(lines, func(l *line) bool { return !ok(l) })
	}
	declared := attr.Mutability
	switch {
	case all(func(l *line) bool { return l.write == writeNever && l.spec.Forbidden.Value != "ignore" }):
		attr.Mutability = scim.ReadOnly
	case all(func(l *line) bool { return l.write != writeAlways && l.spec.Forbidden.Value != "ignore" }):
		attr.Mutability = scim.Immutable
	}
	if all(func(l *line) bool { return l.unread }) {
		attr.Returned = scim.ReturnedNever
		if attr.Mutability == scim.ReadWrite {
			attr.Mutability = scim.WriteOnly
		}
	}
	for _, l := range lines {
		if l.spec.CaseExact.Set {
			attr.CaseExact = l.spec.CaseExact.Value
		}
		if l.spec.Required.Value || c.neededByName(l) {
			attr.Required = true
		}
		if attr.Mutability == scim.ReadOnly && declared != scim.ReadOnly {
			attr.Required = false // nobody can be asked for it
		}
	}
	if len(lines) == 1 && attr.Uniqueness == scim.UniqueNone && !attr.MultiValued && !c.name.numbers && c.isWholeName(lines[0]) {
		attr.Uniqueness = scim.UniqueServer
	}
}

// neededByName reports whether a name can not be made without the line.
func (c *compiler) neededByName(l *line) bool {
	if len(l.spec.Default) > 0 || l.path.Attr.MultiValued {
		return false
	}
	return slices.ContainsFunc(c.nameText, func(g segment) bool {
		if g.path == "" {
			return false
		}
		input, _ := c.lineOf(g.path)
		return input == l
	})
}

// isWholeName reports whether the name is the line's value and nothing else, so
// that no two objects can have the same.
func (c *compiler) isWholeName(l *line) bool {
	return len(c.nameText) == 1 && l.leaf == l.path.Attr && c.neededByName(l)
}

func byName(attrs []*scim.Attribute, name string) *scim.Attribute {
	for _, a := range attrs {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}
