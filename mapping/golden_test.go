package mapping

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postern/configs"
	"postern/connectors"
	"postern/scim"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden runs the translations in testdata. Each archive is read from top to
// bottom. The sections config, entry, refs and capabilities set the scene; those
// called patch, put, post, filter, project and problems (followed by a name of
// the case) do something, and the section want after each holds what comes out.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := scene{t: t, name: filepath.Base(file)}
			for i := 0; i < len(archive.Files); i++ {
				section := archive.Files[i]
				verb, name, _ := strings.Cut(section.Name, " ")
				got, acted := s.act(verb, section.Data)
				if !acted {
					continue
				}
				if i++; i >= len(archive.Files) || archive.Files[i].Name != "want" {
					t.Fatalf("no want after %s", section.Name)
				}
				want := &archive.Files[i]
				switch {
				case *update:
					want.Data = []byte(got)
				case got != string(want.Data):
					t.Errorf("%s %s\n got:\n%s\nwant:\n%s", verb, name, got, want.Data)
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A scene is what the cases of an archive have in common.
type scene struct {
	t     *testing.T
	name  string
	m     *Mapping
	entry connectors.Entry
	refs  Refs
	names Names
	shown Displays
	caps  connectors.Capabilities
}

func (s *scene) act(verb string, data []byte) (got string, acted bool) {
	s.t.Helper()
	switch verb {
	case "config", "problems":
		// The text is the node of one resource, its name on the first line.
		text := append([]byte("resources:\n"), indented(data)...)
		mappings, problems := compileText(s.t, s.name, text)
		if verb == "problems" {
			return problemText(problems), true
		}
		if problems.HasErrors() || len(mappings) != 1 {
			s.t.Fatalf("%d mappings, problems:\n%s", len(mappings), problems.Error())
		}
		for _, s.m = range mappings {
		}
	case "entry":
		s.entry = parseEntry(s.t, data)
		s.nameRefs()
	case "refs":
		s.refs = make(Refs)
		for line := range strings.Lines(string(data)) {
			id, target, ok := strings.Cut(strings.TrimSpace(line), " = ")
			if !ok {
				s.t.Fatalf("refs: %q", line)
			}
			first, others, _ := strings.Cut(target, " and ")
			ref := Referent{Target: parseTarget(s.t, first)}
			if others != "" {
				ref.Others = append(ref.Others, parseTarget(s.t, others))
			}
			s.refs[id] = ref
		}
		s.nameRefs()
	case "capabilities":
		s.caps = parseCapabilities(s.t, data)
	case "patch", "guarded":
		p, err := scim.DecodePatch(s.m.ResourceType(), data, scim.DecodeOptions{})
		if err != nil {
			return outcome(nil, err), true
		}
		needs := s.m.Needs(p)
		e := s.entry
		if needs.Blind {
			e = connectors.Entry{}
		}
		plan, err := s.m.Plan(e, p, s.refs)
		if err == nil && verb == "guarded" {
			plan = plan.Conditional(connectors.GuardValues, e)
		}
		return fmt.Sprintf("needs %v %v blind %v\n", needs.Want, needs.IDs, needs.Blind) + outcome(plan, err), true
	case "put":
		r, err := scim.DecodeResource(s.m.ResourceType(), data, scim.DecodeOptions{})
		if err != nil {
			return outcome(nil, err), true
		}
		plan, err := s.m.PlanReplace(s.entry, r, s.refs)
		return outcome(plan, err), true
	case "post":
		r, err := scim.DecodeResource(s.m.ResourceType(), data, scim.DecodeOptions{})
		if err != nil {
			return outcome(nil, err), true
		}
		d, err := s.m.Create(r, s.refs)
		return outcome(draftText(d), err), true
	case "texts":
		s.shown = make(Displays)
		for line := range strings.Lines(string(data)) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
			a, ok := s.m.ResourceType().Attribute(name)
			if !ok {
				s.t.Fatalf("texts: %q", line)
			}
			s.shown[a] = append(s.shown[a], text)
		}
	case "project":
		r := s.m.ProjectShown(s.entry, s.names, s.shown)
		return string(scim.AppendJSON(nil, r, scim.RenderOptions{BaseURL: "https://example.com/v2"})) + "\n", true
	case "schema":
		var b bytes.Buffer
		for _, a := range s.m.ResourceType().Attributes() {
			if a.Schema() != nil {
				describe(&b, "", a)
			}
		}
		return b.String(), true
	case "filter":
		var b strings.Builder
		for line := range strings.Lines(string(data)) {
			b.WriteString(s.lower(strings.TrimSpace(line)))
		}
		return b.String(), true
	default:
		s.t.Fatalf("no such section: %s", verb)
	}
	return "", false
}

func (s *scene) lower(text string) string {
	f, err := scim.ParseFilter(s.m.ResourceType(), text)
	if err != nil {
		return text + "\n  " + outcome(nil, err)
	}
	look := Lookup{Refs: s.refs, Anchors: func(c scim.Compare) ([]connectors.Anchor, bool) {
		if c.Value.Text() == "nobody" {
			return nil, true
		}
		return []connectors.Anchor{"a1"}, true
	}}
	cond, exact, err := s.m.Lower(f, s.caps, look)
	if err != nil {
		return text + "\n  " + outcome(nil, err)
	}
	kind := "inexact"
	if exact {
		kind = "exact"
	}
	refs := ""
	if ids := s.m.FilterRefs(f); len(ids) > 0 {
		refs = fmt.Sprintf(" resolves %v", ids)
	}
	return fmt.Sprintf("%s\n  %s: %s%s\n", text, kind, cond, refs)
}

// nameRefs gives every reference of the entry the id that refs knows it by.
func (s *scene) nameRefs() {
	s.names = make(Names)
	for _, f := range s.entry.Fields {
		for _, t := range f.Refs {
			id := ""
			for k, v := range s.refs {
				if v.Target == t || slices.Contains(v.Others, t) {
					id = max(id, k)
				}
			}
			s.names[f.Attr] = append(s.names[f.Attr], id)
		}
	}
}

func outcome(v any, err error) string {
	var refused *scim.Error
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("error %d %s: %s\n", refused.Status, refused.ScimType, refused.Detail)
	case err != nil:
		return "error " + err.Error() + "\n"
	}
	return fmt.Sprint(v)
}

