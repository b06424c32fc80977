package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds how deep arrays and objects nest. A SCIM message needs
// six levels.
const maxJSONDepth = 64

// A jsonKind is the first character of a JSON value, with 0 for any number.
type jsonKind byte

func (k jsonKind) String() string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	default:
		return "a boolean"
	}
}

// A node is one JSON value. The nodes of a text stand in the order of the text:
// what an array or object holds follows it, in an object each value after its
// name, up to the node at end.
type node struct {
	kind  jsonKind
	end   int32
	count int32  // of elements or members
	text  string // of a string, unescaped, or of a number
}

// A document is a JSON text that has been read whole. It is strict beyond
// RFC 8259 where leniency would let two readers see two messages: names of an
// object that differ only in case are duplicates, since SCIM takes them for the
// same attribute.
type document struct {
	nodes    []node
	members  int // in all objects together
	elements int // in all arrays together
}

// parseJSON reads a body, which must be one JSON object.
func parseJSON(body []byte) (document, error) {
	if !utf8.Valid(body) {
		return document{}, InvalidSyntax("body is not valid UTF-8")
	}
	r := jsonReader{s: string(body)}
	r.nodes = make([]node, 0, min(mostNodes(r.s), maxNodes))
	r.skip()
	if r.pos < len(r.s) && r.s[r.pos] != '{' {
		return document{}, InvalidSyntax("body is not a JSON object")
	}
	err := r.value(0)
	if r.skip(); err == nil && r.pos < len(r.s) {
		err = errors.New("data after the end")
	}
	switch {
	case errors.Is(err, errTooLarge):
		return document{}, Errorf(http.StatusRequestEntityTooLarge, "", "the body has more than the limit of %d names and values", maxNodes)
	case err != nil:
		return document{}, InvalidSyntax("body is not valid JSON: %s at byte %d", err, r.pos)
	}
	return r.document, nil
}

// mostNodes returns how many values the text can have at most: each comes first or
// after one of these characters.
func mostNodes(s string) int {
	return 1 + strings.Count(s, ",") + strings.Count(s, ":") + strings.Count(s, "[") + strings.Count(s, "{")
}

// A jsonReader is a position in a JSON text, and what has been read of it. Texts
// without escapes share the memory of the whole: who keeps one for long after the
// request should clone it.
type jsonReader struct {
	s   string
	pos int
	document
}

var (
	errEnd      = errors.New("unexpected end")
	errTooLarge = errors.New("too many names and values")
)

// maxNodes bounds the names and values of a body, which take some 32 bytes of
// memory each: enough for the members of a group of 100,000.
const maxNodes = 1_000_000

func (r *jsonReader) skip() {
	for r.pos < len(r.s) && isSpace(r.s[r.pos]) {
		r.pos++
	}
}

// next consumes c, which must come next.
func (r *jsonReader) next(c byte) error {
	r.skip()
	if r.pos == len(r.s) {
		return errEnd
	}
	if r.s[r.pos] != c {
		return fmt.Errorf("unexpected %q where %q is expected", r.s[r.pos], c)
	}
	r.pos++
	return nil
}

// value reads the value that comes next, with depth arrays and objects around it.
func (r *jsonReader) value(depth int) error {
	if r.skip(); r.pos == len(r.s) {
		return errEnd
	}
	at := len(r.nodes)
	if at >= maxNodes {
		return errTooLarge
	}
	c := r.s[r.pos]
	r.nodes = append(r.nodes, node{kind: jsonKind(c)})
	var err error
	switch c {
	case '{', '[':
		if depth == maxJSONDepth {
			return fmt.Errorf("nested deeper than %d", maxJSONDepth)
		}
		if c == '{' {
			err = r.object(at, depth)
		} else {
			err = r.array(at, depth)
		}
	case '"':
		r.nodes[at].text, err = r.text()
	case 't':
		err = r.word("true")
	case 'f':
		err = r.word("false")
	case 'n':
		err = r.word("null")
	default:
		r.nodes[at].kind = '0'
		r.nodes[at].text, err = r.number()
	}
	r.nodes[at].end = int32(len(r.nodes))
	return err
}

func (r *jsonReader) array(at, depth int) error {
	r.pos++
	if r.skip(); r.pos < len(r.s) && r.s[r.pos] == ']' {
		r.pos++
		return nil
	}
	for {
		if err := r.value(depth + 1); err != nil {
			return err
		}
		r.nodes[at].count++
		r.elements++
		if r.skip(); r.pos < len(r.s) && r.s[r.pos] == ',' {
			r.pos++
			continue
		}
		return r.next(']')
	}
}

