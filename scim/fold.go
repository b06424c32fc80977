package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold returns s with the differences of case taken away: two strings have the
// same fold exactly when equalFold holds for them. ASCII letters become lower case,
// so that order among them is as expected.
func fold(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		} else if 'A' <= c && c <= 'Z' {
			return foldASCII(s, i)
		}
	}
	return s
}

// foldASCII folds s, whose first i bytes are folded already.
func foldASCII(s string, i int) string {
	b := []byte(s)
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
		if 'A' <= b[i] && b[i] <= 'Z' {
			b[i] |= 0x20
		}
	}
	return string(b)
}

// alone reports whether a rune is a letter of its own although Unicode folds it with
// others: the signs for kelvin and ångström, and the long s. Directories do not fold
// them, and what is found must not depend on who evaluates a filter.
func alone(r rune) bool { return r == 0x17f || r == 0x212a || r == 0x212b }

// equalFold reports whether two strings differ only in case.
func equalFold(a, b string) bool {
	return strings.EqualFold(a, b) && (!strings.ContainsFunc(a, alone) && !strings.ContainsFunc(b, alone) || fold(a) == fold(b))
}

// foldRune maps all runes that differ only in case to one of them.
func foldRune(r rune) rune {
	if alone(r) {
		return r
	}
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	if 'A' <= least && least <= 'Z' {
		least |= 0x20
	}
	return least
}
