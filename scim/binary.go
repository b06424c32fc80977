package scim

import "strings"

// isBase64 reports whether s is base64 in one of its two alphabets, with its
// padding or without (RFC 7643 §2.3.6). Other characters are refused, line ends
// too (RFC 4648 §3.3).
func isBase64(s string) bool {
	digits := strings.TrimRight(s, "=")
	if padding := len(s) - len(digits); len(digits)%4 == 1 || padding > 0 && (padding > 2 || len(s)%4 != 0) {
		return false
	}
	standard, url := false, false
	for i := range len(digits) {
		switch c := digits[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9':
		case c == '+', c == '/':
			standard = true
		case c == '-', c == '_':
			url = true
		default:
			return false
		}
	}
	return !standard || !url
}
