package rest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"postern/connectors"
)

// A pointer is a JSON Pointer (RFC 6901), in its reference tokens. The empty one
// is the whole document. Beyond the RFC a token may end in a selector, as in
// /custom_fields[id=7]/value: the element of the array whose member id is 7. The
// selector is a token of its own here, and begins with "[".
type pointer []string

// parsePointer reads a pointer as RFC 6901 §3 writes it.
func parsePointer(s string) (pointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, fmt.Errorf("%q is not a JSON Pointer", s)
	}
	var p pointer
	for token := range strings.SplitSeq(s[1:], "/") {
		if strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(token), "~") {
			return nil, fmt.Errorf("%q is not a JSON Pointer: ~ is written ~0", s)
		}
		unescape := strings.NewReplacer("~1", "/", "~0", "~").Replace
		if i := strings.IndexByte(token, '['); i > 0 && strings.HasSuffix(token, "]") && strings.Contains(token[i:], "=") {
			p = append(p, unescape(token[:i]), unescape(token[i:]))
			continue
		}
		p = append(p, unescape(token))
	}
	return p, nil
}

// String writes the pointer as the file has it.
func (p pointer) String() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1").Replace
	for _, token := range p {
		if _, _, ok := selector(token); !ok {
			b.WriteByte('/')
		}
		b.WriteString(escape(token))
	}
	return b.String()
}

// selector splits a token that chooses an element of an array.
func selector(token string) (key, value string, ok bool) {
	if !strings.HasPrefix(token, "[") || !strings.HasSuffix(token, "]") {
		return "", "", false
	}
	return strings.Cut(token[1:len(token)-1], "=")
}

// chosen returns the index of the element that a token leads to, or -1.
func chosen(list []any, token string) int {
	if key, value, ok := selector(token); ok {
		for i, item := range list {
			if o, ok := item.(map[string]any); ok {
				if s, ok := scalar(o[key]); ok && s == value {
					return i
				}
			}
		}
		return -1
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(list) || strconv.Itoa(i) != token {
		return -1
	}
	return i
}

// pointerOf is the pointer of an attribute whose name has been checked.
func pointerOf(a connectors.Attr) pointer {
	p, err := parsePointer(string(a))
	if err != nil {
		return pointer{string(a)} // names nothing that an object of JSON is likely to have
	}
	return p
}

// get returns what the pointer leads to. Nothing is there where the way ends.
func (p pointer) get(doc any) (any, bool) {
	for _, token := range p {
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[token]
			if !ok {
				return nil, false
			}
			doc = v
		case []any:
			i := chosen(d, token)
			if i < 0 {
				return nil, false
			}
			doc = d[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

// put returns the document with the value at the pointer. Objects on the way are
// made where they are missing; what is no object is replaced by one, save for an
// element of an array that is there. The document is changed in place.
func (p pointer) put(doc, v any) any {
	if len(p) == 0 {
		return v
	}
	list, isList := doc.([]any)
	if i := chosen(list, p[0]); i >= 0 {
		list[i] = p[1:].put(list[i], v)
		return list
	}
	if key, value, ok := selector(p[0]); ok && (isList || doc == nil) {
		var chooses any = value
		if n, ok := (connectors.Matching{Rule: connectors.RuleInteger}).Normal(connectors.Value(value)); ok && string(n) == value {
			chooses = json.Number(value)
		}
		return append(list, p[1:].put(map[string]any{key: chooses}, v))
	}
	d, ok := doc.(map[string]any)
	if !ok {
		d = make(map[string]any)
	}
	d[p[0]] = p[1:].put(d[p[0]], v)
	return d
}

// remove takes the member that the pointer names out of its object.
func (p pointer) remove(doc any) {
	if len(p) == 0 {
		return
	}
	if parent, ok := p[:len(p)-1].get(doc); ok {
		if d, ok := parent.(map[string]any); ok {
			delete(d, p[len(p)-1])
		}
	}
}

// clone copies what can be changed of a document.
func clone(doc any) any {
	switch d := doc.(type) {
	case map[string]any:
		c := make(map[string]any, len(d))
		for k, v := range d {
			c[k] = clone(v)
		}
		return c
	case []any:
		c := make([]any, len(d))
		for i, v := range d {
			c[i] = clone(v)
		}
		return c
	}
	return doc
}
