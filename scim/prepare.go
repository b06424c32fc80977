package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// A preparation is what is made of the text of an attribute before it is compared
// or stored (RFC 7644 §5, which refers to RFC 7613).
type preparation uint8

const (
	unprepared preparation = iota
	// userNames are mapped from full and half width to the common characters and
	// composed (RFC 7613 §3.2.2 steps 1 and 4, §3.3.2). Their case is left to
	// caseExact, save for ẞ, which becomes the ß that §3.2.2 step 3 makes of it and
	// directories do not. No character is refused: names that exist are to be found.
	userNames
	// passwords get the common space for any other, and are composed (RFC 7613 §4.2.2).
	passwords
)

// preparationOf returns how values of an attribute of a schema are prepared.
func preparationOf(a *Attribute) preparation {
	if a.schema == nil || a.schema.ID != userSchemaID || a.parent != nil {
		return unprepared
	}
	switch fold(a.Name) {
	case "username":
		return userNames
	case "password":
		return passwords
	}
	return unprepared
}

// prepare returns the text of the attribute as it is compared and stored, save for
// its case. Text that is no UTF-8 stays as it is.
func (a *Attribute) prepare(s string) string {
	if a.preparation == unprepared || isASCII(s) || !utf8.ValidString(s) {
		return s
	}
	if a.preparation == passwords {
		return norm.NFC.String(strings.Map(plainSpace, s))
	}
	return strings.ReplaceAll(norm.NFC.String(width.Fold.String(s)), "ẞ", "ß")
}

func plainSpace(r rune) rune {
	if unicode.Is(unicode.Zs, r) {
		return ' '
	}
	return r
}

// compared returns what two texts of the attribute share exactly when they are
// equal, and by which they are ordered: prepared, and folded unless caseExact.
func (a *Attribute) compared(s string) string {
	s = a.prepare(s)
	if a.CaseExact {
		return s
	}
	return fold(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
