package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"postern/connectors"
)

func accept(f Form) string {
	if f == FormXML {
		return "application/xml, text/xml"
	}
	return "application/json"
}

// encodeBody writes what a request sends: nil is no body.
func encodeBody(r request) (body []byte, contentType string, err error) {
	tree := r.body
	if !r.hasBody {
		if r.call.Body == nil {
			return nil, "", nil
		}
		tree = fill(r.call.Body, r.values)
	}
	switch r.call.Form {
	case FormURL:
		form := make(url.Values)
		flatten(form, "", tree)
		return []byte(form.Encode()), "application/x-www-form-urlencoded", nil
	case FormXML:
		body, err = encodeXML(tree)
		return body, "application/xml", err
	case FormJSON:
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return nil, "", &connectors.Error{Kind: connectors.Invalid, Unsent: true, Err: err}
	}
	contentType = "application/json"
	if r.call.Method == "PATCH" {
		contentType = "application/merge-patch+json" // RFC 7396
	}
	if own := r.call.Headers["Content-Type"]; own != "" {
		contentType = own
	}
	return b.Bytes(), contentType, nil
}

// flatten writes a tree as the fields of a form: user[login]=anna, ids[]=7.
func flatten(form url.Values, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			if name != "" {
				k = name + "[" + k + "]"
			}
			flatten(form, k, member)
		}
	case []any:
		for _, item := range v {
			flatten(form, name+"[]", item)
		}
		if len(v) == 0 {
			form.Add(name+"[]", "")
		}
	default:
		s, _ := scalar(v)
		form.Add(name, s)
	}
}

// fill puts values into a declared body. A value is text in its place, whatever
// characters it has, and {name:integer} as the whole of a text is a number.
func fill(tree any, values map[string]string) any {
	switch t := tree.(type) {
	case map[string]any:
		o := make(map[string]any, len(t))
		for k, v := range t {
			o[k] = fill(v, values)
		}
		return o
	case []any:
		list := make([]any, len(t))
		for i, v := range t {
			list[i] = fill(v, values)
		}
		return list
	case string:
		if t == "{members}" || t == "{members:integer}" {
			list := []any{}
			for member := range strings.SplitSeq(values[phMembers], "\x00") {
				list = append(list, fill(strings.Replace(t, phMembers, phMember, 1), map[string]string{phMember: member}))
			}
			return list
		}
		if name, ok := strings.CutSuffix(t, ":integer}"); ok {
			v := values[strings.TrimPrefix(name, "{")]
			if n, ok := (connectors.Matching{Rule: connectors.RuleInteger}).Normal(connectors.Value(v)); ok {
				return json.Number(n)
			}
			return v
		}
		var b strings.Builder
		for rest := t; ; {
			text, after, found := strings.Cut(rest, "{")
			b.WriteString(text)
			if !found {
				return b.String()
			}
			name, tail, _ := strings.Cut(after, "}")
			b.WriteString(values[name])
			rest = tail
		}
	}
	return tree
}

// decodeBody reads an answer: XML where it says so, or where the call is made in
// XML and the answer does not say JSON.
func decodeBody(contentType string, f Form, text []byte) (any, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	if strings.HasSuffix(strings.TrimSpace(kind), "xml") || f == FormXML && !strings.HasSuffix(strings.TrimSpace(kind), "json") {
		return decodeXML(text)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, errors.New("the answer is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the answer has more than one JSON document")
	}
	return doc, nil
}

// wrapped puts an object where the call wraps it, beside what the call always
// sends.
func (c Call) wrapped(object any) any {
	if c.Body == nil {
		return c.Wrap.put(nil, object)
	}
	return c.Wrap.put(clone(c.Body), object)
}

// sortedKeys makes the order of what is written the same each time.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
