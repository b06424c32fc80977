package scim

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// appendString appends s as a JSON string. What is not valid UTF-8 becomes
// U+FFFD; U+2028 and U+2029 are escaped, since JavaScript ends a line there.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), '\\', 'u', '2', '0', '2', hex[r&15])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}

// appendFloat appends a number as JSON has it, in the shortest form that reads
// back as the same.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

// appendValue appends a value as JSON, whatever its attribute's returned
// characteristic.
func appendValue(dst []byte, v Value) []byte {
	switch v.kind {
	case KindString:
		return appendString(dst, v.Text())
	case KindBoolean:
		return strconv.AppendBool(dst, v.Bool())
	case KindInteger:
		return strconv.AppendInt(dst, v.Int(), 10)
	case KindDecimal:
		return appendFloat(dst, v.Float())
	case KindComplex:
		dst = append(dst, '{')
		for i, f := range v.Object() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, f.Attr.key...)
			dst = appendValue(dst, f.Value)
		}
		return append(dst, '}')
	case KindList:
		dst = append(dst, '[')
		for i, e := range v.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e)
		}
		return append(dst, ']')
	default:
		return append(dst, "null"...)
	}
}
