package ldap

import (
	"testing"

	"postern/connectors"
)

var descriptions = []string{
	"( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
	"( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'RFC2256: last (family) name(s) for which the entity is known by' SUP name )",
	"( 2.16.840.1.113730.3.1.241 NAME 'displayName' DESC 'it has ''NAME'' in it' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} SINGLE-VALUE )",
	"( 1.3.6.1.1.16.4 NAME 'entryUUID' EQUALITY UUIDMatch ORDERING UUIDOrderingMatch SYNTAX 1.3.6.1.1.16.1 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
	"( nsUniqueId-oid NAME 'nsUniqueId' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation X-ORIGIN 'Netscape' )",
	"( 2.5.4.31 NAME 'member' SUP distinguishedName )",
	"( 2.5.4.49 NAME 'distinguishedName' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )",
	"( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX '1.3.6.1.4.1.1466.115.121.1.27' SINGLE-VALUE )",
	"( 1.2.3 NAME 'loop' SUP loop )",
	"( 1.2.4 NAME 'exact' EQUALITY caseExactMatch ORDERING caseExactOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
	"( 1.2.5 NAME 'phone' EQUALITY telephoneNumberMatch )",
	"( 1.2.6 NAME 'broken", "", "(", "NAME", "( 1.2.7 )",
	"( 1.2.8 NAME 'digits' EQUALITY numericStringMatch ORDERING numericStringOrderingMatch SUBSTR numericStringSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.36 )",
	"( 1.2.9 NAME 'byOID' EQUALITY 2.5.13.2 ORDERING 2.5.13.3 SUBSTR 2.5.13.4 SYNTAX 1.3.6.1.4.1.1466.115.121.1.44 )",
	"( 1.2.10 NAME 'mixed' EQUALITY caseExactMatch ORDERING caseIgnoreOrderingMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
	"( 1.2.11 NAME 'mail' EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} )",
	"( 1.2.12 NAME 'certificate' EQUALITY certificateExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.8 )",
	"( 1.2.13 NAME 'fax' SYNTAX 1.3.6.1.4.1.1466.115.121.1.22 )",
	"( 1.2.14 NAME 'when' EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 )",
}

// TestMatching reads the rules of attributes as servers of each kind hold to them,
// also those that are inherited, and those that are not there.
func TestMatching(t *testing.T) {
	kind := func(name string) dialect {
		d, err := dialectNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	openldap, ds389, ad := kind("openldap"), kind("ds389"), kind("active-directory")
	text := connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true}
	composed := text
	composed.Composes = true
	for _, tc := range []struct {
		dialect dialect
		attr    connectors.Attr
		want    connectors.Matching
	}{
		{openldap, "sn", composed},
		{openldap, "surname", composed},
		{ds389, "surname", text},
		{openldap, "displayname", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Composes: true, SingleValue: true}},
		{openldap, "entryuuid", connectors.Matching{Rule: connectors.RuleIgnoreCase, Alphabet: connectors.ASCII, Loose: true, Ordering: true, SingleValue: true, ReadOnly: true}},
		{openldap, "nsuniqueid", connectors.Matching{SingleValue: true, ReadOnly: true}},
		{ds389, "nsuniqueid", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true, SingleValue: true, ReadOnly: true}},
		{openldap, "member", connectors.Matching{Rule: connectors.RuleReference}},
		{ad, "useraccountcontrol", connectors.Matching{Rule: connectors.RuleInteger, Ordering: true, SingleValue: true}},
		{openldap, "useraccountcontrol", connectors.Matching{SingleValue: true}},
		{ds389, "useraccountcontrol", connectors.Matching{Rule: connectors.RuleInteger, SingleValue: true}},
		{openldap, "loop", connectors.Matching{}},
		{openldap, "exact", connectors.Matching{Rule: connectors.RuleExact, Squeezes: true, Composes: true, Ordering: true}},
		{openldap, "phone", connectors.Matching{Rule: connectors.RulePhone, Alphabet: connectors.Printable}},
		{openldap, "digits", connectors.Matching{Rule: connectors.RuleNumeric, Alphabet: connectors.Numeric, Ordering: true, Substring: true}},
		{openldap, "byoid", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Alphabet: connectors.Printable, Ordering: true, Substring: true}},
		{ds389, "mixed", connectors.Matching{Rule: connectors.RuleExact, Squeezes: true}},
		{openldap, "mail", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Alphabet: connectors.ASCII, Substring: true}},
		{openldap, "certificate", connectors.Matching{Rule: connectors.RuleOther}},
		{openldap, "fax", connectors.Matching{}},
		{ds389, "fax", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Alphabet: connectors.Printable}},
		{openldap, "when", connectors.Matching{Rule: connectors.RuleTime, Ordering: true}},
		{ds389, "when", connectors.Matching{Rule: connectors.RuleExact, Ordering: true}},
	} {
		s := parseSchema(tc.dialect, descriptions, nil)
		if got, ok := s.matching[tc.attr]; !ok || got != tc.want {
			t.Errorf("%s of %s: %+v, %v, want %+v", tc.attr, tc.dialect.name, got, ok, tc.want)
		}
		if len(s.matching) != 19 { // distinguishedname and name too
			t.Fatalf("%d attributes", len(s.matching))
		}
	}
}

func TestSchema(t *testing.T) {
	s := parseSchema(dialect{composes: true}, descriptions, []string{
		"( 2.5.6.9 NAME 'groupOfNames' DESC 'RFC2256: a group of names (DNs)' SUP top STRUCTURAL MUST ( member $ cn ) MAY ( businessCategory $ seeAlso ) )",
		"( 1.2.8 NAME 'ourGroup' SUP groupOfNames STRUCTURAL MAY surname )",
		"( 2.16.840.1.113730.3.2.33 NAME 'groupOfURLs' SUP top STRUCTURAL MUST cn )",
	})
	if s.canonical("SURNAME") != "sn" || s.canonical("SN") != "sn" || s.canonical("Other") != "other" {
		t.Error("names are not resolved")
	}
	for _, tc := range []struct {
		class, attr   string
		must, allowed bool
	}{
		{"groupOfNames", "member", true, true},
		{"OURGROUP", "Member", true, true},
		{"ourGroup", "sn", false, true},
		{"groupOfURLs", "member", false, false},
		{"unknown", "member", false, false},
	} {
		if got := s.requires([]string{"top", tc.class}, tc.attr); got != tc.must {
			t.Errorf("%s requires %s: %v", tc.class, tc.attr, got)
		}
		if got := s.allows([]string{tc.class}, tc.attr); got != tc.allowed {
			t.Errorf("%s allows %s: %v", tc.class, tc.attr, got)
		}
	}
}

// FuzzSchema: a server's descriptions never panic.
func FuzzSchema(f *testing.F) {
	f.Add("( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name SINGLE-VALUE )")
	f.Fuzz(func(_ *testing.T, s string) {
		parseSchema(dialect{}, []string{s}, []string{s}).requires([]string{s}, s)
	})
}
