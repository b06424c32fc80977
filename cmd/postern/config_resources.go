package main

import (
	"slices"

	"postern/configs"
	"postern/connectors/ldap"
	"postern/connectors/rest"
	"postern/gateway"
	"postern/scim"
)

// A Backend is a system that resources live in.
type Backend struct {
	Name string
	LDAP ldap.Config
	REST *rest.Config // nil is an LDAP directory
	at   configs.At[string]
}

// A Resource is a resource type with where it lives and how it is mapped.
type Resource struct {
	Name        string // the resource type's
	Endpoint    string // "/Users"
	Description string
	// Schema is complete, as are the schemas of the extensions: the mapping takes
	// away what the file does not map. It is nil where a schema has mistakes.
	Schema     *scim.Schema
	Extensions []scim.Extension
	Backend    string
	Pairwise   bool // each provisioning domain sees ids of its own
	Collection ldap.Collection
	REST       *rest.Collection // of a REST backend
	Node       *configs.Node    // the section, for positions
	// Keep says what is done with what a client deletes; nil deletes it.
	Keep   *gateway.Keep
	keepAt configs.At[string]
}

func decodeBackends(n *configs.Node, ps *configs.Problems) []Backend {
	m := n.Map(ps)
	m.NotEmpty("backend")
	var backends []Backend
	for key, node := range m.Each() {
		bm := node.Map(ps)
		b := Backend{Name: key.Value, at: key}
		if bm.Has("rest") {
			c := rest.Decode(bm.Child("rest"), ps)
			if b.REST = &c; bm.Has("ldap") {
				ps.Add(bm.Problem("is both a directory and an application").WithHint("keep one of ldap and rest"))
				bm.Child("ldap")
			}
		} else {
			bm.Required("ldap")
			b.LDAP = ldap.Decode(bm.Child("ldap"), ps)
		}
		backends = append(backends, b)
		bm.Done()
	}
	return backends
}

func decodeResources(n *configs.Node, backends []string, apps []Backend, schemas []Schema, ps *configs.Problems) []Resource {
	m := n.Map(ps)
	m.NotEmpty("resource")
	t := typeDecoder{schemas: append(standardSchemas(), schemas...), used: make(map[string]bool), ps: ps}
	var resources []Resource
	for key, node := range m.Each() {
		r := decodeResource(key.Value, node, backends, apps, ps)
		t.decode(&r, key, node.Map(ps))
		node.Map(ps).Done()
		resources = append(resources, r)
	}
	warnUnusedSchemas(schemas, t.used, ps)
	return resources
}

// decodeResource decodes the section of one resource, which is shared: the mapping takes its
// part, the backend's driver and the resource type take theirs, and the keys that then are left
// are reported.
func decodeResource(name string, n *configs.Node, backends []string, apps []Backend, ps *configs.Problems) Resource {
	m := n.Map(ps)
	m.Required("backend", "map")
	backend := m.String("backend")
	if backend.Value != "" && !slices.Contains(backends, backend.Value) {
		ps.Add(backend.Problem("there is no backend %q", backend.Value).Near(backend.Value, backends))
	}
	keep, keepAt := decodeDelete(m, ps)
	r := Resource{
		Keep:     keep,
		keepAt:   keepAt,
		Name:     name,
		Backend:  backend.Value,
		Pairwise: m.Enum("ids", "shared", "pairwise").Value == "pairwise",
		Node:     n,
	}
	if slices.ContainsFunc(apps, func(b Backend) bool { return b.Name == r.Backend && b.REST != nil }) {
		c := rest.DecodeCollection(name, n, ps)
		r.REST = &c
	} else {
		r.Collection = ldap.DecodeCollection(name, n, ps)
	}
	for _, key := range []string{"map", "name", "place", "constants", "derived"} {
		m.Child(key)
	}
	return r
}
