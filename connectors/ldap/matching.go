package ldap

import (
	"strings"

	"postern/connectors"
)

// A family is the matching rules of RFC 4517 §4.2 that agree on what a value is:
// the equality, ordering and substring rules of one kind of values. A schema may
// name each by its OID.
type family struct {
	matching connectors.Matching
	equality string
	others   string // ordering and substring rules
}

var families = []family{
	{connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true}, "caseIgnoreMatch 2.5.13.2",
		"caseIgnoreOrderingMatch 2.5.13.3 caseIgnoreSubstringsMatch 2.5.13.4"},
	{connectors.Matching{Rule: connectors.RuleExact, Squeezes: true}, "caseExactMatch 2.5.13.5",
		"caseExactOrderingMatch 2.5.13.6 caseExactSubstringsMatch 2.5.13.7"},
	{connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Alphabet: connectors.ASCII}, "caseIgnoreIA5Match 1.3.6.1.4.1.1466.109.114.2",
		"caseIgnoreIA5SubstringsMatch 1.3.6.1.4.1.1466.109.114.3 caseIgnoreOrderingMatch caseIgnoreSubstringsMatch 2.5.13.3 2.5.13.4"},
	{connectors.Matching{Rule: connectors.RuleExact, Squeezes: true, Alphabet: connectors.ASCII}, "caseExactIA5Match 1.3.6.1.4.1.1466.109.114.1",
		"caseExactIA5SubstringsMatch 1.3.6.1.4.1.4203.1.2.1 2.16.840.1.113730.3.3.1 caseExactOrderingMatch caseExactSubstringsMatch 2.5.13.6 2.5.13.7"},
	// Lines are compared one by one: the spaces round a "$" mean nothing.
	{connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Loose: true}, "caseIgnoreListMatch 2.5.13.11",
		"caseIgnoreListSubstringsMatch 2.5.13.12"},
	{connectors.Matching{Rule: connectors.RuleNumeric, Alphabet: connectors.Numeric}, "numericStringMatch 2.5.13.8",
		"numericStringOrderingMatch 2.5.13.9 numericStringSubstringsMatch 2.5.13.10"},
	{connectors.Matching{Rule: connectors.RulePhone, Alphabet: connectors.Printable}, "telephoneNumberMatch 2.5.13.20",
		"telephoneNumberSubstringsMatch 2.5.13.21"},
	{connectors.Matching{Rule: connectors.RuleInteger}, "integerMatch 2.5.13.14", "integerOrderingMatch 2.5.13.15"},
	{connectors.Matching{Rule: connectors.RuleBoolean}, "booleanMatch 2.5.13.13", ""},
	{connectors.Matching{Rule: connectors.RuleTime}, "generalizedTimeMatch 2.5.13.27", "generalizedTimeOrderingMatch 2.5.13.28"},
	{connectors.Matching{Rule: connectors.RuleOctets}, "octetStringMatch 2.5.13.17", "octetStringOrderingMatch 2.5.13.18"},
	{connectors.Matching{Rule: connectors.RuleReference}, "distinguishedNameMatch 2.5.13.1", ""},
	// What is no UUID can not be asked for.
	{connectors.Matching{Rule: connectors.RuleIgnoreCase, Alphabet: connectors.ASCII, Loose: true}, "UUIDMatch 1.3.6.1.1.16.2",
		"UUIDOrderingMatch 1.3.6.1.1.16.3"},
}

// ruleNames has the families by the names of their equality rules, in lower case,
// and the names of the rules that go with each.
var ruleNames, ruleOthers = func() (map[string]connectors.Matching, map[string][]string) {
	names, others := map[string]connectors.Matching{}, map[string][]string{}
	for _, f := range families {
		for n := range strings.FieldsSeq(strings.ToLower(f.equality)) {
			names[n], others[n] = f.matching, strings.Fields(strings.ToLower(f.others))
		}
	}
	return names, others
}()

const (
	syntaxDirectoryString = "1.3.6.1.4.1.1466.115.121.1.15"
	syntaxIA5             = "1.3.6.1.4.1.1466.115.121.1.26"
	syntaxPrintable       = "1.3.6.1.4.1.1466.115.121.1.44"
	syntaxNumeric         = "1.3.6.1.4.1.1466.115.121.1.36"
)

// alphabets says what the values of a syntax are made of, where the equality rule
// leaves it open.
var alphabets = map[string]connectors.Alphabet{
	syntaxIA5:       connectors.ASCII,
	syntaxPrintable: connectors.Printable,
	syntaxNumeric:   connectors.Numeric,
}

