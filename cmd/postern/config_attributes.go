package main

import (
	"regexp"
	"slices"
	"strings"

	"postern/configs"
	"postern/scim"
)

// attributeDecoder reads the attributes of one declared schema. What is wrong
// with a characteristic leaves the attribute with that characteristic's default.
type attributeDecoder struct {
	types  []string
	ps     *configs.Problems
	broken bool
}

// attributeName is RFC 7643 §2.1.
var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9$_-]*$`)

// attributes reads a map of attributes by name; parent is the complex attribute
// that they belong to, or nil.
func (d *attributeDecoder) attributes(n *configs.Node, parent *scim.Attribute) []*scim.Attribute {
	m := n.Map(d.ps)
	m.NotEmpty("attribute")
	var attrs []*scim.Attribute
	for key, node := range m.Each() {
		a := d.attribute(key, node, parent)
		switch {
		case !attributeName.MatchString(key.Value) && (parent == nil || key.Value != "$ref"):
			d.wrong(key.Problem("%q can not be the name of an attribute (RFC 7643 §2.1)", key.Value).WithHint("a letter, then letters, digits and - _ $"))
		case parent == nil && slices.Contains([]string{"schemas", "id", "externalid", "meta"}, strings.ToLower(key.Value)):
			d.wrong(key.Problem("every resource has the attribute %q already (RFC 7643 §3.1)", key.Value))
		case slices.ContainsFunc(attrs, func(o *scim.Attribute) bool { return strings.EqualFold(o.Name, key.Value) }):
			d.wrong(key.Problem("there is an attribute %q already; case does not tell names apart", key.Value))
		default:
			attrs = append(attrs, a)
		}
	}
	return attrs
}

// wrong reports what leaves the schema without a name or a type that was meant.
func (d *attributeDecoder) wrong(p configs.Problem) {
	d.ps.Add(p)
	d.broken = true
}

// The words of a schema (RFC 7643 §7), in the order of the values of scim.
var (
	typeWords       = words(scim.String, scim.Complex)
	mutabilityWords = words(scim.ReadWrite, scim.WriteOnly)
	returnedWords   = words(scim.ReturnedDefault, scim.ReturnedRequest)
	uniquenessWords = words(scim.UniqueNone, scim.UniqueGlobal)
)

func words[T interface {
	~uint8
	String() string
}](first, last T) []string {
	var names []string
	for v := first; v <= last; v++ {
		names = append(names, v.String())
	}
	return names
}

// word is the value that a word stands for; the first where there is none.
func word[T ~uint8](at configs.At[string], names []string) T {
	return T(max(0, slices.Index(names, at.Value)))
}

// attribute reads one attribute: its type alone, or its characteristics (RFC 7643
// §7) with the defaults of §2.2.
func (d *attributeDecoder) attribute(key configs.At[string], n *configs.Node, parent *scim.Attribute) *scim.Attribute {
	a := &scim.Attribute{Name: key.Value}
	if n.Kind() != configs.Mapping {
		typ := n.Enum(d.ps, typeWords...)
		d.kind(a, key, typ, nil, parent)
		a.CaseExact = exactByType(a.Type)
		return a
	}
	m := n.Map(d.ps)
	d.kind(a, key, m.Enum("type", typeWords...), m, parent)
	a.Description = m.Text("description").Value
	a.Required = m.Bool("required").Value
	multi := m.Bool("multiValued")
	if a.MultiValued = multi.Value; multi.Value && parent != nil {
		d.wrong(multi.Problem("a sub-attribute with several values can not be mapped").WithHint("let %s have several values, or make it an attribute of its own", parent.Name))
		a.MultiValued = false
	}
	d.caseExact(a, m.Bool("caseExact"))
	d.access(a, m.Enum("mutability", mutabilityWords...), m.Enum("returned", returnedWords...), parent)
	d.uniqueness(a, m.Enum("uniqueness", uniquenessWords...), parent)
	d.canonical(a, m.Strings("canonicalValues"), m)
	d.referenceTypes(a, m.Strings("referenceTypes"))
	if sub := m.Child("subAttributes"); a.Type == scim.Complex && sub != nil {
		if a.Sub = d.attributes(sub, a); len(a.Sub) == 0 {
			d.broken = true
		}
	}
	m.Done()
	return a
}

// kind reads the type and holds it against where the attribute stands; m is nil
// for the short form.
func (d *attributeDecoder) kind(a *scim.Attribute, key, typ configs.At[string], m *configs.Map, parent *scim.Attribute) {
	a.Type = word[scim.Type](typ, typeWords)
	d.broken = d.broken || typ.Set && typ.Value == ""
	subs := m != nil && m.Has("subAttributes")
	switch {
	case parent != nil && subs:
		d.wrong(m.KeyProblem("subAttributes", "a sub-attribute has none itself (RFC 7643 §2.3.8)"))
		a.Type = scim.String
	case parent != nil && a.Type == scim.Complex:
		d.wrong(typ.Problem("a sub-attribute can not be complex (RFC 7643 §2.3.8)"))
		a.Type = scim.String
	case parent != nil && a.Name == "$ref" && a.Type != scim.Reference:
		d.wrong(key.Problem("$ref is a reference (RFC 7643 §2.4)").WithHint("type: reference"))
	case a.Type == scim.Complex && !subs:
		d.wrong(key.Problem("a complex attribute needs subAttributes"))
	case a.Type != scim.Complex && subs:
		d.wrong(m.KeyProblem("subAttributes", "only a complex attribute has sub-attributes").WithHint("type: complex"))
	}
}

// exactByType reports whether values of the type are case exact by nature (RFC
// 7643 §2.3.6, §2.3.7).
func exactByType(t scim.Type) bool { return t == scim.Reference || t == scim.Binary }

func (d *attributeDecoder) caseExact(a *scim.Attribute, at configs.At[bool]) {
	a.CaseExact = exactByType(a.Type)
	switch {
	case !at.Set:
	case a.Type == scim.String:
		a.CaseExact = at.Value
	case exactByType(a.Type):
		if !at.Value {
			d.ps.Add(at.Problem("a %s is case exact (RFC 7643 §2.3)", a.Type))
		}
	default:
		d.ps.Add(at.Problem("only text has a case, and %s is of the type %s", a.Name, a.Type))
	}
}

// access reads who may write and read. What is never returned need not be
// writeOnly, but what is writeOnly is never returned.
func (d *attributeDecoder) access(a *scim.Attribute, mutability, returned configs.At[string], parent *scim.Attribute) {
	a.Mutability = word[scim.Mutability](mutability, mutabilityWords)
	a.Returned = word[scim.Returned](returned, returnedWords)
	switch {
	case a.Mutability == scim.WriteOnly && returned.Value == "":
		a.Returned = scim.ReturnedNever
	case a.Mutability == scim.WriteOnly && a.Returned != scim.ReturnedNever:
		d.ps.Add(returned.Problem("what is writeOnly is never returned (RFC 7643 §7)").WithHint("returned: never"))
		a.Returned = scim.ReturnedNever
	case a.Mutability == scim.ReadOnly && a.Returned == scim.ReturnedNever:
		d.ps.Add(returned.Problem("%s could neither be read nor written", a.Name).WithHint("another mutability than readOnly, or another returned than never"))
		a.Returned = scim.ReturnedDefault
	}
	if parent == nil {
		return
	}
	switch {
	case parent.Mutability == scim.ReadOnly && mutability.Value != "" && a.Mutability != scim.ReadOnly:
		d.ps.Add(mutability.Problem("%s is readOnly, and so is what is in it", parent.Name))
		a.Mutability = scim.ReadOnly
	case parent.Returned == scim.ReturnedNever && a.Mutability == scim.ReadOnly:
		d.ps.Add(mutability.Problem("%s is never returned, so that %s could neither be read nor written", parent.Name, a.Name))
		a.Mutability = scim.ReadWrite
	case parent.Returned == scim.ReturnedNever && returned.Value != "" && a.Returned != scim.ReturnedNever:
		d.ps.Add(returned.Problem("%s is never returned, and neither is what is in it", parent.Name))
	}
}

// uniqueness reads among what values are unique. It is upheld for the one value
// of an attribute that can be searched for.
func (d *attributeDecoder) uniqueness(a *scim.Attribute, at configs.At[string], parent *scim.Attribute) {
	a.Uniqueness = word[scim.Uniqueness](at, uniquenessWords)
	reason := ""
	switch {
	case a.Uniqueness == scim.UniqueNone:
		return
	case a.Type == scim.Complex || a.Type == scim.Boolean:
		reason = "an attribute of the type " + a.Type.String() + " can not be unique"
	case parent != nil:
		reason = "a sub-attribute can not be unique"
	case a.MultiValued:
		reason = "an attribute with several values can not be unique"
	case a.Returned == scim.ReturnedNever:
		reason = "what is never returned can not be searched for, and so not be unique"
	default:
		return
	}
	d.ps.Add(at.Problem("%s", reason))
	a.Uniqueness = scim.UniqueNone
}

// canonical reads the canonical values, which close the attribute.
func (d *attributeDecoder) canonical(a *scim.Attribute, values []configs.At[string], m *configs.Map) {
	switch {
	case !m.Has("canonicalValues"):
		return
	case a.Type != scim.String:
		d.ps.Add(m.KeyProblem("canonicalValues", "only a string has canonical values, and %s is of the type %s", a.Name, a.Type))
		return
	}
	for _, v := range values {
		if slices.ContainsFunc(a.Canonical, func(o string) bool { return o == v.Value || !a.CaseExact && strings.EqualFold(o, v.Value) }) {
			d.ps.Add(v.Problem("%q is among the values already", v.Value))
			continue
		}
		a.Canonical = append(a.Canonical, v.Value)
	}
	a.Closed = len(a.Canonical) > 0
}

func (d *attributeDecoder) referenceTypes(a *scim.Attribute, names []configs.At[string]) {
	for i, name := range names {
		switch {
		case a.Type != scim.Reference:
			if i == 0 {
				d.ps.Add(name.Problem("only a reference has reference types, and %s is of the type %s", a.Name, a.Type))
			}
		case name.Value != "uri" && name.Value != "external" && !slices.Contains(d.types, name.Value):
			known := append([]string{"uri", "external"}, d.types...)
			d.ps.Add(name.Problem("there is no resource %q", name.Value).Near(name.Value, known))
		default:
			a.ReferenceTypes = append(a.ReferenceTypes, name.Value)
		}
	}
}
