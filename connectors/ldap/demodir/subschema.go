package demodir

import "strings"

// The definitions of the subschema in the form of RFC 4512 §4.1.

func (t *attributeType) String() string {
	var b strings.Builder
	b.WriteString("( " + t.oid + " NAME " + quoteNames(t.names))
	for _, r := range []struct {
		word string
		rule *rule
	}{{"EQUALITY", t.equality}, {"ORDERING", t.ordering}, {"SUBSTR", t.substrings}} {
		if r.rule != nil {
			b.WriteString(" " + r.word + " " + r.rule.name)
		}
	}
	b.WriteString(" SYNTAX " + t.syntax.oid)
	if t.single {
		b.WriteString(" SINGLE-VALUE")
	}
	if t.fixed {
		b.WriteString(" NO-USER-MODIFICATION")
	}
	if t.operational {
		b.WriteString(" USAGE directoryOperation")
	}
	b.WriteString(" )")
	return b.String()
}

func (c *objectClass) String() string {
	var b strings.Builder
	b.WriteString("( " + c.oid + " NAME '" + c.name + "'")
	if c.super != nil {
		b.WriteString(" SUP " + c.super.name)
	}
	b.WriteString(" " + c.kind)
	for _, list := range []struct {
		word  string
		types []*attributeType
	}{{"MUST", c.must}, {"MAY", c.may}} {
		names := make([]string, len(list.types))
		for i, t := range list.types {
			names[i] = t.name()
		}
		switch len(names) {
		case 0:
		case 1:
			b.WriteString(" " + list.word + " " + names[0])
		default:
			b.WriteString(" " + list.word + " ( " + strings.Join(names, " $ ") + " )")
		}
	}
	b.WriteString(" )")
	return b.String()
}

func (r *rule) String() string {
	return "( " + r.oid + " NAME '" + r.name + "' SYNTAX " + r.syntax + " )"
}

func (s *syntax) String() string { return "( " + s.oid + " DESC '" + s.desc + "' )" }

func quoteNames(names []string) string {
	if len(names) == 1 {
		return "'" + names[0] + "'"
	}
	return "( '" + strings.Join(names, "' '") + "' )"
}
