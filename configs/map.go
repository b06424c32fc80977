package configs

import (
	"iter"
	"slices"
	"time"
)

// Map decodes the keys of a map. Every method that names a key marks it as known and, where it is
// present, as taken; Done reports the keys that nobody took. Several Maps may stand on one node.
type Map struct {
	node     *Node
	problems *Problems
	void     bool // absent or no map at all: nothing to ask for, nothing to report
}

// Map opens a node as a map. An absent node, and one that is something else (which is reported),
// gives a map without keys of which nothing is required.
func (n *Node) Map(ps *Problems) *Map {
	m := &Map{node: n, problems: ps}
	switch {
	case n == nil || n.broken:
		m.void = true
	case n.kind == Null:
		m.void = true
		ps.Add(n.Problem("has no value").WithHint("give it a map or remove the key"))
	case n.kind != Mapping:
		m.void = true
		ps.Add(n.Problem("must be a map, not %s", n.kind))
	}
	return m
}

// Child takes a key and gives its value undecoded, or nil when the key is absent.
func (m *Map) Child(key string) *Node {
	if m.void {
		return nil
	}
	if !slices.Contains(m.node.asked, key) {
		m.node.asked = append(m.node.asked, key)
	}
	e, ok := m.node.byKey[key]
	if !ok {
		return nil
	}
	e.taken = true
	return e.value
}

// Has tells whether a key is present, without taking it.
func (m *Map) Has(key string) bool {
	return !m.void && m.node.byKey[key] != nil
}

// Len is the number of keys.
func (m *Map) Len() int {
	if m.void {
		return 0
	}
	return len(m.node.entries)
}

// Each takes all keys and gives them with their values, in the order of the file.
func (m *Map) Each() iter.Seq2[At[string], *Node] {
	return func(yield func(At[string], *Node) bool) {
		if m.void {
			return
		}
		for _, e := range m.node.entries {
			e.taken = true
		}
		for _, e := range m.node.entries {
			key := At[string]{Value: e.key, Pos: e.pos, Path: e.value.Path(), Set: true}
			if !yield(key, e.value) {
				return
			}
		}
	}
}

// Required reports every one of the keys that is absent. It takes none.
func (m *Map) Required(keys ...string) {
	for _, key := range keys {
		if m.void {
			return
		}
		if !slices.Contains(m.node.asked, key) {
			m.node.asked = append(m.node.asked, key)
		}
		if m.node.byKey[key] == nil {
			m.problems.Add(m.Problem("%q is missing", key))
		}
	}
}

// NotEmpty reports a map without any key; what is what it lacks, as in "client".
func (m *Map) NotEmpty(what string) {
	if !m.void && len(m.node.entries) == 0 {
		m.problems.Add(m.Problem("names no %s", what))
	}
}

// Done reports every key that nobody took, with the nearest known one as the hint. The owner of
// the map calls it once, after everybody has taken theirs.
func (m *Map) Done() {
	if m.void {
		return
	}
	var free []string
	for _, key := range m.node.asked {
		if m.node.byKey[key] == nil {
			free = append(free, key)
		}
	}
	for _, e := range m.node.entries {
		if e.taken {
			continue
		}
		p := problemAt(e.pos, e.value.Path(), "unknown key %q", e.key)
		if near := Nearest(e.key, free); near != "" {
			p = p.WithHint("did you mean %q?", near)
		} else {
			p = p.Near(e.key, m.node.asked)
		}
		m.problems.Add(p)
	}
}

// Problem makes a problem at the beginning of the map.
func (m *Map) Problem(format string, args ...any) Problem {
	return m.node.Problem(format, args...)
}

// KeyProblem makes a problem at a key, or at the beginning of the map when the key is absent.
func (m *Map) KeyProblem(key, format string, args ...any) Problem {
	if !m.Has(key) {
		return m.Problem(format, args...)
	}
	e := m.node.byKey[key]
	return problemAt(e.pos, e.value.Path(), format, args...)
}

// absent gives the place of a key that is not there.
func absent[T any](m *Map, key string, a At[T]) At[T] {
	if !a.Set {
		a.Pos, a.Path = m.node.Pos(), joinPath(m.node.Path(), key)
	}
	return a
}

// String takes text that is not empty.
func (m *Map) String(key string) At[string] {
	return absent(m, key, m.Child(key).String(m.problems))
}

// Text takes any single value as it is written, also a number, a boolean or empty text.
func (m *Map) Text(key string) At[string] {
	return absent(m, key, m.Child(key).Text(m.problems))
}

// Bool takes true or false.
func (m *Map) Bool(key string) At[bool] {
	return absent(m, key, m.Child(key).Bool(m.problems))
}

// Int takes a whole number from lowest to highest.
func (m *Map) Int(key string, lowest, highest int) At[int] {
	return absent(m, key, m.Child(key).Int(m.problems, lowest, highest))
}

// Bytes takes an amount of data above zero, as in 1MiB.
func (m *Map) Bytes(key string) At[int64] {
	return absent(m, key, m.Child(key).Bytes(m.problems))
}

// Duration takes a length of time above zero, as in 30s.
func (m *Map) Duration(key string) At[time.Duration] {
	return absent(m, key, m.Child(key).Duration(m.problems))
}

// Enum takes one of the names.
func (m *Map) Enum(key string, names ...string) At[string] {
	return absent(m, key, m.Child(key).Enum(m.problems, names...))
}

// Strings takes a list of text, or one text as a list of one; nil when the key is absent.
func (m *Map) Strings(key string) []At[string] {
	return m.Child(key).Strings(m.problems)
}

// List takes a list undecoded; a value that is no list counts as a list of one.
func (m *Map) List(key string) []*Node {
	return m.Child(key).List(m.problems)
}

// FileName takes the name of a file that need not exist.
func (m *Map) FileName(key string) At[string] {
	return absent(m, key, m.Child(key).FileName(m.problems))
}

// File takes the name of a file that must be there and readable.
func (m *Map) File(key string) At[string] {
	return absent(m, key, m.Child(key).File(m.problems))
}

// Authorities takes the name of a file with certificates in PEM, as of those who sign those of
// others.
func (m *Map) Authorities(key string) At[string] {
	return absent(m, key, m.Child(key).Authorities(m.problems))
}

// Secret takes a secret that must be recovered in clear, such as a bind password: { env: NAME }
// or { file: NAME }.
func (m *Map) Secret(key string) At[Secret] {
	return absent(m, key, m.Child(key).Secret(m.problems))
}

// Tokens takes one or several secrets of which the digest is enough: { env: NAME },
// { file: NAME } or { sha256: HEX }.
func (m *Map) Tokens(key string) []At[Secret] {
	return m.Child(key).Tokens(m.problems)
}