func draftText(d Draft) string {
	var b strings.Builder
	fmt.Fprintf(&b, "named by %s\n", d.Name)
	if !d.Place.IsZero() {
		fmt.Fprintf(&b, "in %q with %q\n", d.Place.Text, d.Place.Values)
	}
	for _, f := range d.Fields {
		fmt.Fprintf(&b, "%s:", f.Attr)
		printValues(&b, "values", f.Values, nil)
		printValues(&b, "refs", nil, f.Refs)
		b.WriteByte('\n')
	}
	for _, path := range d.Ignored {
		fmt.Fprintf(&b, "ignored %s\n", path)
	}
	return b.String()
}

func problemText(problems configs.Problems) string {
	if len(problems) == 0 {
		return "none\n"
	}
	return problems.Error() + "\n"
}

func describe(b *bytes.Buffer, indent string, a *scim.Attribute) {
	fmt.Fprintf(b, "%s%s", indent, a.Name)
	for _, flag := range []struct {
		on   bool
		name string
	}{
		{a.MultiValued, "multiValued"}, {a.Required, "required"}, {a.CaseExact, "caseExact"},
		{a.Mutability == scim.ReadOnly, "readOnly"}, {a.Mutability == scim.Immutable, "immutable"},
		{a.Mutability == scim.WriteOnly, "writeOnly"}, {a.Returned == scim.ReturnedNever, "never"},
		{a.Returned == scim.ReturnedRequest, "request"}, {a.Returned == scim.ReturnedAlways, "always"},
		{a.Uniqueness == scim.UniqueServer, "unique"}, {a.Closed, "closed"},
	} {
		if flag.on {
			b.WriteString(" " + flag.name)
		}
	}
	if len(a.Canonical) > 0 {
		fmt.Fprintf(b, " %q", a.Canonical)
	}
	if len(a.ReferenceTypes) > 0 {
		fmt.Fprintf(b, " refers to %q", a.ReferenceTypes)
	}
	b.WriteByte('\n')
	for _, sub := range a.Sub {
		describe(b, indent+"  ", sub)
	}
}

