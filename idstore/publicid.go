package idstore

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// PublicID is the id of a SCIM resource (RFC 7643 §3.1) as the clients of one provisioning domain know it: a random
// UUID (RFC 9562 §5.4). The zero value is no id.
type PublicID [16]byte

// randomID returns a random UUID.
func randomID() PublicID {
	var id PublicID
	// Read never fails and always fills the buffer (crypto/rand).
	_, _ = rand.Read(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // the variant of RFC 9562
	return id
}

// IsZero tells whether this is no id.
func (id PublicID) IsZero() bool { return id == PublicID{} }

// String is the canonical form: 36 characters, lower case.
func (id PublicID) String() string {
	var text [36]byte
	return string(id.AppendText(text[:0]))
}

// AppendText appends the canonical form to b.
func (id PublicID) AppendText(b []byte) []byte {
	b = hex.AppendEncode(b, id[0:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:16])
}

// Format prints the canonical form for every verb, so that an id never appears as a list of numbers.
func (id PublicID) Format(f fmt.State, _ rune) {
	var text [36]byte
	_, _ = f.Write(id.AppendText(text[:0]))
}

// ParsePublicID reads the 36 characters of the canonical form in either case, and nothing else: no braces, no "urn:uuid:".
// The zero UUID is refused, since it is no id.
func ParsePublicID(s string) (PublicID, bool) {
	id, ok := parseUUID(s)
	return id, ok && !id.IsZero()
}

func parseUUID(s string) (id PublicID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return PublicID{}, false
	}
	at := 0
	for i := range id {
		switch at {
		case 8, 13, 18, 23:
			at++
		}
		high, low := nibble(s[at]), nibble(s[at+1])
		if high > 15 || low > 15 {
			return PublicID{}, false
		}
		id[i] = high<<4 | low
		at += 2
	}
	return id, true
}

// nibble is the value of a hexadecimal digit, or 255.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
