package demodir

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// syntax says which values an attribute may have (RFC 4517 §3.3).
type syntax struct {
	oid  string
	desc string
	// valid is asked about values that are not empty, and names: the one value
	// of this directory that may be empty is the empty name.
	valid func(string) bool
}

const syntaxArc = "1.3.6.1.4.1.1466.115.121.1."

func (s *schema) addSyntaxes() {
	for _, syn := range []*syntax{
		{syntaxArc + "3", "Attribute Type Description", utf8.ValidString},
		{syntaxArc + "7", "Boolean", func(v string) bool { return v == "TRUE" || v == "FALSE" }},
		{syntaxArc + "11", "Country String", func(v string) bool { return len(v) == 2 && isPrintable(v) }},
		{syntaxArc + "12", "Distinguished Name", func(v string) bool { _, err := s.parseDN(v); return err == nil }},
		{syntaxArc + "15", "Directory String", utf8.ValidString},
		{syntaxArc + "22", "Facsimile Telephone Number", isPrintable},
		{syntaxArc + "24", "Generalized Time", func(v string) bool { _, ok := parseTime(v); return ok }},
		{syntaxArc + "26", "IA5 String", isASCII},
		{syntaxArc + "27", "Integer", isInteger},
		{syntaxArc + "28", "JPEG", func(string) bool { return true }},
		{syntaxArc + "30", "Matching Rule Description", utf8.ValidString},
		{syntaxArc + "37", "Object Class Description", utf8.ValidString},
		{syntaxArc + "38", "OID", isASCII},
		{syntaxArc + "40", "Octet String", func(string) bool { return true }},
		{syntaxArc + "41", "Postal Address", utf8.ValidString},
		{syntaxArc + "44", "Printable String", isPrintable},
		{syntaxArc + "50", "Telephone Number", isPrintable},
		{syntaxArc + "54", "LDAP Syntax Description", utf8.ValidString},
		{"1.3.6.1.1.16.1", "UUID", isUUID},
		{"1.3.6.1.4.1.4203.666.11.2.1", "CSN", isCSN},
	} {
		s.syntaxes = append(s.syntaxes, syn)
	}
}

// syntax returns a syntax of the tables by its object identifier or, for those
// of RFC 4517, by the last part of it.
func (s *schema) syntax(oid string) *syntax {
	for _, syn := range s.syntaxes {
		if syn.oid == oid || syn.oid == syntaxArc+oid {
			return syn
		}
	}
	return nil
}

func isASCII(v string) bool {
	for i := range len(v) {
		if v[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isPrintable holds for a PrintableString (RFC 4517 §3.2).
func isPrintable(v string) bool {
	for i := range len(v) {
		c := v[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alphanumeric && strings.IndexByte("'()+,-./:?= ", c) < 0 {
			return false
		}
	}
	return true
}

// isInteger holds for an integer in the form of RFC 4517 §3.3.16: no leading
// zeros, no minus zero.
func isInteger(v string) bool {
	digits := strings.TrimPrefix(v, "-")
	if digits == "" || digits[0] == '0' && len(v) > 1 {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

func isUUID(v string) bool {
	if len(v) != 36 {
		return false
	}
	for i := range len(v) {
		switch i {
		case 8, 13, 18, 23:
			if v[i] != '-' {
				return false
			}
		default:
			c := v[i] | 0x20
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// isCSN holds for a change sequence number as touch writes it.
func isCSN(v string) bool {
	const form = "00000000000000.000000Z#hhhhhh#hhh#hhhhhh"
	if len(v) != len(form) {
		return false
	}
	for i := range len(v) {
		digit := v[i] >= '0' && v[i] <= '9'
		switch form[i] {
		case '0':
			if !digit {
				return false
			}
		case 'h':
			if !digit && (v[i] < 'a' || v[i] > 'f') {
				return false
			}
		default:
			if v[i] != form[i] {
				return false
			}
		}
	}
	return true
}

// parseTime reads a GeneralizedTime (RFC 4517 §3.3.13): minutes, seconds, the
// fraction of what comes last, and an offset from UTC are allowed.
func parseTime(v string) (time.Time, bool) {
	digits := 0
	for digits < len(v) && v[digits] >= '0' && v[digits] <= '9' {
		digits++
	}
	unit, known := map[int]time.Duration{10: time.Hour, 12: time.Minute, 14: time.Second}[digits]
	if !known {
		return time.Time{}, false
	}
	t, err := time.Parse("20060102150405"[:digits], v[:digits])
	if err != nil {
		return time.Time{}, false
	}
	zone := v[digits:]
	if zone != "" && (zone[0] == '.' || zone[0] == ',') {
		end := 1
		for end < len(zone) && zone[end] >= '0' && zone[end] <= '9' {
			end++
		}
		fraction, err := strconv.ParseFloat("0."+zone[1:end], 64)
		if end == 1 || err != nil {
			return time.Time{}, false
		}
		t = t.Add(time.Duration(fraction * float64(unit)))
		zone = zone[end:]
	}
	if zone == "Z" {
		return t, true
	}
	for _, layout := range []string{"-0700", "-07"} {
		if offset, err := time.Parse(layout, zone); err == nil {
			_, seconds := offset.Zone()
			return t.Add(-time.Duration(seconds) * time.Second), true
		}
	}
	return time.Time{}, false
}