func indented(data []byte) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(string(data)) {
		b.WriteString("  " + line)
	}
	return b.Bytes()
}

// parseEntry reads lines "attr: value", "attr> Collection/anchor" and "attr
// partial". A value in quotes is a Go string.
func parseEntry(t testing.TB, data []byte) connectors.Entry {
	t.Helper()
	e := connectors.Entry{Anchor: "anchor", Stamp: "stamp"}
	field := func(a string) *connectors.Field {
		for i := range e.Fields {
			if e.Fields[i].Attr == connectors.Attr(a) {
				return &e.Fields[i]
			}
		}
		e.Fields = append(e.Fields, connectors.Field{Attr: connectors.Attr(a)})
		return &e.Fields[len(e.Fields)-1]
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if attr, target, ok := strings.Cut(line, "> "); ok && !strings.Contains(attr, ":") {
			f := field(attr)
			f.Refs = append(f.Refs, parseTarget(t, target))
		} else if attr, ok := strings.CutSuffix(line, " partial"); ok {
			field(attr).Partial = true
		} else if attr, value, ok := strings.Cut(line, ": "); ok {
			if strings.HasPrefix(value, `"`) {
				var err error
				if value, err = strconv.Unquote(value); err != nil {
					t.Fatalf("entry: %q: %v", line, err)
				}
			}
			f := field(attr)
			f.Values = append(f.Values, connectors.Value(value))
		} else {
			t.Fatalf("entry: %q", line)
		}
	}
	return e
}

func parseTarget(t testing.TB, s string) connectors.Target {
	t.Helper()
	collection, anchor, ok := strings.Cut(s, "/")
	if !ok {
		t.Fatalf("target %q", s)
	}
	return connectors.Target{Collection: collection, Anchor: connectors.Anchor(anchor)}
}

// parseCapabilities reads a line "without" with kinds of conditions, lines of an
// attribute with its matching, or that there is no schema.
func parseCapabilities(t testing.TB, data []byte) connectors.Capabilities {
	t.Helper()
	kinds := map[string]connectors.CondKind{"and": connectors.CondAnd, "or": connectors.CondOr, "not": connectors.CondNot,
		"equal": connectors.CondEqual, "present": connectors.CondPresent, "substring": connectors.CondSubstring,
		"bits": connectors.CondBits, "refTo": connectors.CondRefTo, "anchorIn": connectors.CondAnchorIn}
	rules := map[string]connectors.Rule{"unknown": connectors.RuleUnknown, "exact": connectors.RuleExact,
		"ignoreCase": connectors.RuleIgnoreCase, "integer": connectors.RuleInteger, "boolean": connectors.RuleBoolean,
		"time": connectors.RuleTime, "octets": connectors.RuleOctets, "reference": connectors.RuleReference, "other": connectors.RuleOther,
		"phone": connectors.RulePhone, "numeric": connectors.RuleNumeric}
	c := connectors.Capabilities{Conds: connectors.AllConds, Matching: make(map[connectors.Attr]connectors.Matching)}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if line == "no schema\n" {
			c.Matching = nil
			continue
		}
		if words[0] == "without" {
			for _, w := range words[1:] {
				c.Conds &^= kinds[w]
			}
			continue
		}
		rule, ok := rules[words[1]]
		if !ok {
			t.Fatalf("capabilities: %q", line)
		}
		m := connectors.Matching{Rule: rule}
		for _, w := range words[2:] {
			switch w {
			case "squeezes":
				m.Squeezes = true
			case "loose":
				m.Loose = true
			case "composes":
				m.Composes = true
			case "ascii":
				m.Alphabet = connectors.ASCII
			case "printable":
				m.Alphabet = connectors.Printable
			case "unsearchable":
				m.Unsearchable = true
			case "ordering":
				m.Ordering = true
			case "substring":
				m.Substring = true
			case "single":
				m.SingleValue = true
			default:
				t.Fatalf("capabilities: %q", line)
			}
		}
		c.Matching[connectors.Attr(strings.ToLower(words[0]))] = m
	}
	return c
}
