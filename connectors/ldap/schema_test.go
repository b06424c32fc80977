package ldap

import (
	"testing"

	"postern/connectors"
)

func TestSchema(t *testing.T) {
	s := parseSchema([]string{
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
	}, []string{
		"( 2.5.6.9 NAME 'groupOfNames' DESC 'RFC2256: a group of names (DNs)' SUP top STRUCTURAL MUST ( member $ cn ) MAY ( businessCategory $ seeAlso ) )",
		"( 1.2.8 NAME 'ourGroup' SUP groupOfNames STRUCTURAL MAY surname )",
		"( 2.16.840.1.113730.3.2.33 NAME 'groupOfURLs' SUP top STRUCTURAL MUST cn )",
	})
	tests := []struct {
		attr connectors.Attr
		want connectors.Matching
	}{
		{"sn", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true}},
		{"surname", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true}},
		{"displayname", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, SingleValue: true}},
		{"entryuuid", connectors.Matching{Rule: connectors.RuleOther, Ordering: true, SingleValue: true, ReadOnly: true}},
		{"nsuniqueid", connectors.Matching{Rule: connectors.RuleIgnoreCase, Squeezes: true, Ordering: true, Substring: true, SingleValue: true, ReadOnly: true}},
		{"member", connectors.Matching{Rule: connectors.RuleReference}},
		{"useraccountcontrol", connectors.Matching{Rule: connectors.RuleInteger, Ordering: true, SingleValue: true}},
		{"loop", connectors.Matching{}},
		{"exact", connectors.Matching{Rule: connectors.RuleExact, Squeezes: true, Ordering: true}},
		{"phone", connectors.Matching{Rule: connectors.RuleOther}},
	}
	for _, tc := range tests {
		if got, ok := s.matching[tc.attr]; !ok || got != tc.want {
			t.Errorf("%s: %+v, %v, want %+v", tc.attr, got, ok, tc.want)
		}
	}
	if len(s.matching) != 12 { // distinguishedname and name too
		t.Errorf("%d attributes", len(s.matching))
	}
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
		parseSchema([]string{s}, []string{s}).requires([]string{s}, s)
	})
}
