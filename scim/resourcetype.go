package scim

import (
	"fmt"
	"strings"
)

// An Extension is a schema that extends a resource type (RFC 7643 §3.3). When
// Required, a resource must have at least one attribute of it.
type Extension struct {
	Schema   *Schema
	Required bool
}

// A ResourceType is a kind of resource: its endpoint, its schema and its
// extensions (RFC 7643 §6). It is fixed once made.
type ResourceType struct {
	Name        string
	Endpoint    string // relative to the base URL: /Users
	Description string
	Schema      *Schema
	Extensions  []Extension

	attrs  []*Attribute
	names  map[string]*Attribute // by folded name: plain, dotted, and with the URN
	size   int                   // number of attributes with their sub-attributes
	common struct {
		schemas, id, externalID, meta                          *Attribute
		resourceType, created, lastModified, location, version *Attribute
	}
}

// NewResourceType links copies of the given schemas and the common attributes of
// RFC 7643 §3.1 to a resource type. The schemas themselves stay as they are.
func NewResourceType(name, endpoint, description string, core *Schema, ext ...Extension) (*ResourceType, error) {
	rt := &ResourceType{Name: name, Endpoint: endpoint, Description: description, names: make(map[string]*Attribute)}
	all := func(*Attribute) bool { return true }
	rt.addCommon()
	rt.Schema = core.Prune(all)
	if err := rt.addSchema(rt.Schema); err != nil {
		return nil, err
	}
	for _, e := range ext {
		s := e.Schema.Prune(all)
		s.extension = true
		if _, known := rt.schema(s.ID); known {
			return nil, fmt.Errorf("schema %q is given twice", s.ID)
		}
		rt.Extensions = append(rt.Extensions, Extension{Schema: s, Required: e.Required})
		if err := rt.addSchema(s); err != nil {
			return nil, err
		}
	}
	rt.link(rt.common.meta)
	rt.attrs = append(rt.attrs, rt.common.meta)
	return rt, nil
}

// addCommon defines the common attributes. Meta is linked last, since it stands
// last in a resource's JSON.
func (rt *ResourceType) addCommon() {
	c := &rt.common
	c.schemas = &Attribute{
		Name: "schemas", Type: Reference, MultiValued: true, Required: true, CaseExact: true,
		Mutability: ReadOnly, Returned: ReturnedAlways, ReferenceTypes: []string{"uri"},
		Description: "The URIs of the schemas that the resource uses.",
	}
	c.id = &Attribute{
		Name: "id", Type: String, Required: true, CaseExact: true, Mutability: ReadOnly,
		Returned: ReturnedAlways, Uniqueness: UniqueServer,
		Description: "A unique identifier for a SCIM resource as defined by the service provider.",
	}
	c.externalID = &Attribute{
		Name: "externalId", Type: String, CaseExact: true,
		Description: "A String that is an identifier for the resource as defined by the provisioning client.",
	}
	c.resourceType = &Attribute{
		Name: "resourceType", Type: String, CaseExact: true, Mutability: ReadOnly,
		Description: "The name of the resource type of the resource.",
	}
	c.created = &Attribute{
		Name: "created", Type: DateTime, Mutability: ReadOnly,
		Description: "The DateTime that the resource was added to the service provider.",
	}
	c.lastModified = &Attribute{
		Name: "lastModified", Type: DateTime, Mutability: ReadOnly,
		Description: "The most recent DateTime that the details of this resource were updated at the service provider.",
	}
	c.location = &Attribute{
		Name: "location", Type: Reference, CaseExact: true, Mutability: ReadOnly, ReferenceTypes: []string{"uri"},
		Description: "The URI of the resource being returned.",
	}
	c.version = &Attribute{
		Name: "version", Type: String, CaseExact: true, Mutability: ReadOnly,
		Description: "The version of the resource being returned.",
	}
	c.meta = &Attribute{
		Name: "meta", Type: Complex, Mutability: ReadOnly,
		Description: "A complex attribute containing resource metadata.",
		Sub:         []*Attribute{c.resourceType, c.created, c.lastModified, c.location, c.version},
	}
	for _, a := range []*Attribute{c.schemas, c.id, c.externalID} {
		rt.link(a)
		rt.attrs = append(rt.attrs, a)
	}
	for _, a := range []*Attribute{c.schemas, c.id, c.externalID, c.meta} {
		rt.name(a)
	}
}

// addSchema checks and links the attributes of s, which is a copy of rt's own.
func (rt *ResourceType) addSchema(s *Schema) error {
	if s.ID == "" || !strings.Contains(s.ID, ":") {
		return fmt.Errorf("schema id %q is not a URI", s.ID)
	}
	for _, a := range s.Attributes {
		if err := checkAttribute(a, nil); err != nil {
			return fmt.Errorf("schema %q: %w", s.ID, err)
		}
		switch fold(a.Name) {
		case "schemas", "id", "externalid", "meta":
			return fmt.Errorf("schema %q: attribute %q is a common attribute", s.ID, a.Name)
		}
		if _, taken := rt.names[fold(s.ID+":"+a.Name)]; taken {
			return fmt.Errorf("schema %q: attribute %q is given twice", s.ID, a.Name)
		}
		a.schema = s
		for _, sub := range a.Sub {
			sub.schema = s
		}
		rt.link(a)
		rt.name(a)
		rt.attrs = append(rt.attrs, a)
	}
	return nil
}

