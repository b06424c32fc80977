package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong in a configuration: where, at which path of the tree, what, and
// what to do about it. A warning does not keep the program from starting.
type Problem struct {
	Pos
	Path    string
	Message string
	Hint    string
	Warning bool
	Secret  bool // a secret that is named is not there now; who does not need it can do without
}

func problemAt(pos Pos, path, format string, args ...any) Problem {
	return Problem{Pos: pos, Path: path, Message: fmt.Sprintf(format, args...)}
}

// WithHint gives the problem with advice on how to mend it.
func (p Problem) WithHint(format string, args ...any) Problem {
	p.Hint = fmt.Sprintf(format, args...)
	return p
}

// Near gives the problem with a hint that names the entry of known nearest to name. When none
// is near, the hint lists them all if they are few, and is left alone otherwise.
func (p Problem) Near(name string, known []string) Problem {
	if near := Nearest(name, known); near != "" {
		return p.WithHint("did you mean %q?", near)
	}
	if len(known) > 0 && len(known) <= 12 {
		return p.WithHint("known here: %s", strings.Join(known, ", "))
	}
	return p
}

// AsWarning gives the problem as a warning.
func (p Problem) AsWarning() Problem {
	p.Warning = true
	return p
}

// String gives file:line:col: path: message; hint.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Pos.String())
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; ")
		b.WriteString(p.Hint)
	}
	return b.String()
}

// Problems collects what is wrong with a configuration. The zero value is ready to use.
type Problems []Problem

// Add appends problems.
func (ps *Problems) Add(more ...Problem) {
	*ps = append(*ps, more...)
}

// Sorted gives the problems by file, line, column, path and message, each once.
func (ps Problems) Sorted() Problems {
	out := slices.Clone(ps)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Hint, b.Hint),
		)
	})
	return slices.Compact(out)
}

// HasErrors tells whether there is a problem that is more than a warning.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// Err gives the problems as an error when one of them is more than a warning, else nil.
func (ps Problems) Err() error {
	if ps.HasErrors() {
		return ps
	}
	return nil
}

// Error gives the sorted problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, 0, len(ps))
	for _, p := range ps.Sorted() {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}
