package rest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Template is the path and the query of a call, with placeholders in braces:
// "/users/{anchor}.json?name={value}". It is parsed before any value is there, so
// that a value is one segment of the path, or part of one, or one parameter's
// value, whatever characters it has.
type Template struct {
	text     string
	segments [][]piece
	query    []parameter
}

// A piece is literal text, escaped as the file has it, or a placeholder.
type piece struct {
	literal string
	name    string
}

type parameter struct {
	key   string // escaped
	value []piece
}

// String returns the template as the file has it.
func (t Template) String() string { return t.text }

var (
	// segmentText and queryText are what RFC 3986 §3.3 and §3.4 let stand there.
	segmentText = regexp.MustCompile(`^([A-Za-z0-9._~!$'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$`)
	queryText   = regexp.MustCompile(`^([A-Za-z0-9._~!$'()*+,;:@/?\[\]=-]|%[0-9A-Fa-f]{2})*$`)
)

// parseTemplate reads a template that may have these placeholders.
func parseTemplate(text string, names ...string) (Template, error) {
	t := Template{text: text}
	if strings.Contains(text, "#") {
		return t, errors.New("a fragment is never sent")
	}
	path, query, hasQuery := strings.Cut(text, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return t, fmt.Errorf("%q is not the path of a call: it begins with one slash", text)
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		ps, err := pieces(segment, segmentText, names)
		if err != nil {
			return t, err
		}
		if plain, ok := unescaped(ps); ok && (plain == "." || plain == ".." || strings.Contains(plain, "/")) {
			return t, fmt.Errorf("%q is not a segment of a path", segment)
		}
		t.segments = append(t.segments, ps)
	}
	if !hasQuery || query == "" {
		return t, nil
	}
	for p := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(p, "=")
		if key == "" || strings.ContainsAny(key, "{}") || !queryText.MatchString(key) {
			return t, fmt.Errorf("%q is not a parameter", p)
		}
		ps, err := pieces(value, queryText, names)
		if err != nil {
			return t, err
		}
		t.query = append(t.query, parameter{key: key, value: ps})
	}
	return t, nil
}

// unescaped is the text of pieces that hold no placeholder.
func unescaped(ps []piece) (string, bool) {
	var b strings.Builder
	for _, p := range ps {
		if p.name != "" {
			return "", false
		}
		b.WriteString(p.literal)
	}
	plain, err := url.PathUnescape(b.String())
	return plain, err == nil
}

func pieces(s string, literal *regexp.Regexp, names []string) ([]piece, error) {
	var ps []piece
	for s != "" {
		text, rest, found := strings.Cut(s, "{")
		if !literal.MatchString(text) {
			return nil, fmt.Errorf("%q can not stand in a URL as it is", text)
		}
		if text != "" {
			ps = append(ps, piece{literal: text})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no placeholder {%s} here, but %s", name, braced(names))
		}
		ps = append(ps, piece{name: name})
		s = after
	}
	return ps, nil
}

func braced(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return "{" + strings.Join(names, "}, {") + "}"
}

// uses reports whether a value goes into the template.
func (t Template) uses(name string) bool {
	is := func(p piece) bool { return p.name == name }
	return slices.ContainsFunc(t.segments, func(ps []piece) bool { return slices.ContainsFunc(ps, is) }) ||
		slices.ContainsFunc(t.query, func(p parameter) bool { return slices.ContainsFunc(p.value, is) })
}

// embeds reports whether a value is put among other text of a parameter, as into
// a small language of the application's own.
func (t Template) embeds(name string) bool {
	return slices.ContainsFunc(t.query, func(p parameter) bool {
		return len(p.value) > 1 && slices.ContainsFunc(p.value, func(p piece) bool { return p.name == name })
	})
}

// errPath refuses a value that can not be a segment of a path, or a part of one.
// Slashes could be escaped, but are taken for separators by many a server all the
// same, and "..", escaped or not, for the way up.
var errPath = errors.New("the value can not be part of a path")

// expand fills in the values: the path and the query, escaped, without their
// first characters "/" and "?".
func (t Template) expand(values map[string]string) (path, query string, err error) {
	var b strings.Builder
	for i, segment := range t.segments {
		if i > 0 {
			b.WriteByte('/')
		}
		plain := ""
		for _, p := range segment {
			if p.name == "" {
				b.WriteString(p.literal)
				text, _ := url.PathUnescape(p.literal)
				plain += text
				continue
			}
			v := values[p.name]
			if v == "" || strings.ContainsFunc(v, badInPath) {
				return "", "", errPath
			}
			b.WriteString(url.PathEscape(v))
			plain += v
		}
		if plain == "." || plain == ".." {
			return "", "", errPath
		}
	}
	path = b.String()
	b.Reset()
	for i, p := range t.query {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.key + "=")
		for _, v := range p.value {
			if v.name == "" {
				b.WriteString(v.literal)
			} else {
				b.WriteString(url.QueryEscape(values[v.name]))
			}
		}
	}
	return path, b.String(), nil
}

func badInPath(r rune) bool { return r == '/' || r == '\\' || r < ' ' || r == 0x7f || r == '\uFFFD' }