// looseText are the texts of Active Directory. Of them Samba squeezes the spaces,
// and Windows ignores accents and widths ([MS-ADTS] §3.1.1.2.2.4.13).
var looseText = connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Loose: true, Ordering: true, Substring: true}

// adSyntaxes says how Active Directory compares the values of a syntax. Its
// subschema names no matching rules: the syntax alone decides ([MS-ADTS]
// §3.1.1.2.2.4 has the table). What is not here, such as security descriptors and
// DNs with data, can not be searched by value.
var adSyntaxes = map[string]connectors.Matching{
	syntaxDirectoryString:           looseText,
	"1.2.840.113556.1.4.905":        looseText, // Case Ignore String (Teletex)
	syntaxNumeric:                   looseText,
	"1.2.840.113556.1.4.1362":       {Rule: connectors.RuleExact, Loose: true, Ordering: true, Substring: true}, // Case Exact String
	syntaxIA5:                       {Rule: connectors.RuleExact, Ordering: true, Substring: true},
	syntaxPrintable:                 {Rule: connectors.RuleExact, Ordering: true, Substring: true},
	"1.3.6.1.4.1.1466.115.121.1.27": {Rule: connectors.RuleInteger, Ordering: true},
	"1.2.840.113556.1.4.906":        {Rule: connectors.RuleInteger, Ordering: true}, // Large Integer
	"1.3.6.1.4.1.1466.115.121.1.7":  {Rule: connectors.RuleBoolean},
	"1.3.6.1.4.1.1466.115.121.1.24": {Rule: connectors.RuleTime, Ordering: true}, // Generalized Time
	"1.3.6.1.4.1.1466.115.121.1.53": {Rule: connectors.RuleTime, Ordering: true}, // UTC Time
	"1.3.6.1.4.1.1466.115.121.1.40": {Rule: connectors.RuleOctets},
	"1.3.6.1.4.1.1466.115.121.1.12": {Rule: connectors.RuleReference},
	"1.3.6.1.4.1.1466.115.121.1.38": {Rule: connectors.RuleOther}, // OID
}

// dsSyntaxes says how 389-DS compares the values of an attribute without an
// equality rule: as its syntax does. Without an ordering rule it compares them too,
// but what it finds depends on the index.
var dsSyntaxes = map[string]connectors.Matching{
	syntaxDirectoryString:           {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true},
	syntaxIA5:                       {Rule: connectors.RuleExact, Loose: true, Alphabet: connectors.ASCII},
	"1.3.6.1.4.1.1466.115.121.1.22": {Rule: connectors.RuleIgnoreCase, Squeezes: true, Alphabet: connectors.Printable}, // Facsimile Telephone Number
	"1.3.6.1.4.1.1466.115.121.1.27": {Rule: connectors.RuleInteger},
	"1.3.6.1.4.1.1466.115.121.1.7":  {Rule: connectors.RuleBoolean},
	"1.3.6.1.4.1.1466.115.121.1.24": {Rule: connectors.RuleTime},
	"1.3.6.1.4.1.1466.115.121.1.40": {Rule: connectors.RuleOctets},
	"1.3.6.1.4.1.1466.115.121.1.12": {Rule: connectors.RuleReference},
}

// matching says how a server of the dialect compares the values of a type: by its
// equality rule, or where the schema names none, by its syntax. A server that does
// not go by the syntax finds nothing then (RFC 4511 §4.5.1.7: Undefined).
func (t attributeType) matching(d dialect) connectors.Matching {
	m := d.syntaxes[t.syntax]
	if equality := strings.ToLower(t.equality); equality != "" {
		var ok bool
		if m, ok = ruleNames[equality]; !ok {
			m.Rule = connectors.RuleOther
		}
		belongs := func(rule string) bool {
			for _, name := range ruleOthers[equality] {
				if name == strings.ToLower(rule) {
					return true
				}
			}
			return false
		}
		m.Ordering, m.Substring = belongs(t.ordering), belongs(t.substr)
	}
	text := m.Rule == connectors.RuleExact || m.Rule == connectors.RuleIgnoreCase
	if m.Alphabet == connectors.AnyText && text {
		m.Alphabet = alphabets[t.syntax]
	}
	m.Composes = d.composes && text && m.Alphabet == connectors.AnyText
	if d.textTimes && m.Rule == connectors.RuleTime {
		m.Rule = connectors.RuleExact
	}
	m.SingleValue = t.singleValue
	m.ReadOnly = t.noModification
	return m
}
