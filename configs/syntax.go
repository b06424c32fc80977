package configs

import (
	"bytes"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// syntaxProblem places a parser's error. The parser names the line at which the surrounding
// construct begins, or the line before the fault, or none; so the text is parsed once more from
// a reader that gives out one byte at a time, and the fault is in the line that the parser was
// reading when it gave up.
func syntaxProblem(name string, data []byte, err error) Problem {
	message := parserPrefix.ReplaceAllString(err.Error(), "")
	lines := upToText(consumedLines(data))
	last := lines[len(lines)-1]
	if strings.HasPrefix(message, "could not find expected ':'") && strings.Contains(last, ":") && len(lines) > 1 {
		// The key without a colon is noticed at the next one.
		lines = upToText(lines[:len(lines)-1])
		last = lines[len(lines)-1]
	}
	indent := len(last) - len(strings.TrimLeft(last, " \t"))
	pos := Pos{File: name, Line: len(lines), Col: indent + 1}
	if tab := strings.IndexByte(last[:indent], '\t'); tab >= 0 {
		pos.Col = tab + 1
		return problemAt(pos, "", "a tab is used for indentation").WithHint("YAML indents with spaces")
	}
	return problemAt(pos, "", "not YAML: %s", message).WithHint("%s", syntaxHint(message))
}

// upToText cuts empty lines and comments from the end of lines; one line always stays.
func upToText(lines []string) []string {
	for len(lines) > 1 {
		if text := strings.TrimSpace(lines[len(lines)-1]); text != "" && text[0] != '#' {
			break
		}
		lines = lines[:len(lines)-1]
	}
	return lines
}

var parserPrefix = regexp.MustCompile(`^yaml: (line \d+: )?`)

// syntaxHint says what most often is behind a parser's message.
func syntaxHint(message string) string {
	switch {
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return "text that holds \": \" needs quotes, and a key stands under the keys it belongs to"
	case strings.HasPrefix(message, "found character that cannot start any token"):
		return "text that begins with @, % or ` needs quotes"
	case strings.HasPrefix(message, "did not find expected alphabetic or numeric character"),
		strings.HasPrefix(message, "unknown anchor"):
		return "text that begins with * or & needs quotes"
	case strings.HasPrefix(message, "did not find expected key"), strings.HasPrefix(message, "did not find expected '-'"):
		return "is the line indented as its neighbours are?"
	case strings.HasPrefix(message, "found unexpected end of stream"):
		return "a quote is not closed"
	case strings.HasPrefix(message, "could not find expected ':'"):
		return "a key is followed by a colon and a space"
	default:
		return ""
	}
}

// consumedLines gives the lines that the parser reads before it fails, the last as far as it
// stands in the file.
func consumedLines(data []byte) []string {
	r := &dribble{data: data}
	decoder := yaml.NewDecoder(r)
	for {
		var n yaml.Node
		if decoder.Decode(&n) != nil {
			break
		}
	}
	end := r.read
	for end > 0 && (data[end-1] == ' ' || data[end-1] == '\r' || data[end-1] == '\n') {
		end--
	}
	for end < len(data) && data[end] != '\n' && data[end] != '\r' {
		end++
	}
	text := strings.ReplaceAll(string(data[:end]), "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
}

// dribble gives out its data byte by byte and knows how much is gone.
type dribble struct {
	data []byte
	read int
}

func (d *dribble) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := bytes.NewReader(d.data[d.read:]).Read(p[:1])
	d.read += n
	return n, err
}
