package ldap

import (
	"slices"
	"strings"

	"postern/connectors"
)

// A schema is what the connector needs of a server's subschema (RFC 4512 §4).
type schema struct {
	matching map[connectors.Attr]connectors.Matching
	// primary has the first name of every attribute that has several, both in
	// lower case: servers answer with that, whichever was asked for.
	primary map[string]string
	// operational holds attributes whose usage is not userApplications.
	operational map[string]bool
	classes     map[string]objectClass
	spelling    map[string]string // of the names in lower case, as the server writes them
}

// An objectClass is one object class, under each of its names in lower case.
type objectClass struct {
	sup, must, may []string
}

// attributeType is one attribute type description as it is written, without
// what it inherits.
type attributeType struct {
	names                       []string
	sup                         string
	equality, ordering, substr  string
	syntax, usage               string
	singleValue, noModification bool
}

// parseSchema reads attributeTypes and objectClasses values of a server of the
// dialect. Descriptions that can not be read are passed over: a server may have its
// own extensions.
func parseSchema(d dialect, attributeTypes, objectClasses []string) *schema {
	types, spelling := map[string]attributeType{}, map[string]string{}
	for _, s := range attributeTypes {
		if t, ok := parseAttributeType(s); ok {
			for _, n := range t.names {
				types[strings.ToLower(n)] = t
				spelling[strings.ToLower(n)] = n
			}
		}
	}
	sc := &schema{
		matching:    make(map[connectors.Attr]connectors.Matching, len(types)),
		primary:     map[string]string{},
		operational: map[string]bool{},
		classes:     map[string]objectClass{},
		spelling:    spelling,
	}
	for name, t := range types {
		full := inherit(t, types)
		sc.matching[connectors.Attr(name)] = full.matching(d)
		if first := strings.ToLower(t.names[0]); first != name {
			sc.primary[name] = first
		}
		if full.usage != "" && full.usage != "userApplications" {
			sc.operational[name] = true
		}
	}
	for _, s := range objectClasses {
		d := parseDescription(s)
		names := d["NAME"]
		c := objectClass{sup: d["SUP"], must: d["MUST"], may: d["MAY"]}
		for _, n := range names {
			sc.classes[strings.ToLower(n)] = c
			spelling[strings.ToLower(n)] = n
		}
	}
	return sc
}

// canonical returns the first name of an attribute, in lower case.
func (s *schema) canonical(name string) string {
	name = strings.ToLower(name)
	if p, ok := s.primary[name]; ok {
		return p
	}
	return name
}

// requires reports whether entries of the classes must have the attribute.
func (s *schema) requires(classes []string, attr string) bool {
	return s.lists(classes, attr, func(c objectClass) []string { return c.must })
}

// allows reports whether entries of the classes may have the attribute.
func (s *schema) allows(classes []string, attr string) bool {
	return s.requires(classes, attr) || s.lists(classes, attr, func(c objectClass) []string { return c.may })
}

// lists reports whether the attribute is in a list of one of the classes or of
// what they inherit from.
func (s *schema) lists(classes []string, attr string, list func(objectClass) []string) bool {
	attr = s.canonical(attr)
	seen := map[string]bool{}
	for len(classes) > 0 {
		name := strings.ToLower(classes[0])
		classes = classes[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		c := s.classes[name]
		if slices.ContainsFunc(list(c), func(a string) bool { return s.canonical(a) == attr }) {
			return true
		}
		classes = append(slices.Clone(classes), c.sup...)
	}
	return false
}

// inherit fills in what a type takes from its supertypes (RFC 4512 §2.5.1).
func inherit(t attributeType, types map[string]attributeType) attributeType {
	sup := t.sup
	for range 16 { // deeper than any schema; a cycle ends
		s, ok := types[strings.ToLower(sup)]
		if !ok {
			break
		}
		if t.equality == "" {
			t.equality = s.equality
		}
		if t.ordering == "" {
			t.ordering = s.ordering
		}
		if t.substr == "" {
			t.substr = s.substr
		}
		if t.syntax == "" {
			t.syntax = s.syntax
		}
		sup = s.sup
	}
	return t
}

func parseAttributeType(s string) (attributeType, bool) {
	d := parseDescription(s)
	first := func(key string) string {
		if v := d[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	_, single := d["SINGLE-VALUE"]
	_, fixed := d["NO-USER-MODIFICATION"]
	syntax, _, _ := strings.Cut(first("SYNTAX"), "{")
	t := attributeType{
		names: d["NAME"], sup: first("SUP"),
		equality: first("EQUALITY"), ordering: first("ORDERING"), substr: first("SUBSTR"),
		syntax: syntax, usage: first("USAGE"), singleValue: single, noModification: fixed,
	}
	return t, len(t.names) > 0
}

// parseDescription reads a schema description (RFC 4512 §4.1) into its keywords
// and what follows each: a word, a quoted string, or a list of either.
func parseDescription(s string) map[string][]string {
	d := map[string][]string{}
	key, depth := "", 0
	oid := true // the first word, which has no keyword
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return d
		}
		switch s[0] {
		case '(':
			depth++
			s = s[1:]
		case ')':
			depth--
			if depth == 1 {
				key = ""
			}
			s = s[1:]
		case '$':
			s = s[1:]
		case '\'':
			value, rest, ok := strings.Cut(s[1:], "'")
			if !ok {
				return d
			}
			if key != "" {
				d[key] = append(d[key], value)
			}
			s = rest
			if depth == 1 {
				key = ""
			}
		default:
			end := strings.IndexAny(s, " \t\r\n()$'")
			if end < 0 {
				end = len(s)
			}
			word := s[:end]
			s = s[end:]
			switch {
			case oid:
				oid = false
			case depth > 1:
				d[key] = append(d[key], word)
			case key == "" || flag(key):
				key = word
				if _, ok := d[key]; !ok {
					d[key] = nil
				}
			default:
				d[key] = append(d[key], word)
				key = ""
			}
		}
	}
}

// flag reports whether a keyword stands alone.
func flag(key string) bool {
	switch key {
	case "SINGLE-VALUE", "NO-USER-MODIFICATION", "OBSOLETE", "COLLECTIVE", "ABSTRACT", "STRUCTURAL", "AUXILIARY":
		return true
	}
	return false
}
