package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"postern/connectors"
	"postern/scim"
)

// A segment of a template is literal text or the SCIM path of a placeholder.
type segment struct {
	literal string
	path    string
}

// parseTemplate reads text with placeholders in braces: "CN={displayName}". A
// brace that is meant as such is written twice.
func parseTemplate(s string) ([]segment, error) {
	var segments []segment
	var literal strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c != '{' && c != '}':
			literal.WriteByte(c)
		case i+1 < len(s) && s[i+1] == c:
			literal.WriteByte(c)
			i++
		case c == '}':
			return nil, errors.New(`a "}" without its "{"`)
		default:
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, errors.New(`a "{" without its "}"`)
			}
			path := strings.TrimSpace(s[i+1 : i+end])
			if path == "" || strings.Contains(path, "{") {
				return nil, fmt.Errorf("a placeholder %q that is no path", s[i:i+end+1])
			}
			if literal.Len() > 0 {
				segments = append(segments, segment{literal: literal.String()})
				literal.Reset()
			}
			segments = append(segments, segment{path: path})
			i += end
		}
	}
	if literal.Len() > 0 {
		segments = append(segments, segment{literal: literal.String()})
	}
	return segments, nil
}

// A template makes a text of a resource's values.
type template struct {
	parts []part
}

// A part is literal text, or the value that a rule maps.
type part struct {
	literal string
	input   *rule
}

// inputs are the rules whose values the template shows.
func (t *template) inputs(yield func(*rule) bool) {
	for i := range t.parts {
		if t.parts[i].input != nil && !yield(t.parts[i].input) {
			return
		}
	}
}

// only returns the one rule that the template shows with nothing around it, or
// nil.
func (t *template) only() *rule {
	if len(t.parts) == 1 {
		return t.parts[0].input
	}
	return nil
}

// How deep defaults stand in for inputs without a value: a default shows the
// defaults of its own inputs, and a name shows what is then stored. The end of
// it keeps two defaults that name each other from going on for ever.
const (
	depthOfDefault = 1
	depthOfName    = 2
)

// values are what templates are made of: a value for each rule.
type values func(*rule) scim.Value

// valuesOf are the values of a resource.
func valuesOf(r *scim.Resource) values {
	return func(input *rule) scim.Value { return input.of(r) }
}

// text is the value of a rule as a template shows it: its own or that of its
// default, and "" where there is neither.
func (of values) text(input *rule, depth int) string {
	text := plain(of(input))
	if text == "" && depth > 0 && input.fallback != nil {
		text = input.fallback.render(of, depth-1)
	}
	return text
}

// render makes the text. An input without a value shows its default; missing is
// the first that has neither.
func (t *template) render(of values, depth int) (text string, missing *rule) {
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		if p.input == nil {
			b.WriteString(p.literal)
			continue
		}
		value := of.text(p.input, depth)
		if value == "" {
			return "", p.input
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

// A fallback is a rule's default: the first of its templates that can be made.
type fallback []*template

// render makes the text, "" where no template can be made.
func (f fallback) render(of values, depth int) string {
	for _, t := range f {
		if text, missing := t.render(of, depth); missing == nil && text != "" {
			return text
		}
	}
	return ""
}

// wants appends the attributes that the default can show.
func (f fallback) wants(want []connectors.Attr, depth int) []connectors.Attr {
	for _, t := range f {
		want = t.wants(want, depth)
	}
	return want
}

// plain is a single value as text without quotes, "" for none.
func plain(v scim.Value) string {
	switch v.Kind() {
	case scim.Absent:
		return ""
	case scim.KindString:
		return v.Text()
	default:
		return v.String()
	}
}

// typed reads text as a value of the type, as a default or a table of values in
// the configuration writes it.
func typed(t scim.Type, text string) (scim.Value, error) {
	switch t {
	case scim.Boolean:
		switch text {
		case "true":
			return scim.Bool(true), nil
		case "false":
			return scim.Bool(false), nil
		}
		return scim.Value{}, fmt.Errorf("%q is neither true nor false", text)
	case scim.Integer:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return scim.Value{}, fmt.Errorf("%q is no integer", text)
		}
		return scim.Int(i), nil
	case scim.Decimal:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return scim.Value{}, fmt.Errorf("%q is no number", text)
		}
		return scim.Dec(f), nil
	default:
		return scim.Str(text), nil
	}
}
