package main

import (
	"regexp"
	"slices"
	"strings"

	"postern/configs"
	"postern/scim"
)

// A Schema is a schema that resources may have: a standard one, or one that the
// file declares.
type Schema struct {
	*scim.Schema
	at configs.At[string] // of a declared one
	// broken says that its URN, or names or types in it, are wrong, so that a
	// mapping of it would be blamed for them too.
	broken bool
}

// standardSchemas are those of RFC 7643 §4 that a resource may have.
func standardSchemas() []Schema {
	return []Schema{{Schema: scim.UserSchema()}, {Schema: scim.GroupSchema()}, {Schema: scim.EnterpriseUserSchema()}}
}

// extends reports whether a schema is only ever an extension.
func (s Schema) extends() bool { return s.ID == scim.EnterpriseUserSchema().ID }

func findSchema(all []Schema, urn string) (Schema, bool) {
	i := slices.IndexFunc(all, func(s Schema) bool { return strings.EqualFold(s.ID, urn) })
	if i < 0 {
		return Schema{}, false
	}
	return all[i], true
}

// schemaURN is a URN (RFC 8141) of characters that mean nothing in a filter, in
// a path or in a URL, where schemas stand before the names of their attributes.
var schemaURN = regexp.MustCompile(`(?i)^urn:[a-z0-9][a-z0-9-]*:[a-z0-9._~-]+(:[a-z0-9._~-]+)*$`)

// decodeSchemas reads the schemas that the file declares. types are the resource
// types that an attribute may refer to.
func decodeSchemas(n *configs.Node, types []string, ps *configs.Problems) []Schema {
	var schemas []Schema
	for key, node := range n.Map(ps).Each() {
		urn := strings.ToLower(key.Value)
		_, standard := findSchema(standardSchemas(), urn)
		first, again := findSchema(schemas, urn)
		broken := true
		switch {
		case standard, strings.HasPrefix(urn, "urn:ietf:params:scim:api:"), slices.Contains(discoverySchemas, urn):
			ps.Add(key.Problem("%q is defined by the standard and can not be declared anew", key.Value).
				WithHint("resources add to it with extensions"))
		case !schemaURN.MatchString(key.Value):
			ps.Add(key.Problem("%q is not a URN of letters, digits and - . _ ~", key.Value).WithHint("as in urn:example:scim:schemas:Device"))
		case again:
			ps.Add(key.Problem("this schema is declared already, at %s", first.at.Pos))
		default:
			broken = false
		}
		s := decodeSchema(key, node, types, ps)
		s.broken = s.broken || broken
		schemas = append(schemas, s)
	}
	return schemas
}

// discoverySchemas are the schemas of what the service tells of itself (RFC 7643
// §5 to §7).
var discoverySchemas = []string{
	"urn:ietf:params:scim:schemas:core:2.0:serviceproviderconfig",
	"urn:ietf:params:scim:schemas:core:2.0:resourcetype",
	"urn:ietf:params:scim:schemas:core:2.0:schema",
}

func decodeSchema(key configs.At[string], n *configs.Node, types []string, ps *configs.Problems) Schema {
	m := n.Map(ps)
	m.Required("attributes")
	s := &scim.Schema{
		ID:          key.Value,
		Name:        m.String("name").Or(key.Value[strings.LastIndexByte(key.Value, ':')+1:]),
		Description: m.Text("description").Value,
	}
	d := attributeDecoder{types: types, ps: ps}
	s.Attributes = d.attributes(m.Child("attributes"), nil)
	m.Done()
	return Schema{Schema: s, at: key, broken: d.broken || len(s.Attributes) == 0}
}

// warnUnusedSchemas warns of schemas that no resource has.
func warnUnusedSchemas(schemas []Schema, used map[string]bool, ps *configs.Problems) {
	for _, s := range schemas {
		if !used[s.ID] && !s.broken {
			ps.Add(s.at.Problem("no resource has this schema").AsWarning())
		}
	}
}
