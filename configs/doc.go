// Package configs reads strict YAML in which every value knows its file, line and column, and
// lets each part of the program decode its own section of the tree while all mistakes are
// collected and none stops the reading.
//
// Strict means: one document, UTF-8, no key twice, no key that nobody asked for, no anchors,
// aliases, merge keys or tags, no value of another type than the one wanted, no literal
// secrets. docs/config-yaml.md tells why.
//
// A section is decoded like this:
//
//	m := node.Map(&problems)
//	m.Required("base")
//	base := m.String("base")                       // At[string]: value, position, path
//	ids := m.Enum("ids", "shared", "pairwise")
//	for key, rule := range m.Child("map").Map(&problems).Each() { … }
//	m.Done()                                       // once, by the owner of the section
//
// The package imports nothing of this project.
package configs
