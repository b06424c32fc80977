package wire

// The tags of BER's universal types that LDAP uses (RFC 4511 §5.1).
const (
	TagBoolean     = 0x01
	TagInteger     = 0x02
	TagOctetString = 0x04
	TagEnumerated  = 0x0a
	TagSequence    = 0x30
	TagSet         = 0x31
)

// Begin appends the tag of a constructed or primitive element whose length is
// not yet known, and returns the mark that End needs.
func Begin(b []byte, tag byte) ([]byte, int) {
	return append(b, tag, 0), len(b) + 2
}

// End closes the element that was begun at mark with the length of what was
// appended since, in the definite form and in as few bytes as it takes.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if n < 0x80 {
		b[mark-1] = byte(n)
		return b
	}
	extra := lengthBytes(n)
	for range extra {
		b = append(b, 0)
	}
	copy(b[mark+extra:], b[mark:mark+n])
	b[mark-1] = 0x80 | byte(extra)
	for i := range extra {
		b[mark+i] = byte(n >> (8 * (extra - 1 - i)))
	}
	return b
}

// AppendString appends a primitive element with the given content.
func AppendString[T ~string | ~[]byte](b []byte, tag byte, s T) []byte {
	return append(appendHeader(b, tag, len(s)), s...)
}

// AppendInt appends an INTEGER or an ENUMERATED in the fewest bytes.
func AppendInt(b []byte, tag byte, v int64) []byte {
	n := 1
	for n < 8 && (v>>(8*n-1) != 0 && v>>(8*n-1) != -1) {
		n++
	}
	b = append(b, tag, byte(n))
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// AppendBool appends a BOOLEAN. TRUE is 0xFF: RFC 4511 §5.1 demands it, and
// Samba reads anything else as FALSE.
func AppendBool(b []byte, tag byte, v bool) []byte {
	if v {
		return append(b, tag, 1, 0xff)
	}
	return append(b, tag, 1, 0)
}

func appendHeader(b []byte, tag byte, n int) []byte {
	b = append(b, tag)
	if n < 0x80 {
		return append(b, byte(n))
	}
	extra := lengthBytes(n)
	b = append(b, 0x80|byte(extra))
	for i := extra - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// lengthBytes returns how many bytes the long form of a length takes.
func lengthBytes(n int) int {
	extra := 1
	for n>>(8*extra) != 0 {
		extra++
	}
	return extra
}
