package scim

import (
	"slices"
)

// Schemas returns the schemas of the resource types, each once, as discovery
// shows them (RFC 7644 §4). A schema that several types use, each as far as it is
// mapped there, has every attribute that one of them has; where they differ in a
// characteristic, it says what holds for all of them.
func Schemas(types []*ResourceType) []*Schema {
	var all []*Schema
	add := func(s *Schema) {
		i := slices.IndexFunc(all, func(o *Schema) bool { return o.ID == s.ID })
		if i < 0 {
			all = append(all, s.Prune(func(*Attribute) bool { return true }))
			return
		}
		all[i].Attributes = union(all[i].Attributes, s.Attributes)
	}
	for _, rt := range types {
		add(rt.Schema)
		for _, x := range rt.Extensions {
			add(x.Schema)
		}
	}
	return all
}

// union adds attributes to a list of copies.
func union(all, more []*Attribute) []*Attribute {
	for _, a := range more {
		i := slices.IndexFunc(all, func(o *Attribute) bool { return o.Name == a.Name })
		if i < 0 {
			all = append(all, a.clone(func(*Attribute) bool { return true }))
			continue
		}
		all[i].widen(a)
	}
	return all
}

// widen makes the characteristics of a, which is a copy, hold for b too.
func (a *Attribute) widen(b *Attribute) {
	a.Required = a.Required && b.Required
	a.Canonical = widenList(a.Canonical, b.Canonical)
	a.ReferenceTypes = widenList(a.ReferenceTypes, b.ReferenceTypes)
	a.CaseExact = a.CaseExact && b.CaseExact
	if a.Mutability != b.Mutability {
		a.Mutability = ReadWrite
	}
	if a.Returned != b.Returned {
		a.Returned = ReturnedDefault
	}
	a.Uniqueness = min(a.Uniqueness, b.Uniqueness)
	a.Sub = union(a.Sub, b.Sub)
}

// widenList joins two lists of which an empty one names no limit.
func widenList(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
