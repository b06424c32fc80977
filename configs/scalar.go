package configs

import (
	"crypto/x509"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// at wraps a value with the node's place.
func at[T any](n *Node, v T) At[T] {
	return At[T]{Value: v, Pos: n.pos, Path: n.Path(), Set: true}
}

// scalar tells whether n is a single value that can be decoded, and reports it if it is not.
func (n *Node) scalar(ps *Problems, want string) bool {
	switch {
	case n.broken:
		return false
	case n.kind == Null:
		ps.Add(n.Problem("has no value").WithHint("give it %s or remove the key", want))
		return false
	case n.kind != Scalar:
		p := n.Problem("must be %s, not %s", want, n.kind)
		if n.bareBraces() {
			p = p.WithHint("text that begins with { needs quotes: \"{%s}\"", n.entries[0].key)
		}
		ps.Add(p)
		return false
	}
	return true
}

// bareBraces tells whether n looks like a template that lacks its quotes: {userName} is a map
// with one key and no value.
func (n *Node) bareBraces() bool {
	return n.kind == Mapping && len(n.entries) == 1 && n.entries[0].value.kind == Null
}

// Text decodes any single value as it is written, numbers and booleans included; it may be
// empty text in quotes.
func (n *Node) Text(ps *Problems) At[string] {
	if n == nil {
		return At[string]{}
	}
	if !n.scalar(ps, "text") {
		return at(n, "")
	}
	return at(n, n.text)
}

// String decodes text that is not empty. A number or a boolean is a problem unless it is quoted.
func (n *Node) String(ps *Problems) At[string] {
	if n == nil {
		return At[string]{}
	}
	switch {
	case !n.scalar(ps, "text"):
		return at(n, "")
	case n.typ != typeText:
		ps.Add(n.Problem("must be text, not %s", n.typ).WithHint("put it in quotes: %q", n.text))
		return at(n, "")
	case n.text == "":
		ps.Add(n.Problem("is empty").WithHint("give it text or remove the key"))
	}
	return at(n, n.text)
}

// Bool decodes true or false.
func (n *Node) Bool(ps *Problems) At[bool] {
	if n == nil {
		return At[bool]{}
	}
	if !n.scalar(ps, "true or false") {
		return at(n, false)
	}
	if n.typ == typeBool {
		return at(n, strings.EqualFold(n.text, "true"))
	}
	p := n.Problem("must be true or false, not %q", n.text)
	switch strings.ToLower(n.text) {
	case "true", "false":
		p = p.WithHint("write it without quotes")
	case "yes", "on", "y", "1":
		p = p.WithHint("write true")
	case "no", "off", "n", "0":
		p = p.WithHint("write false")
	}
	ps.Add(p)
	return at(n, false)
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// Int decodes a decimal number from lowest to highest.
func (n *Node) Int(ps *Problems, lowest, highest int) At[int] {
	if n == nil {
		return At[int]{}
	}
	if !n.scalar(ps, "a number") {
		return at(n, 0)
	}
	if n.typ == typeText || !decimal.MatchString(n.text) {
		p := n.Problem("must be a whole decimal number, not %q", n.text)
		if decimal.MatchString(n.text) {
			p = p.WithHint("write it without quotes")
		}
		ps.Add(p)
		return at(n, 0)
	}
	v, err := strconv.Atoi(n.text)
	if err != nil || v < lowest || v > highest {
		ps.Add(n.Problem("must be from %d to %d, not %s", lowest, highest, n.text))
		return at(n, 0)
	}
	return at(n, v)
}

var byteSize = regexp.MustCompile(`^([1-9][0-9]{0,8}) ?(|KiB|MiB|GiB)$`)

func byteShift(unit string) int {
	switch unit {
	case "KiB":
		return 10
	case "MiB":
		return 20
	case "GiB":
		return 30
	default:
		return 0
	}
}

// Bytes decodes an amount of data above zero, as in 65536, 64KiB or 1MiB.
func (n *Node) Bytes(ps *Problems) At[int64] {
	if n == nil {
		return At[int64]{}
	}
	if !n.scalar(ps, "a size such as 1MiB") {
		return at(n, int64(0))
	}
	if parts := byteSize.FindStringSubmatch(n.text); parts != nil {
		if v, err := strconv.ParseInt(parts[1], 10, 64); err == nil {
			return at(n, v<<byteShift(parts[2]))
		}
	}
	ps.Add(n.Problem("must be a size, not %q", n.text).WithHint("as in 64KiB or 1MiB"))
	return at(n, int64(0))
}

// Duration decodes a length of time above zero, as in 500ms, 30s, 2m or 1h30m.
func (n *Node) Duration(ps *Problems) At[time.Duration] {
	if n == nil {
		return At[time.Duration]{}
	}
	if !n.scalar(ps, "a time such as 30s") {
		return at(n, time.Duration(0))
	}
	v, err := time.ParseDuration(n.text)
	switch {
	case decimal.MatchString(n.text):
		ps.Add(n.Problem("%q lacks a unit of time", n.text).WithHint("write %ss for seconds", n.text))
		return at(n, time.Duration(0))
	case err != nil:
		ps.Add(n.Problem("must be a length of time, not %q", n.text).WithHint("as in 500ms, 30s, 2m or 1h30m"))
		return at(n, time.Duration(0))
	case v <= 0:
		ps.Add(n.Problem("must be more than no time, not %q", n.text))
		return at(n, time.Duration(0))
	}
	return at(n, v)
}

// Enum decodes one of the names, spelled exactly.
func (n *Node) Enum(ps *Problems, names ...string) At[string] {
	if n == nil {
		return At[string]{}
	}
	if !n.scalar(ps, "one of "+strings.Join(names, ", ")) {
		return at(n, "")
	}
	for _, name := range names {
		if n.text == name {
			return at(n, name)
		}
	}
	p := n.Problem("must be one of %s, not %q", strings.Join(names, ", "), n.text)
	if near := Nearest(n.text, names); near != "" {
		p = p.WithHint("did you mean %q?", near)
	}
	ps.Add(p)
	return at(n, "")
}

// List gives the items of a list, or a single value or map as a list of one. A list without
// items is a problem.
func (n *Node) List(ps *Problems) []*Node {
	switch {
	case n == nil || n.broken:
		return nil
	case n.kind == List:
		if len(n.items) == 0 {
			ps.Add(n.Problem("is an empty list").WithHint("give it an item or remove the key"))
		}
		return n.items
	case n.kind == Null:
		ps.Add(n.Problem("has no value").WithHint("give it a list or remove the key"))
		return nil
	}
	return []*Node{n}
}

// Strings decodes a list of text, or one text as a list of one.
func (n *Node) Strings(ps *Problems) []At[string] {
	var out []At[string]
	for _, item := range n.List(ps) {
		if s := item.String(ps); s.Value != "" {
			out = append(out, s)
		}
	}
	return out
}

// Values gives the bare values.
func Values[T any](list []At[T]) []T {
	out := make([]T, len(list))
	for i, a := range list {
		out[i] = a.Value
	}
	return out
}

// FileName decodes the name of a file that need not exist. A relative name is relative to the
// folder of the configuration file that it is written in.
func (n *Node) FileName(ps *Problems) At[string] {
	a := n.String(ps)
	if a.Value != "" {
		a.Value = resolve(a.Pos, a.Value)
	}
	return a
}

// File decodes the name of a file that must be there and readable; see FileName.
func (n *Node) File(ps *Problems) At[string] {
	a, _ := n.content(ps)
	return a
}

// Authorities decodes the name of a file with certificates in PEM; see FileName.
func (n *Node) Authorities(ps *Problems) At[string] {
	a, data := n.content(ps)
	if data != nil && !x509.NewCertPool().AppendCertsFromPEM(data) {
		ps.Add(a.Problem("the file %q holds no PEM certificate", a.Value).
			WithHint("it begins with -----BEGIN CERTIFICATE-----; a file in DER can be turned into one by openssl x509 -inform der"))
	}
	return a
}

// content decodes the name of a file and reads it; nil is one that can not be read.
func (n *Node) content(ps *Problems) (At[string], []byte) {
	a := n.FileName(ps)
	if a.Value == "" {
		return a, nil
	}
	data, problem := readFile(a.Value)
	if problem != "" {
		ps.Add(a.Problem("the file %q: %s", a.Value, problem).
			WithHint("relative names begin at the folder of the configuration file"))
		return a, nil
	}
	return a, data
}
