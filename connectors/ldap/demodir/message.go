package demodir

import (
	"bufio"
	"bytes"
	"io"
)

// maxMessage bounds a message, in octets.
const maxMessage = 16 << 20

// The tags of the operations (RFC 4511 §4.2 to §4.12).
const (
	requestBind     = 0x60
	requestUnbind   = 0x42
	requestSearch   = 0x63
	requestModify   = 0x66
	requestAdd      = 0x68
	requestDelete   = 0x4a
	requestModifyDN = 0x6c
	requestCompare  = 0x6e
	requestAbandon  = 0x50
	requestExtended = 0x77

	responseBind     = 0x61
	responseEntry    = 0x64
	responseSearch   = 0x65
	responseModify   = 0x67
	responseAdd      = 0x69
	responseDelete   = 0x6b
	responseModifyDN = 0x6d
	responseCompare  = 0x6f
	responseExtended = 0x78
)

// message is the envelope of RFC 4511 §4.1.1. It aliases the buffer it was read into.
type message struct {
	id       int
	op       byte
	body     decoder
	controls []rawControl
}

// readMessage reads the content of the next envelope into the buffer. The
// buffer grows with what really comes, not with the length that is announced.
func readMessage(in *bufio.Reader, buffer *bytes.Buffer) error {
	tag, err := in.ReadByte()
	if err != nil {
		return err
	}
	if tag != tagSequence {
		return errMalformed
	}
	first, err := in.ReadByte()
	if err != nil {
		return err
	}
	length := int64(first)
	if first >= 0x80 {
		octets := int(first & 0x7f)
		if octets == 0 || octets > 4 {
			return errMalformed
		}
		length = 0
		for range octets {
			b, err := in.ReadByte()
			if err != nil {
				return err
			}
			length = length<<8 | int64(b)
		}
	}
	if length > maxMessage {
		return errMalformed
	}
	if buffer.Cap() > 1<<20 {
		*buffer = bytes.Buffer{} // one large message should not hold its room for ever
	}
	buffer.Reset()
	_, err = io.CopyN(buffer, in, length)
	return err
}

// parseMessage reads the content of an envelope.
func parseMessage(content []byte) (message, error) {
	in := decoder{content}
	var m message
	var err error
	if m.id, err = in.number(tagInteger); err != nil {
		return m, err
	}
	var body []byte
	if m.op, body, err = in.next(); err != nil {
		return m, err
	}
	if m.id < 0 || m.id == 0 && m.op != requestAbandon && m.op != requestUnbind {
		return m, errMalformed
	}
	m.body = decoder{body}
	if in.empty() {
		return m, nil
	}
	list, err := in.inside(0xa0)
	for err == nil && !list.empty() {
		var c rawControl
		if c, err = parseControl(&list); err == nil {
			m.controls = append(m.controls, c)
		}
	}
	return m, err
}

func parseControl(list *decoder) (rawControl, error) {
	var c rawControl
	in, err := list.inside(tagSequence)
	if err != nil {
		return c, err
	}
	if c.oid, err = in.text(tagString); err != nil {
		return c, err
	}
	if in.peek() == tagBoolean {
		if c.critical, err = in.truth(tagBoolean); err != nil {
			return c, err
		}
	}
	if !in.empty() {
		c.value, err = in.expect(tagString)
	}
	return c, err
}

// parseAttributes reads a list of attributes (RFC 4511 §4.1.7).
func parseAttributes(in *decoder) ([]Attribute, error) {
	list, err := in.inside(tagSequence)
	if err != nil {
		return nil, err
	}
	var out []Attribute
	for !list.empty() {
		a, err := parseAttribute(&list)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func parseAttribute(list *decoder) (a Attribute, err error) {
	in, err := list.inside(tagSequence)
	if err != nil {
		return a, err
	}
	if a.Name, err = in.text(tagString); err != nil {
		return a, err
	}
	a.Values, err = in.texts(tagSet)
	return a, err
}
