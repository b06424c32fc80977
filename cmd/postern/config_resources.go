package main

import (
	"slices"

	"postern/configs"
	"postern/connectors/ldap"
)

// A Backend is a system that resources live in.
type Backend struct {
	Name string
	LDAP ldap.Config
	at   configs.At[string]
}

// A Resource is a resource type with where it lives and how it is mapped.
type Resource struct {
	Name       string // the resource type's
	Backend    string
	Pairwise   bool // each provisioning domain sees ids of its own
	Collection ldap.Collection
	Node       *configs.Node // the section, for positions
}

// resourceTypes are the types that can be served.
func resourceTypes() []string { return []string{"User", "Group"} }

func decodeBackends(n *configs.Node, ps *configs.Problems) []Backend {
	m := n.Map(ps)
	m.NotEmpty("backend")
	var backends []Backend
	for key, node := range m.Each() {
		bm := node.Map(ps)
		bm.Required("ldap")
		backends = append(backends, Backend{Name: key.Value, LDAP: ldap.Decode(bm.Child("ldap"), ps), at: key})
		bm.Done()
	}
	return backends
}

func decodeResources(n *configs.Node, backends []string, ps *configs.Problems) []Resource {
	m := n.Map(ps)
	m.NotEmpty("resource")
	var resources []Resource
	for key, node := range m.Each() {
		if !slices.Contains(resourceTypes(), key.Value) {
			ps.Add(key.Problem("there is no resource type %q", key.Value).Near(key.Value, resourceTypes()))
			continue
		}
		resources = append(resources, decodeResource(key.Value, node, backends, ps))
	}
	return resources
}

// decodeResource decodes the section of one resource, which is shared: the mapping takes its
// part, the backend's driver takes its part, and the keys that then are left are reported here.
func decodeResource(name string, n *configs.Node, backends []string, ps *configs.Problems) Resource {
	m := n.Map(ps)
	m.Required("backend", "map")
	backend := m.String("backend")
	if backend.Value != "" && !slices.Contains(backends, backend.Value) {
		ps.Add(backend.Problem("there is no backend %q", backend.Value).Near(backend.Value, backends))
	}
	m.Enum("delete", "remove")
	r := Resource{
		Name:       name,
		Backend:    backend.Value,
		Pairwise:   m.Enum("ids", "shared", "pairwise").Value == "pairwise",
		Collection: ldap.DecodeCollection(name, n, ps),
		Node:       n,
	}
	for _, key := range []string{"map", "name", "constants"} {
		m.Child(key)
	}
	m.Done()
	return r
}
