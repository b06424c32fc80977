package mapping

import (
	"slices"
	"strings"

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
// immutable, what is never read is writeOnly.
func (c *compiler) characterise(full, attr *scim.Attribute) {
	var lines []*line
	for _, l := range c.lines {
		if l.path.Attr == full {
			lines = append(lines, l)
		}
	}
	c.characteriseLeaf(attr, lines)
	if full.Type != scim.Complex {
		return
	}
	if len(lines[0].spec.Refs) > 0 || attr.Mutability == scim.ReadOnly {
		attr.Required = full.Required
		for _, sub := range attr.Sub {
			if attr.Mutability == scim.ReadOnly {
				sub.Mutability = scim.ReadOnly
			}
		}
		return
	}
	attr.Mutability, attr.Returned, attr.Uniqueness, attr.CaseExact = full.Mutability, full.Returned, full.Uniqueness, full.CaseExact
	for _, sub := range attr.Sub {
		var own []*line
		for _, l := range lines {
			if l.leaf.Name == sub.Name {
				own = append(own, l)
			}
		}
		if len(own) > 0 {
			c.characteriseLeaf(sub, own)
		}
	}
}

// characteriseLeaf sets the characteristics of an attribute by the rules that
// hold its values.
func (c *compiler) characteriseLeaf(attr *scim.Attribute, lines []*line) {
	all := func(ok func(*line) bool) bool {
		return !slices.ContainsFunc(lines, func(l *line) bool { return !ok(l) })
	}
	switch {
	case all(func(l *line) bool { return l.write == writeNever && l.spec.Forbidden.Value != "ignore" }):
		attr.Mutability = scim.ReadOnly
	case all(func(l *line) bool { return l.write != writeAlways && l.spec.Forbidden.Value != "ignore" }):
		attr.Mutability = scim.Immutable
	}
	if all(func(l *line) bool { return l.unread }) {
		attr.Mutability, attr.Returned = scim.WriteOnly, scim.ReturnedNever
	}
	for _, l := range lines {
		if l.spec.CaseExact.Set {
			attr.CaseExact = l.spec.CaseExact.Value
		}
		if l.spec.Required.Value || c.neededByName(l) {
			attr.Required = true
		}
		if attr.Mutability == scim.ReadOnly {
			attr.Required = false
		}
	}
	if len(lines) == 1 && attr.Uniqueness == scim.UniqueNone && !attr.MultiValued && c.isWholeName(lines[0]) {
		attr.Uniqueness = scim.UniqueServer
	}
}

// neededByName reports whether a name can not be made without the line.
func (c *compiler) neededByName(l *line) bool {
	if l.spec.Default.Set || l.path.Attr.MultiValued {
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
