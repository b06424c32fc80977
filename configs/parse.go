package configs

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// deepest bounds the nesting of a configuration.
const deepest = 64

var byteOrderMark = []byte("\ufeff")

// Parse parses the content of a file; name is the file's, for positions and for relative file
// names. The node is nil when the text is not YAML at all; otherwise it holds whatever could be
// understood, so that the rest can still be checked.
func Parse(name string, data []byte) (*Node, Problems) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if problem, bad := unreadable(name, data); bad {
		return nil, Problems{problem}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil, Problems{problemAt(Pos{File: name}, "", "the file holds no configuration")}
	case err != nil:
		return nil, Problems{syntaxProblem(name, data, err)}
	}
	b := builder{file: name}
	root := b.build(&Node{}, document.Content[0], 0)
	if root.kind == Null {
		return nil, Problems{problemAt(Pos{File: name}, "", "the file holds no configuration")}
	}

	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		b.problems.Add(syntaxProblem(name, data, err))
	default:
		b.problems.Add(problemAt(b.pos(&second), "", "a second YAML document begins here").
			WithHint("a configuration is one document: remove the line ---"))
	}
	return root, b.problems.Sorted()
}

// unreadable finds what keeps a text from being YAML and is better said in our own words: bytes
// that are not UTF-8, control characters, and the line separators that YAML counts as line ends
// and editors do not.
func unreadable(name string, data []byte) (Problem, bool) {
	line, col := 1, 0
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		col++
		pos := Pos{File: name, Line: line, Col: col}
		switch {
		case r == utf8.RuneError && size == 1:
			return problemAt(pos, "", "the byte 0x%02X is not UTF-8", rest[0]).
				WithHint("save the file as UTF-8"), true
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7F && r < 0xA0, r == '\u2028', r == '\u2029', r == '\ufeff':
			return problemAt(pos, "", "the invisible character U+%04X is not allowed", r).
				WithHint("in quotes it can be written as \\u%04X", r), true
		case r == '\n', r == '\r' && (len(rest) == 1 || rest[1] != '\n'):
			line, col = line+1, 0
		}
		rest = rest[size:]
	}
	return Problem{}, false
}

// builder turns the parser's tree into ours and refuses what a configuration has no use for:
// anchors, aliases, merge keys, tags, keys that are not plain words, keys written twice.
type builder struct {
	file     string
	problems Problems
}

func (b *builder) pos(n *yaml.Node) Pos {
	return Pos{File: b.file, Line: n.Line, Col: n.Column}
}

// build fills n, whose place in the tree is already set, from y.
func (b *builder) build(n *Node, y *yaml.Node, depth int) *Node {
	n.pos = b.pos(y)
	if depth > deepest {
		n.broken = true
		b.problems.Add(problemAt(n.pos, "", "the value is nested more than %d deep", deepest))
		return n
	}
	if y.Anchor != "" {
		b.problems.Add(n.Problem("the anchor &%s is not allowed", y.Anchor).WithHint("text that begins with & needs quotes"))
	}
	if y.Style&yaml.TaggedStyle != 0 {
		b.problems.Add(n.Problem("the tag %s is not allowed", y.Tag).WithHint("text that begins with ! needs quotes"))
	}
	switch y.Kind {
	case yaml.ScalarNode:
		b.scalar(n, y)
	case yaml.SequenceNode:
		n.kind = List
		for i, item := range y.Content {
			n.items = append(n.items, b.build(&Node{parent: n, index: i}, item, depth+1))
		}
	case yaml.MappingNode:
		b.mapping(n, y, depth)
	case yaml.AliasNode:
		n.broken = true
		b.problems.Add(n.Problem("the alias *%s is not allowed", y.Value).WithHint("write the value out; text that begins with * needs quotes"))
	}
	return n
}

func (b *builder) scalar(n *Node, y *yaml.Node) {
	n.kind, n.text = Scalar, y.Value
	if y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return
	}
	switch y.ShortTag() {
	case "!!null":
		n.kind = Null
	case "!!bool":
		n.typ = typeBool
	case "!!int":
		n.typ = typeInt
	case "!!float":
		n.typ = typeFloat
	}
}

func (b *builder) mapping(n *Node, y *yaml.Node, depth int) {
	n.kind = Mapping
	n.byKey = make(map[string]*entry, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, pos := y.Content[i], b.pos(y.Content[i])
		at := func(format string, args ...any) Problem { return problemAt(pos, n.Path(), format, args...) }
		switch {
		case key.Kind != yaml.ScalarNode:
			b.problems.Add(at("a key must be text").WithHint("put the key in quotes; text that begins with *, [ or { needs them"))
			continue
		case key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
			b.problems.Add(at("the key %q has an anchor or a tag, which is not allowed", key.Value))
			continue
		case key.Tag == "!!merge":
			b.problems.Add(at("the merge key << is not allowed").WithHint("write the keys out"))
			continue
		case key.Value == "":
			b.problems.Add(at("a key is empty"))
			continue
		}
		if first, twice := n.byKey[key.Value]; twice {
			b.problems.Add(problemAt(pos, joinPath(n.Path(), key.Value), "is written twice").
				WithHint("it is first written in line %d", first.pos.Line))
			continue
		}
		e := &entry{key: key.Value, pos: pos}
		e.value = b.build(&Node{parent: n, name: key.Value}, y.Content[i+1], depth+1)
		n.entries = append(n.entries, e)
		n.byKey[key.Value] = e
	}
}
