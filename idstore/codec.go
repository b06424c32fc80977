package idstore

import (
	"encoding/binary"
	"fmt"
	"time"
)

// How text that a client or a backend made up is held. Many backends name their objects by a UUID; the canonical form
// takes 16 bytes instead of 36.
const (
	formUUID   = 0 // 16 bytes follow: the text is the canonical lower-case form of a UUID
	formHash   = 1 // only in keys: 32 bytes follow, the SHA-256 of the text
	formLength = 2 // form minus formLength bytes follow: the text itself
)

// appendText appends s so that it can be told where it ends.
func appendText(b []byte, s string) []byte {
	if id, ok := canonicalUUID(s); ok {
		b = append(b, formUUID)
		return append(b, id[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(s))+formLength)
	return append(b, s...)
}

// canonicalUUID returns the bytes of s if s is exactly what they print as.
func canonicalUUID(s string) (PublicID, bool) {
	if len(s) != 36 {
		return PublicID{}, false
	}
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'F' {
			return PublicID{}, false
		}
	}
	return parseUUID(s)
}

// cursor reads what the append functions wrote. After the first thing that does not fit it reads zeros, and err tells.
type cursor struct {
	rest   []byte
	broken bool
}

func (c *cursor) uint() uint64 {
	n, size := binary.Uvarint(c.rest)
	if size <= 0 {
		c.broken, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[size:]
	return n
}

// count reads the length of a list whose items take at least one byte each.
func (c *cursor) count() int {
	n := c.uint()
	if n > uint64(len(c.rest)) {
		c.broken, c.rest = true, nil
		return 0
	}
	return int(n)
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.broken, c.rest = true, nil
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) text() string {
	form := c.uint()
	switch {
	case c.broken:
		return ""
	case form == formUUID:
		return c.publicID().String()
	case form >= formLength:
		return string(c.bytes(form - formLength))
	}
	c.broken = true
	return ""
}

// textIs reads a text and tells whether it is s.
func (c *cursor) textIs(s string) bool {
	before := *c
	form := before.uint()
	c.skipText()
	if c.broken {
		return false
	}
	if form == formUUID {
		id, ok := canonicalUUID(s)
		return ok && id == before.publicID()
	}
	return string(before.bytes(form-formLength)) == s
}

// skipText passes over a text.
func (c *cursor) skipText() {
	switch form := c.uint(); {
	case c.broken:
	case form == formUUID:
		c.bytes(16)
	case form >= formLength:
		c.bytes(form - formLength)
	default:
		c.broken = true
	}
}

func (c *cursor) publicID() (id PublicID) {
	copy(id[:], c.bytes(uint64(len(id))))
	return id
}

func (c *cursor) time() time.Time {
	return time.UnixMilli(int64(c.uint())).UTC()
}

// optionalTime reads a time of which there may be none; appendTime has written the zero time as 1970.
func (c *cursor) optionalTime() time.Time {
	t := c.time()
	if t.UnixMilli() == 0 {
		return time.Time{}
	}
	return t
}

// err tells whether what was read was whole, with nothing after it. What names the kind of row.
func (c *cursor) err(what string) error {
	if c.broken || len(c.rest) > 0 {
		return fmt.Errorf("the row of %s can not be read: %w", what, ErrCorrupt)
	}
	return nil
}

// appendTime appends t, cut to milliseconds. Times before 1970 are not needed and become 1970.
func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(b, uint64(max(0, t.UnixMilli())))
}

// now is the present as a row can hold it.
func now() time.Time {
	return time.Now().UTC().Truncate(time.Millisecond)
}
