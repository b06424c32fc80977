package wire

import "errors"

var errBER = errors.New("malformed BER")

// A Reader reads the elements of one constructed element in order. It never
// reads beyond its content, and after the first malformed element it gives
// nothing but that error.
type Reader struct {
	rest string
	err  error
}

// NewReader returns a reader of the elements in content.
func NewReader(content string) Reader { return Reader{rest: content} }

// Err returns errBER if something was malformed.
func (r *Reader) Err() error { return r.err }

// More reports whether another element follows.
func (r *Reader) More() bool { return r.err == nil && r.rest != "" }

// Peek returns the next element's tag, or 0.
func (r *Reader) Peek() byte {
	if !r.More() {
		return 0
	}
	return r.rest[0]
}

// Any reads the next element, whatever it is.
func (r *Reader) Any() (tag byte, content string) {
	if r.err != nil {
		return 0, ""
	}
	tag, n, head, ok := header(r.rest)
	if !ok || n > len(r.rest)-head {
		r.Fail()
		return 0, ""
	}
	content = r.rest[head : head+n]
	r.rest = r.rest[head+n:]
	return tag, content
}

// Read reads the next element, which must have the tag.
func (r *Reader) Read(tag byte) string {
	got, content := r.Any()
	if got != tag {
		r.Fail()
		return ""
	}
	return content
}

// Sub reads the next element, which must have the tag, as a reader of its own.
func (r *Reader) Sub(tag byte) Reader {
	content := r.Read(tag)
	return Reader{rest: content, err: r.err}
}

// Int reads an INTEGER or ENUMERATED of up to eight bytes.
func (r *Reader) Int(tag byte) int64 {
	content := r.Read(tag)
	if r.err != nil {
		return 0
	}
	if len(content) == 0 || len(content) > 8 {
		r.Fail()
		return 0
	}
	v := int64(int8(content[0]))
	for i := 1; i < len(content); i++ {
		v = v<<8 | int64(content[i])
	}
	return v
}

// Bool reads a BOOLEAN.
func (r *Reader) Bool(tag byte) bool {
	content := r.Read(tag)
	if len(content) != 1 {
		r.Fail()
		return false
	}
	return content[0] != 0
}

// Fail makes the reader malformed from here on.
func (r *Reader) Fail() {
	r.rest, r.err = "", errBER
}

// header reads a tag and a definite length. Tags above 30 and the indefinite
// form do not occur in LDAP (RFC 4511 §5.1).
func header(s string) (tag byte, n, size int, ok bool) {
	if len(s) < 2 || s[0]&0x1f == 0x1f {
		return 0, 0, 0, false
	}
	first := s[1]
	if first < 0x80 {
		return s[0], int(first), 2, true
	}
	extra := int(first & 0x7f)
	if extra == 0 || extra > 4 || len(s) < 2+extra {
		return 0, 0, 0, false
	}
	for i := range extra {
		n = n<<8 | int(s[2+i])
	}
	return s[0], n, 2 + extra, true
}
