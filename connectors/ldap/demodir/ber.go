package demodir

import (
	"errors"
	"math/bits"
)

// The Basic Encoding Rules as RFC 4511 §5.1 narrows them: definite lengths,
// tags of one octet, octet strings in the primitive form. A length need not be
// the shortest one when read; it is the shortest one when written.

// The universal tags that LDAP uses.
const (
	tagBoolean    = 0x01
	tagInteger    = 0x02
	tagString     = 0x04
	tagEnumerated = 0x0a
	tagSequence   = 0x30
	tagSet        = 0x31
)

// errMalformed says that a message is not what RFC 4511 §4 describes.
var errMalformed = errors.New("malformed message")

// decoder reads the elements of one constructed element. What it returns
// aliases the message that it reads from.
type decoder struct{ rest []byte }

func (d *decoder) empty() bool { return len(d.rest) == 0 }

// peek returns the tag of the next element, 0 at the end.
func (d *decoder) peek() byte {
	if len(d.rest) == 0 {
		return 0
	}
	return d.rest[0]
}

// next returns the tag and the content of the next element.
func (d *decoder) next() (byte, []byte, error) {
	if len(d.rest) < 2 {
		return 0, nil, errMalformed
	}
	tag, length, header := d.rest[0], int(d.rest[1]), 2
	if tag&0x1f == 0x1f {
		return 0, nil, errMalformed
	}
	if length >= 0x80 {
		octets := length & 0x7f
		if octets == 0 || octets > 4 || len(d.rest) < 2+octets {
			return 0, nil, errMalformed
		}
		length = 0
		for _, b := range d.rest[2 : 2+octets] {
			length = length<<8 | int(b)
		}
		header += octets
	}
	if length > len(d.rest)-header {
		return 0, nil, errMalformed
	}
	content := d.rest[header : header+length]
	d.rest = d.rest[header+length:]
	return tag, content, nil
}

// expect returns the content of the next element, which must have this tag.
func (d *decoder) expect(tag byte) ([]byte, error) {
	got, content, err := d.next()
	if err != nil {
		return nil, err
	}
	if got != tag {
		return nil, errMalformed
	}
	return content, nil
}

// inside returns a decoder for the content of the next element.
func (d *decoder) inside(tag byte) (decoder, error) {
	content, err := d.expect(tag)
	return decoder{content}, err
}

// text returns the next element, an octet string, as a copy.
func (d *decoder) text(tag byte) (string, error) {
	content, err := d.expect(tag)
	return string(content), err
}

// number returns the next element, an integer or an enumeration of at most four
// octets: RFC 4511 has no larger one.
func (d *decoder) number(tag byte) (int, error) {
	content, err := d.expect(tag)
	if err != nil {
		return 0, err
	}
	if len(content) == 0 || len(content) > 4 {
		return 0, errMalformed
	}
	n := int(int8(content[0]))
	for _, b := range content[1:] {
		n = n<<8 | int(b)
	}
	return n, nil
}

// truth returns the next element, a boolean. RFC 4511 §5.1 wants 0xFF for TRUE; BER
// and some clients know any octet but zero, and so does this.
func (d *decoder) truth(tag byte) (bool, error) {
	content, err := d.expect(tag)
	if err != nil {
		return false, err
	}
	if len(content) != 1 {
		return false, errMalformed
	}
	return content[0] != 0, nil
}

// texts returns the octet strings of the next element.
func (d *decoder) texts(tag byte) ([]string, error) {
	list, err := d.inside(tag)
	if err != nil {
		return nil, err
	}
	var out []string
	for !list.empty() {
		s, err := list.text(tagString)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// encoder builds elements by appending to a buffer.
type encoder struct{ out []byte }

// begin opens a constructed element and returns where its content starts.
func (e *encoder) begin(tag byte) int {
	e.out = append(e.out, tag, 0)
	return len(e.out)
}

// end closes the element whose content starts there: it writes the length, and
// moves the content where that takes more than one octet.
func (e *encoder) end(start int) {
	length := len(e.out) - start
	if length < 0x80 {
		e.out[start-1] = byte(length)
		return
	}
	octets := (bits.Len(uint(length)) + 7) / 8
	e.out = append(e.out, make([]byte, octets)...)
	copy(e.out[start+octets:], e.out[start:start+length])
	e.out[start-1] = 0x80 | byte(octets)
	for i := octets - 1; i >= 0; i-- {
		e.out[start+i] = byte(length)
		length >>= 8
	}
}

func (e *encoder) text(tag byte, s string) {
	start := e.begin(tag)
	e.out = append(e.out, s...)
	e.end(start)
}

func (e *encoder) texts(tag byte, list []string) {
	start := e.begin(tag)
	for _, s := range list {
		e.text(tagString, s)
	}
	e.end(start)
}

func (e *encoder) number(tag byte, n int) {
	start := e.begin(tag)
	octets := 1
	for v := n; v > 127 || v < -128; v >>= 8 {
		octets++
	}
	for i := octets - 1; i >= 0; i-- {
		e.out = append(e.out, byte(n>>(8*i)))
	}
	e.end(start)
}
