package ldap

import (
	"strings"

	"postern/connectors"
)

// rules has the matching rules of RFC 4517 §4.2 that the gateway knows, in
// lower case.
var rules = map[string]connectors.Matching{
	"caseignorematch":        {Rule: connectors.RuleIgnoreCase, Squeezes: true},
	"caseignoreia5match":     {Rule: connectors.RuleIgnoreCase, Squeezes: true},
	"caseignorelistmatch":    {Rule: connectors.RuleIgnoreCase, Squeezes: true},
	"caseexactmatch":         {Rule: connectors.RuleExact, Squeezes: true},
	"caseexactia5match":      {Rule: connectors.RuleExact, Squeezes: true},
	"integermatch":           {Rule: connectors.RuleInteger},
	"booleanmatch":           {Rule: connectors.RuleBoolean},
	"generalizedtimematch":   {Rule: connectors.RuleTime},
	"octetstringmatch":       {Rule: connectors.RuleOctets},
	"distinguishednamematch": {Rule: connectors.RuleReference},
}

// syntaxes says how Active Directory compares the values of a syntax. Its
// subschema names no matching rules: the syntax alone decides ([MS-ADTS]
// §3.1.1.2.2.4 has the table).
var syntaxes = map[string]connectors.Matching{
	"1.3.6.1.4.1.1466.115.121.1.15": {Rule: connectors.RuleIgnoreCase, Squeezes: true, Ordering: true, Substring: true}, // Directory String
	"1.2.840.113556.1.4.905":        {Rule: connectors.RuleIgnoreCase, Squeezes: true, Ordering: true, Substring: true}, // Case Ignore String (Teletex)
	"1.3.6.1.4.1.1466.115.121.1.26": {Rule: connectors.RuleExact, Ordering: true, Substring: true},                      // IA5 String
	"1.3.6.1.4.1.1466.115.121.1.44": {Rule: connectors.RuleExact, Ordering: true, Substring: true},                      // Printable String
	"1.3.6.1.4.1.1466.115.121.1.36": {Rule: connectors.RuleExact, Ordering: true, Substring: true},                      // Numeric String
	"1.3.6.1.4.1.1466.115.121.1.27": {Rule: connectors.RuleInteger, Ordering: true},                                     // Integer
	"1.2.840.113556.1.4.906":        {Rule: connectors.RuleInteger, Ordering: true},                                     // Large Integer
	"1.3.6.1.4.1.1466.115.121.1.7":  {Rule: connectors.RuleBoolean},
	"1.3.6.1.4.1.1466.115.121.1.24": {Rule: connectors.RuleTime, Ordering: true}, // Generalized Time
	"1.3.6.1.4.1.1466.115.121.1.53": {Rule: connectors.RuleTime, Ordering: true}, // UTC Time
	"1.3.6.1.4.1.1466.115.121.1.40": {Rule: connectors.RuleOctets},               // Octet String
	"1.3.6.1.4.1.1466.115.121.1.12": {Rule: connectors.RuleReference},            // DN
}

// matching says how the server compares the values of a type: by its equality
// rule, or where the schema names none, by its syntax.
func (t attributeType) matching() connectors.Matching {
	var m connectors.Matching
	switch {
	case t.equality != "":
		var ok bool
		if m, ok = rules[strings.ToLower(t.equality)]; !ok {
			m.Rule = connectors.RuleOther
		}
		m.Ordering = t.ordering != ""
		m.Substring = t.substr != ""
	default:
		m = syntaxes[t.syntax]
	}
	m.SingleValue = t.singleValue
	m.ReadOnly = t.noModification
	return m
}
