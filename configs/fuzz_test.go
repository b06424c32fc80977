package configs

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkPlaces holds that where a value is said to stand, there it stands.
func checkPlaces(t *testing.T, n *Node, lines [][]byte) {
	if n.kind == Scalar && n.text != "" {
		line := []rune(string(lines[n.pos.Line-1]))
		rest := string(line[n.pos.Col-1:])
		word, _, _ := strings.Cut(n.text, " ")
		word, _, _ = strings.Cut(word, "\n")
		if !strings.HasPrefix(rest, word) && !strings.ContainsAny(rest[:1], `"'|>!&`) {
			t.Errorf("%s: %q is not %q", n.pos, rest, n.text)
		}
	}
	for _, item := range n.items {
		checkPlaces(t, item, lines)
	}
	for _, e := range n.entries {
		checkPlaces(t, e.value, lines)
	}
}

// FuzzParse holds that nothing makes the reader panic, and that every value and every problem
// stands where it is said to stand.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"active-directory.yaml", "demo.yaml"} {
		data, err := Sample(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("base: {x}\nflag: yes\nnumber: 010\nwait: 5\nsize: 1MB\nids: pair\nsecret: x\ntokens: [{env: A, sha256: b}]\nmap: {a: {atr: b}}\n"))
	f.Add([]byte("a: &x [*x]\n<<: *x\n? [b]\n: c\n--- !t\n..."))
	f.Add([]byte("a:\n\t- b\r- c\r\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			t.Skip()
		}
		root, problems := Parse("f", data)
		if root == nil && !problems.HasErrors() {
			t.Error("neither a tree nor a problem")
		}
		text := bytes.TrimPrefix(data, byteOrderMark)
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
		lines := bytes.Split(text, []byte("\n"))
		if root != nil {
			decode(root, &problems)
			checkPlaces(t, root, lines)
		}
		for _, p := range problems {
			if p.Line == 0 {
				continue
			}
			if p.Line < 1 || p.Line > len(lines) {
				t.Errorf("%s: the text has %d lines", p, len(lines))
			} else if p.Col < 1 || p.Col > utf8.RuneCount(lines[p.Line-1])+1 {
				t.Errorf("%s: the line has %d characters", p, utf8.RuneCount(lines[p.Line-1]))
			}
			if p.Message == "" {
				t.Errorf("%s: says nothing", p.Pos)
			}
		}
		if sorted := problems.Sorted(); !slices.Equal(sorted, sorted.Sorted()) {
			t.Error("sorting twice changes the order")
		}
	})
}
