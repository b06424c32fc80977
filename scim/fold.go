package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold returns s with the differences of case taken away: two strings have the
// same fold exactly when strings.EqualFold holds for them. ASCII letters become
// lower case, so that order among them is as expected.
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

// foldRune maps all runes that differ only in case to one of them.
func foldRune(r rune) rune {
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	if 'A' <= least && least <= 'Z' {
		least |= 0x20
	}
	return least
}
