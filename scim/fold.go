package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold returns s with the differences of case taken away: two strings have the
// same fold exactly when EqualFold holds for them. ASCII letters become lower case,
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

// EqualFold reports whether two strings differ in nothing but what fold takes away.
func EqualFold(a, b string) bool {
	if isASCII(a) && isASCII(b) {
		return strings.EqualFold(a, b)
	}
	return fold(a) == fold(b)
}

// foldRune maps a letter to its lower case, if directories agree that it has one:
// those that are tested (OpenLDAP 2.5, 389-DS 2.3, Samba 4.17) fold the Latin, Greek,
// Cyrillic and Armenian letters of old alike, and differ on all others. What is found
// must not depend on who compares, so others are letters of their own: ß and ẞ, the
// long s, ς at the end of a word, the sign for kelvin.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r | 0x20
		}
		return r
	case !unicode.Is(folded, r):
		return r
	}
	if l := unicode.ToLower(r); unicode.Is(folded, l) && unicode.ToUpper(l) == r {
		return l
	}
	return r
}

// folded has the letters whose case means nothing, beyond ASCII, with some that have none.
var folded = &unicode.RangeTable{LatinOffset: 2, R16: []unicode.Range16{
	{Lo: 0xc0, Hi: 0xde, Stride: 1}, {Lo: 0xe0, Hi: 0xff, Stride: 1},
	{Lo: 0x100, Hi: 0x17e, Stride: 1},
	{Lo: 0x386, Hi: 0x3ce, Stride: 1},
	{Lo: 0x401, Hi: 0x40c, Stride: 1}, {Lo: 0x40e, Hi: 0x44f, Stride: 1}, {Lo: 0x451, Hi: 0x45c, Stride: 1}, {Lo: 0x45e, Hi: 0x45f, Stride: 1},
	{Lo: 0x531, Hi: 0x556, Stride: 1}, {Lo: 0x561, Hi: 0x586, Stride: 1},
	{Lo: 0x1e00, Hi: 0x1e95, Stride: 1}, {Lo: 0x1ea0, Hi: 0x1ef9, Stride: 1},
}}