// checkAttribute holds a definition against RFC 7643 §2.1 (names) and §2.3.8
// (a complex attribute has no complex sub-attributes).
func checkAttribute(a, parent *Attribute) error {
	for i := range len(a.Name) {
		c := a.Name[i]
		alpha := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !alpha && (i == 0 && c != '$' || c != '$' && c != '-' && c != '_' && (c < '0' || c > '9')) {
			return fmt.Errorf("attribute name %q: character %q is not allowed", a.Name, c)
		}
	}
	switch {
	case a.Name == "":
		return fmt.Errorf("attribute without a name")
	case a.Type != Complex && len(a.Sub) > 0:
		return fmt.Errorf("attribute %q has sub-attributes but is not complex", a.Name)
	case a.Type == Complex && parent != nil:
		return fmt.Errorf("sub-attribute %q of %q is complex", a.Name, parent.Name)
	case a.Type == Complex && len(a.Sub) == 0:
		return fmt.Errorf("complex attribute %q has no sub-attributes", a.Name)
	}
	for i, sub := range a.Sub {
		if err := checkAttribute(sub, a); err != nil {
			return err
		}
		for _, other := range a.Sub[:i] {
			if strings.EqualFold(sub.Name, other.Name) {
				return fmt.Errorf("sub-attribute %q of %q is given twice", sub.Name, a.Name)
			}
		}
	}
	return nil
}

// link numbers a and its sub-attributes and notes what is often asked of them.
func (rt *ResourceType) link(a *Attribute) {
	number := func(a *Attribute) {
		a.order = rt.size
		rt.size++
		a.key = string(append(appendString(nil, a.Name), ':'))
		a.relative = a.Name == "$ref" && a.Type == Reference || a == rt.common.location
		a.preparation = preparationOf(a)
		if a.Mutability == WriteOnly {
			a.Returned = ReturnedNever // RFC 7643 §7: its values SHALL NOT be returned
		}
	}
	number(a)
	for _, sub := range a.Sub {
		sub.parent = a
		number(sub)
		switch fold(sub.Name) {
		case "value":
			a.value = sub
		case "type":
			a.kind = sub
		case "primary":
			if sub.Type == Boolean {
				a.primary = sub
			}
		case "$ref":
			a.ref = sub
		}
	}
}

// name enters a and its sub-attributes under all their names. A plain name goes
// to the first schema that has it, so the core comes before the extensions.
func (rt *ResourceType) name(a *Attribute) {
	enter := func(name string, a *Attribute) {
		if _, taken := rt.names[name]; !taken {
			rt.names[name] = a
		}
	}
	prefix := ""
	if a.schema != nil {
		prefix = fold(a.schema.ID) + ":"
	}
	plain := fold(a.Name)
	if other, taken := rt.names[plain]; taken && other != a {
		plain = "" // and neither do the dotted names mix two attributes
	}
	if plain != "" {
		enter(plain, a)
	}
	enter(prefix+fold(a.Name), a)
	for _, sub := range a.Sub {
		if plain != "" {
			enter(plain+"."+fold(sub.Name), sub)
		}
		enter(prefix+fold(a.Name)+"."+fold(sub.Name), sub)
	}
}

// Attribute resolves a name in any case to an attribute or, when dotted, to a
// sub-attribute. The schema's URN may stand in front (RFC 7644 §3.10). Without
// it, a name that the core does not have is looked for in the extensions, since
// clients leave the URN out (manager eq "...").
func (rt *ResourceType) Attribute(name string) (*Attribute, bool) {
	var buf [160]byte
	if len(name) > len(buf) {
		a, ok := rt.names[fold(name)]
		return a, ok
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	if a, ok := rt.names[string(buf[:len(name)])]; ok {
		return a, true
	}
	// The common attributes belong to every schema but stand under none.
	if rest, ok := cutURN(name, rt.Schema.ID); ok {
		if a, ok := rt.names[fold(rest)]; ok && a.schema == nil {
			return a, true
		}
	}
	return nil, false
}

// cutURN returns what follows the URN and a colon in name.
func cutURN(name, urn string) (string, bool) {
	if len(name) > len(urn)+1 && name[len(urn)] == ':' && strings.EqualFold(name[:len(urn)], urn) {
		return name[len(urn)+1:], true
	}
	return "", false
}

// Attributes returns the top-level attributes in the order of a resource's JSON.
// The slice must not be changed.
func (rt *ResourceType) Attributes() []*Attribute { return rt.attrs }

// Schemas returns the common attribute schemas. Its value is never stored: it
// follows from the attributes that a resource has.
func (rt *ResourceType) Schemas() *Attribute { return rt.common.schemas }

// ID returns the common attribute id.
func (rt *ResourceType) ID() *Attribute { return rt.common.id }

// ExternalID returns the common attribute externalId.
func (rt *ResourceType) ExternalID() *Attribute { return rt.common.externalID }

// Meta returns the common attribute meta.
func (rt *ResourceType) Meta() *Attribute { return rt.common.meta }

// schema finds the core schema or an extension by its URN in any case.
func (rt *ResourceType) schema(urn string) (*Schema, bool) {
	if rt.Schema != nil && strings.EqualFold(rt.Schema.ID, urn) {
		return rt.Schema, true
	}
	for _, e := range rt.Extensions {
		if strings.EqualFold(e.Schema.ID, urn) {
			return e.Schema, true
		}
	}
	return nil, false
}
