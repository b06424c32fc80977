package main

import (
	"regexp"
	"slices"
	"strings"

	"postern/configs"
	"postern/scim"
)

// typeDecoder reads what makes a resource type (RFC 7643 §6) of each resource.
type typeDecoder struct {
	schemas []Schema // that there are
	used    map[string]bool
	names   []configs.At[string]
	places  []string // endpoints, aligned with the names
	ps      *configs.Problems
}

// standardType returns the resource types of RFC 7643 §4, which are what they are.
func standardType(name string) (r Resource, ok bool) {
	switch name {
	case "User":
		return Resource{Endpoint: "/Users", Description: "User Account", Schema: scim.UserSchema(),
			Extensions: []scim.Extension{{Schema: scim.EnterpriseUserSchema()}}}, true
	case "Group":
		return Resource{Endpoint: "/Groups", Description: "Group", Schema: scim.GroupSchema()}, true
	default:
		return Resource{}, false
	}
}

// reservedTypes and reservedEndpoints are what the protocol itself calls so (RFC
// 7643 §5 to §7, RFC 7644 §3.2).
var (
	reservedTypes     = []string{"Schema", "ResourceType", "ServiceProviderConfig"}
	reservedEndpoints = []string{"/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Users", "/Groups"}
)

var (
	typeName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	endpointName = regexp.MustCompile(`^/[A-Za-z][A-Za-z0-9_-]*$`)
)

// decode reads the resource type of a section into r.
func (d *typeDecoder) decode(r *Resource, key configs.At[string], m *configs.Map) {
	schema, endpoint, description := m.String("schema"), m.String("endpoint"), m.Text("description")
	extensions := m.List("extensions")
	if standard, ok := standardType(key.Value); ok {
		r.Endpoint, r.Description, r.Schema = standard.Endpoint, description.Or(standard.Description), standard.Schema
		r.Extensions = standard.Extensions
		if schema.Value != "" && !strings.EqualFold(schema.Value, standard.Schema.ID) {
			d.ps.Add(schema.Problem("the schema of %s is %s (RFC 7643 §4)", key.Value, standard.Schema.ID).WithHint("add to it with extensions"))
		}
		if endpoint.Value != "" && endpoint.Value != standard.Endpoint {
			d.ps.Add(endpoint.Problem("the endpoint of %s is %s (RFC 7644 §3.2)", key.Value, standard.Endpoint))
		}
	} else {
		r.Endpoint, r.Description = endpoint.Or("/"+key.Value+"s"), description.Or(key.Value)
		named := d.name(key, schema.Set)
		r.Schema = d.core(schema)
		if named && !endpoint.Set {
			endpoint = configs.At[string]{Value: r.Endpoint, Pos: key.Pos, Path: key.Path, Set: true}
		}
		if endpoint.Value != "" {
			d.endpoint(key, endpoint)
		}
	}
	d.names = append(d.names, key)
	d.places = append(d.places, r.Endpoint)
	var named []string
	whole := true
	for _, n := range extensions {
		urn, ok := d.extension(r, n, named)
		named, whole = append(named, urn), whole && ok
	}
	if !whole {
		r.Schema = nil
	}
}

// name checks the name of a resource type; known says that a schema is named, so
// that it is no slip for a standard one. It reports whether the name is right.
func (d *typeDecoder) name(key configs.At[string], known bool) bool {
	standard := []string{"User", "Group"}
	slip := configs.Nearest(key.Value, standard)
	switch {
	case slices.ContainsFunc(d.names, func(o configs.At[string]) bool { return strings.EqualFold(o.Value, key.Value) }):
		d.ps.Add(key.Problem("there is a resource type of this name already; case does not tell names apart"))
	case slip != "" && (!known || strings.EqualFold(slip, key.Value)):
		d.ps.Add(key.Problem("there is no resource type %q", key.Value).Near(key.Value, standard))
	case !typeName.MatchString(key.Value):
		d.ps.Add(key.Problem("%q can not be the name of a resource type", key.Value).WithHint("a letter, then letters, digits and - _"))
	case slices.ContainsFunc(reservedTypes, func(name string) bool { return strings.EqualFold(name, key.Value) }):
		d.ps.Add(key.Problem("the protocol itself has resources of the type %s", key.Value))
	case !known:
		d.ps.Add(key.Problem("\"schema\" is missing").WithHint("every resource type but User and Group names the schema that it has"))
	default:
		return true
	}
	return false
}

// endpoint checks the endpoint of a type that is not a standard one.
func (d *typeDecoder) endpoint(name, at configs.At[string]) {
	same := func(o string) bool { return strings.EqualFold(o, at.Value) }
	i := slices.IndexFunc(d.places, same)
	switch {
	case !endpointName.MatchString(at.Value):
		d.ps.Add(at.Problem("%q is not an endpoint", at.Value).WithHint("a slash, a letter, then letters, digits and - _, as in /Devices"))
	case slices.ContainsFunc(reservedEndpoints, same):
		d.ps.Add(at.Problem("the endpoint %s is the protocol's own", at.Value).WithHint("name another with endpoint"))
	case i >= 0 && !strings.EqualFold(d.names[i].Value, name.Value):
		d.ps.Add(at.Problem("%s is the endpoint of %s already", at.Value, d.names[i].Value).WithHint("case does not tell endpoints apart"))
	}
}

// core finds the schema of a resource type, or nil.
func (d *typeDecoder) core(at configs.At[string]) *scim.Schema {
	if at.Value == "" {
		return nil
	}
	s, ok := d.find(at)
	if ok && s.extends() {
		d.ps.Add(at.Problem("%s is an extension, and no schema that a resource has alone", s.ID).WithHint("name it under extensions"))
		return nil
	}
	if !ok || s.broken {
		return nil
	}
	return s.Schema
}

func (d *typeDecoder) find(at configs.At[string]) (Schema, bool) {
	s, ok := findSchema(d.schemas, at.Value)
	if !ok {
		var known []string
		for _, s := range d.schemas {
			known = append(known, s.ID)
		}
		d.ps.Add(at.Problem("there is no schema %q", at.Value).Near(at.Value, known))
		return s, false
	}
	d.used[s.ID] = true
	return s, true
}

// extension reads an extension: its schema alone, or whether it is required too.
// It returns the schema's URN, which must not be among those that were named; ok
// is false where the attributes that it has are not known.
func (d *typeDecoder) extension(r *Resource, n *configs.Node, named []string) (urn string, ok bool) {
	var at configs.At[string]
	var required bool
	if n.Kind() == configs.Mapping {
		m := n.Map(d.ps)
		m.Required("schema")
		at, required = m.String("schema"), m.Bool("required").Value
		m.Done()
	} else {
		at = n.String(d.ps)
	}
	if at.Value == "" {
		return "", false
	}
	s, found := d.find(at)
	if !found || s.broken {
		return "", false
	}
	standard := func(x scim.Extension) bool { return x.Schema.ID == s.ID }
	switch {
	case s.ID == scim.UserSchema().ID || s.ID == scim.GroupSchema().ID || r.Schema != nil && s.ID == r.Schema.ID:
		d.ps.Add(at.Problem("%s is no extension", s.ID).WithHint("an extension adds attributes to another schema (RFC 7643 §3.3)"))
	case slices.Contains(named, s.ID):
		d.ps.Add(at.Problem("this extension is named already"))
	case slices.ContainsFunc(r.Extensions, standard):
		r.Extensions[slices.IndexFunc(r.Extensions, standard)].Required = required
	default:
		r.Extensions = append(r.Extensions, scim.Extension{Schema: s.Schema, Required: required})
	}
	return s.ID, true
}
