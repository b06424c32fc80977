package mapping

import (
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A line is a rule that has been checked against the complete schema.
type line struct {
	spec      *RuleSpec
	attr      connectors.Attr
	path      scim.Path // Sub is the leaf, Filter nil: see constants
	constants []scim.Field
	leaf      *scim.Attribute
	key       string // the canonical path
	group     string // of lines that make up one element
	multi     bool
	primary   bool
	write     access
	unread    bool
	display   *scim.Attribute // the sub-attribute that the gateway fills in
	codec     codec
	state     state
	codecName string
	fallback  [][]segment

	rule *rule // once built
}

// line checks one rule by itself and against those before it.
func (c *compiler) line(s *RuleSpec) {
	l := &line{spec: s, attr: c.spelling(connectors.Attr(s.Attr.Value))}
	c.spelledRight(s.Attr)
	if !c.resolvePath(l) {
		c.misspelled = append(c.misspelled, l.spec.Path.Value)
		return
	}
	if i := slices.IndexFunc(c.lines, func(o *line) bool { return o.key == l.key }); i >= 0 {
		c.add(s.Path.Problem("this path is mapped already, at %s", c.lines[i].spec.Path.Pos))
		return
	}
	c.lines = append(c.lines, l)
	c.codec(l)
	c.access(l)
	c.generates(l)
	c.display(l)
}

// resolvePath finds what the left side means in the schema.
func (c *compiler) resolvePath(l *line) bool {
	s := l.spec
	text := s.Path.Value
	p, err := scim.ParsePath(c.full, text)
	if err != nil {
		problem := s.Path.Problem("%v", err)
		c.add(problem.Near(text, c.knownPaths()))
		return false
	}
	if !c.mappable(s, p) {
		return false
	}
	attr := p.Attr
	isRef := len(s.Refs) > 0
	switch {
	case attr.Type != scim.Complex:
		l.leaf, l.multi = attr, attr.MultiValued
	case isRef:
		value := subAttribute(attr, "value")
		if p.Filter != nil || p.Sub != nil && p.Sub != value || value == nil {
			c.add(s.Path.Problem("a reference is mapped as a whole").WithHint("write %q", scim.AttrPath{Attr: attr}.String()))
			return false
		}
		l.leaf, l.multi, p.Sub = value, attr.MultiValued, value
	case p.Sub != nil:
		l.leaf = p.Sub
		l.multi = attr.MultiValued && p.Filter == nil
	case attr.MultiValued && subAttribute(attr, "value") != nil:
		p.Sub = subAttribute(attr, "value")
		l.leaf = p.Sub
		l.multi = p.Filter == nil
	case refersToResources(attr):
		c.add(wantsRef(s, attr))
		return false
	default:
		c.add(s.Path.Problem("%s has several parts", scim.AttrPath{Attr: attr}).
			WithHint("map its sub-attributes, such as %q", subPath(attr, attr.Sub[0])))
		return false
	}
	if isRef && attr.Type != scim.Complex {
		c.add(s.Path.Problem("%s can not hold a reference", scim.AttrPath{Attr: attr}).
			WithHint("references are held by complex attributes with the sub-attributes value and $ref, such as members, groups and manager"))
		return false
	}
	if !c.constantsOf(l, p) {
		return false
	}
	if s.MultiValued.Set {
		switch {
		case attr.Type != scim.Complex || !attr.MultiValued || isRef:
			if s.MultiValued.Value != l.multi {
				c.add(s.MultiValued.Problem("the schema says whether %s is multi-valued", scim.AttrPath{Attr: attr}))
			}
		default:
			l.multi = s.MultiValued.Value
		}
	}
	l.path = scim.Path{Attr: attr, Sub: p.Sub}
	l.primary = l.primary || s.Primary.Value
	if s.Primary.Set && (!attr.MultiValued || isRef || subAttribute(attr, "primary") == nil) {
		c.add(s.Primary.Problem("%s has no primary element", scim.AttrPath{Attr: attr}))
	}
	l.group = scim.AttrPath{Attr: attr}.String()
	if attr.MultiValued {
		parts := make([]string, len(l.constants))
		for i, f := range l.constants {
			parts[i] = f.Attr.Name + " eq " + f.Value.String()
		}
		slices.Sort(parts)
		l.group += "[" + strings.ToLower(strings.Join(parts, " and ")) + "]"
	}
	l.key = l.group
	if p.Sub != nil {
		l.key += "." + p.Sub.Name
	}
	return true
}

// mappable refuses what the gateway keeps itself.
func (c *compiler) mappable(s *RuleSpec, p scim.Path) bool {
	switch p.Attr {
	case c.full.ID(), c.full.ExternalID(), c.full.Schemas():
		c.add(s.Path.Problem("%s is kept by the gateway and can not be mapped", p.Attr.Name))
		return false
	case c.full.Meta():
		if p.Sub == nil || p.Sub.Name != "created" && p.Sub.Name != "lastModified" {
			c.add(s.Path.Problem("of meta only meta.created and meta.lastModified can be mapped"))
			return false
		}
	}
	return true
}

// constantsOf reads the filter of a value path: what every element that the
// rule makes has in common.
func (c *compiler) constantsOf(l *line, p scim.Path) bool {
	if p.Filter == nil {
		return true
	}
	parts, ok := p.Filter.(scim.And)
	if !ok {
		parts = scim.And{p.Filter}
	}
	for _, part := range parts {
		compare, ok := part.(scim.Compare)
		if !ok || compare.Op != scim.Eq {
			c.add(l.spec.Path.Problem("the brackets of a rule can only say what equals what").WithHint("as in emails[type eq \"work\"].value"))
			return false
		}
		sub := compare.Path.Attr
		if sub == l.leaf || slices.ContainsFunc(l.constants, func(f scim.Field) bool { return f.Attr == sub }) {
			c.add(l.spec.Path.Problem("%s can not be fixed here", sub.Name))
			return false
		}
		if err := sub.Admits(compare.Value.Text()); err != nil {
			c.add(l.spec.Path.Problem("%s is not among the canonicalValues of %s", compare.Value, sub))
			return false
		}
		if sub.Name == "primary" {
			l.primary = compare.Value.Bool()
		}
		l.constants = append(l.constants, scim.Field{Attr: sub, Value: compare.Value})
	}
	return true
}

// access finds who may read and write: what the schema allows, and of that what
// the rule allows. A sub-attribute of a reference comes and goes with it, and so
// does one of an element that is one of several, whatever its own mutability.
func (c *compiler) access(l *line) {
	s, attr := l.spec, l.path.Attr
	hidden := func(a *scim.Attribute) bool {
		return a.Returned == scim.ReturnedNever || a.Mutability == scim.WriteOnly
	}
	l.unread = s.Read.Value == "never" || hidden(attr) || hidden(l.leaf) || l.codecName == "ad-password"
	readOnly := attr.Mutability == scim.ReadOnly || l.leaf.Mutability == scim.ReadOnly && len(s.Refs) == 0
	immutable := attr.Mutability == scim.Immutable || l.leaf.Mutability == scim.Immutable && len(s.Refs) == 0 && !attr.MultiValued
	switch s.Write.Value {
	case "create":
		l.write = writeCreate
	case "never":
		l.write = writeNever
	case "":
		if readOnly {
			l.write = writeNever
		} else if immutable {
			l.write = writeCreate
		}
	}
	if readOnly && l.write != writeNever {
		c.add(s.Write.Problem("%s is read-only in SCIM", s.Path.Value).WithHint("write: never"))
	}
	if immutable && l.write == writeAlways {
		c.add(s.Write.Problem("%s is immutable in its schema", s.Path.Value).WithHint("write: create"))
	}
	if immutable && s.Forbidden.Value == "ignore" && l.write == writeCreate {
		c.add(s.Forbidden.Problem("%s is immutable in its schema: to change it is an error", s.Path.Value))
	}
	if l.unread && attr.Uniqueness != scim.UniqueNone {
		c.add(s.Path.Problem("%s is unique in its schema, and what is never read can not be compared", s.Path.Value))
	}
	if l.unread && s.Returned.Value != "" {
		c.add(s.Returned.Problem("%s is never returned", s.Path.Value))
	}
	if l.unread && s.Read.Value == "always" {
		c.add(s.Read.Problem("%s is never returned", s.Path.Value))
	}
	if l.unread && l.write == writeNever {
		c.add(s.Path.Problem("a rule that neither reads nor writes does nothing"))
	}
	if s.Forbidden.Set && l.write == writeAlways {
		c.add(s.Forbidden.Problem("nothing is forbidden here").WithHint("with write: create or write: never"))
	}
	if s.Required.Value && (l.write == writeNever || l.path.Attr.MultiValued) {
		c.add(s.Required.Problem("%s can not be required", s.Path.Value))
	}
	if s.CaseExact.Set && l.leaf.Type != scim.String && l.leaf.Type != scim.Reference {
		c.add(s.CaseExact.Problem("only text has a case"))
	}
}

func subPath(attr, sub *scim.Attribute) string {
	return scim.AttrPath{Attr: attr, Sub: sub}.String()
}

func subAttribute(attr *scim.Attribute, name string) *scim.Attribute {
	for _, sub := range attr.Sub {
		if sub.Name == name {
			return sub
		}
	}
	return nil
}

// refersToResources reports whether the schema says that values of attr are ids
// of other resources.
func refersToResources(attr *scim.Attribute) bool {
	return len(referenceTypes(attr)) > 0
}

func referenceTypes(attr *scim.Attribute) []string {
	var types []string
	if ref := subAttribute(attr, "$ref"); ref != nil && subAttribute(attr, "value") != nil {
		for _, t := range ref.ReferenceTypes {
			if t != "uri" && t != "external" {
				types = append(types, t)
			}
		}
	}
	return types
}

func wantsRef(s *RuleSpec, attr *scim.Attribute) configs.Problem {
	return s.Path.Problem("%s names other resources", attr.Name).
		WithHint("say which: { attr: %s, ref: [%s] }", s.Attr.Value, strings.Join(referenceTypes(attr), ", "))
}

func typeName(t scim.Type) string {
	return [...]string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}[t]
}