func (r *jsonReader) object(at, depth int) error {
	r.pos++
	if r.skip(); r.pos < len(r.s) && r.s[r.pos] == '}' {
		r.pos++
		return nil
	}
	for {
		if r.skip(); r.pos < len(r.s) && r.s[r.pos] != '"' {
			return fmt.Errorf("unexpected %q where a name is expected", r.s[r.pos])
		}
		if err := r.value(depth + 1); err != nil {
			return err
		}
		if err := r.next(':'); err != nil {
			return err
		}
		if err := r.value(depth + 1); err != nil {
			return err
		}
		r.nodes[at].count++
		r.members++
		if r.skip(); r.pos < len(r.s) && r.s[r.pos] == ',' {
			r.pos++
			continue
		}
		if err := r.next('}'); err != nil {
			return err
		}
		return r.distinct(at)
	}
}

// distinct fails where two names of the object are equal but for case.
func (r *jsonReader) distinct(at int) error {
	const most = 24 // to compare one by one
	var seen map[string]bool
	if r.nodes[at].count > most {
		seen = make(map[string]bool, r.nodes[at].count)
	}
	for i := at + 1; i < len(r.nodes); i = int(r.nodes[i+1].end) {
		name := r.nodes[i].text
		if seen != nil {
			folded := fold(name)
			if seen[folded] {
				return fmt.Errorf("name %.200q is given twice", name)
			}
			seen[folded] = true
			continue
		}
		for j := at + 1; j < i; j = int(r.nodes[j+1].end) {
			if strings.EqualFold(r.nodes[j].text, name) {
				return fmt.Errorf("name %.200q is given twice", name)
			}
		}
	}
	return nil
}

func (r *jsonReader) word(w string) error {
	if !strings.HasPrefix(r.s[r.pos:], w) {
		return fmt.Errorf("unexpected %q", r.s[r.pos])
	}
	r.pos += len(w)
	return nil
}

// number reads a number by the grammar of RFC 8259 §6.
func (r *jsonReader) number() (string, error) {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for r.pos < len(r.s) && '0' <= r.s[r.pos] && r.s[r.pos] <= '9' {
			r.pos++
		}
		return r.pos > from
	}
	accept := func(a, b byte) bool {
		if r.pos < len(r.s) && (r.s[r.pos] == a || r.s[r.pos] == b) {
			r.pos++
			return true
		}
		return false
	}
	accept('-', '-')
	if !accept('0', '0') && !digits() {
		if r.pos == len(r.s) {
			return "", errEnd
		}
		return "", fmt.Errorf("unexpected %q", r.s[r.pos])
	}
	if accept('.', '.') && !digits() {
		return "", errors.New("number without digits after its point")
	}
	if accept('e', 'E') {
		accept('+', '-')
		if !digits() {
			return "", errors.New("number without digits in its exponent")
		}
	}
	return r.s[start:r.pos], nil
}

// text reads a string, whose quote comes next.
func (r *jsonReader) text() (string, error) {
	r.pos++
	start := r.pos
	for ; r.pos < len(r.s); r.pos++ {
		switch c := r.s[r.pos]; {
		case c == '"':
			r.pos++
			return r.s[start : r.pos-1], nil
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", errors.New("control character in a string")
		}
	}
	return "", errEnd
}

// escaped reads the rest of a string that began at start and has escapes.
func (r *jsonReader) escaped(start int) (string, error) {
	out := append(make([]byte, 0, r.pos-start+32), r.s[start:r.pos]...)
	for r.pos < len(r.s) {
		c := r.s[r.pos]
		switch {
		case c == '"':
			r.pos++
			return string(out), nil
		case c < ' ':
			return "", errors.New("control character in a string")
		case c != '\\':
			out = append(out, c)
			r.pos++
			continue
		}
		if r.pos+1 == len(r.s) {
			return "", errEnd
		}
		switch c := r.s[r.pos+1]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			u, err := r.unicode()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, u)
			continue
		default:
			return "", fmt.Errorf("unknown escape %q", r.s[r.pos:r.pos+2])
		}
		r.pos += 2
	}
	return "", errEnd
}

// unicode reads a \u escape, or two that are a surrogate pair. NUL is refused:
// no directory can hold it, and many a reader stops there.
func (r *jsonReader) unicode() (rune, error) {
	u, err := r.hex()
	switch {
	case err != nil:
		return 0, err
	case u == 0:
		return 0, errors.New("NUL in a string")
	case !utf16.IsSurrogate(u):
		return u, nil
	}
	if strings.HasPrefix(r.s[r.pos:], `\u`) {
		low, err := r.hex()
		if err != nil {
			return 0, err
		}
		if u = utf16.DecodeRune(u, low); u != utf8.RuneError {
			return u, nil
		}
	}
	return 0, errors.New("half of a surrogate pair in a string")
}

// hex consumes \u and four hexadecimal digits.
func (r *jsonReader) hex() (rune, error) {
	if r.pos+6 > len(r.s) {
		return 0, errEnd
	}
	var u rune
	for _, c := range []byte(r.s[r.pos+2 : r.pos+6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, fmt.Errorf("unexpected %q in an escape", c)
		}
		u = u<<4 | rune(c)
	}
	r.pos += 6
	return u, nil
}
