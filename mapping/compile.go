package mapping

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// Compile checks a Spec against the complete resource type and makes the
// mapping of it. It finds every mistake at once; the mapping is nil when one of
// the problems is more than a warning.
func Compile(s Spec, full *scim.ResourceType) (*Mapping, configs.Problems) {
	c := &compiler{spec: s, full: full, spelled: make(map[string]connectors.Attr)}
	for i := range s.Rules {
		c.line(&s.Rules[i])
	}
	c.passwords()
	c.oneWriter()
	c.elements()
	c.naming()
	c.place()
	c.fallbacks()
	c.constants()
	c.derived()
	c.required()
	if c.problems.HasErrors() {
		return nil, c.problems.Sorted()
	}
	m := c.build()
	if c.problems.HasErrors() {
		return nil, c.problems.Sorted()
	}
	return m, c.problems.Sorted()
}

// compiler is a Spec on its way to a Mapping.
type compiler struct {
	spec  Spec
	full  *scim.ResourceType
	lines []*line
	// misspelled are the left sides that mean nothing.
	misspelled  []string
	spelled     map[string]connectors.Attr // how an attribute is spelled where it comes first
	name        naming
	named       bool
	nameText    []segment
	placeText   *placeText
	derivedText []derivedText
	problems    configs.Problems
}

func (c *compiler) add(p configs.Problem) { c.problems.Add(p) }

// spelling gives every mention of one attribute the same letters.
func (c *compiler) spelling(a connectors.Attr) connectors.Attr {
	if first, ok := c.spelled[fold(a)]; ok {
		return first
	}
	c.spelled[fold(a)] = a
	return a
}

// attributeDescription is RFC 4512 §2.5: a name or an OID, and options.
var attributeDescription = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-2](\.(0|[1-9][0-9]*))+)(;[A-Za-z0-9-]+)*$`)

// spelledRight refuses what can not be the name of an attribute: neither an
// attribute description nor a JSON Pointer (RFC 6901).
func (c *compiler) spelledRight(at configs.At[string]) {
	if at.Value != "" && !isPointer(connectors.Attr(at.Value)) && !attributeDescription.MatchString(at.Value) {
		c.add(at.Problem("%q is not the name of an attribute", at.Value))
	}
}

// fold is what two spellings of an attribute have in common: LDAP's names are
// without case (RFC 4512 §2.5), JSON Pointers are not.
func fold(a connectors.Attr) string {
	if isPointer(a) {
		return string(a)
	}
	return strings.ToLower(string(a))
}

// oneWriter refuses two rules that would both write one attribute.
func (c *compiler) oneWriter() {
	writers := make(map[connectors.Attr][]*line)
	for _, l := range c.lines {
		if l.write == writeNever || l.attr == "" {
			continue
		}
		if i := slices.IndexFunc(writers[l.attr], func(o *line) bool { return !share(l.state, o.state) }); i >= 0 {
			c.add(l.spec.Attr.Problem("%q is written by the rule for %s already", l.attr, writers[l.attr][i].spec.Path.Value).
				WithHint("write: never on one of the two"))
			continue
		}
		writers[l.attr] = append(writers[l.attr], l)
	}
}

// share reports whether two states each mind a part of their own of an attribute.
func share(a, b state) bool {
	f, one := a.(adFlag)
	g, two := b.(adFlag)
	_, off := a.(ppolicyLocked)
	_, out := b.(ppolicyLockedOut)
	if off && out || one && two && f.mask != g.mask {
		return true
	}
	_, out = a.(ppolicyLockedOut)
	_, off = b.(ppolicyLocked)
	return off && out
}

// elements checks what several rules for one multi-valued attribute share.
func (c *compiler) elements() {
	primaries := make(map[*scim.Attribute]*line)
	for _, l := range c.lines {
		if !l.primary {
			continue
		}
		if first, ok := primaries[l.path.Attr]; ok && first.group != l.group {
			c.add(l.spec.Path.Problem("%s is primary already", first.spec.Path.Value).WithHint("at most one element is (RFC 7643 §2.4)"))
			continue
		}
		primaries[l.path.Attr] = l
	}
	groups := make(map[string]*line)
	refs := make(map[connectors.Attr]*line)
	returned := make(map[*scim.Attribute]*line)
	for i, l := range c.lines {
		for _, first := range c.lines[:i] {
			if first.path.Attr == l.path.Attr && (len(first.spec.Refs) > 0 || len(l.spec.Refs) > 0) {
				c.add(l.spec.Path.Problem("a reference is mapped as a whole, and %s maps it too", first.spec.Path.Value))
				break
			}
		}
		if at := l.spec.Returned; at.Set && l.path.Attr.MultiValued {
			if first, ok := returned[l.path.Attr]; ok && first.spec.Returned.Value != at.Value {
				c.add(at.Problem("elements are returned together, and %s says %s", first.spec.Path.Value, first.spec.Returned.Value))
			}
			returned[l.path.Attr] = l
		}
		if first, ok := groups[l.group]; ok && l.path.Attr.MultiValued && (first.multi || l.multi) {
			c.add(l.spec.Path.Problem("it would be part of the element that %s makes, of which there are several", first.spec.Path.Value))
		}
		groups[l.group] = l
		if first, ok := refs[l.attr]; ok && (len(first.spec.Refs) > 0) != (len(l.spec.Refs) > 0) {
			c.add(l.spec.Attr.Problem("%q is a reference in the rule for %s", l.attr, first.spec.Path.Value))
		}
		refs[l.attr] = l
	}
}

// constants checks the attributes that every new object gets.
func (c *compiler) constants() {
	for _, k := range c.spec.Constants {
		attr := c.spelling(connectors.Attr(k.Attr.Value))
		c.spelledRight(k.Attr)
		for _, l := range c.lines {
			if l.attr == attr && l.write != writeNever {
				c.add(k.Attr.Problem("%q is written by the rule for %s", attr, l.spec.Path.Value).WithHint("give that rule a default"))
				break
			}
		}
		if c.named && c.name.attr == attr {
			c.add(k.Attr.Problem("%q is written by the name", attr))
		}
		for _, v := range k.Values {
			if v.Value == "" {
				c.add(v.Problem("is empty, and an empty value is none"))
			}
		}
	}
}

// required refuses a mapping without what the schemas demand. An extension
// without any rule is left out altogether, unless it is required.
func (c *compiler) required() {
	if len(c.spec.Rules) == 0 {
		return
	}
	mapped := func(ok func(*line) bool) bool { return slices.ContainsFunc(c.lines, ok) }
	used := func(s *scim.Schema) bool {
		return s == c.full.Schema || mapped(func(l *line) bool { return l.path.Attr.Schema() == s })
	}
	misspelt := func(path string) bool {
		for i := range c.spec.Rules {
			rule := &c.spec.Rules[i]
			understood := mapped(func(l *line) bool { return l.spec == rule })
			if !understood && (strings.EqualFold(rule.Path.Value, path) || configs.Nearest(rule.Path.Value, []string{path}) != "") {
				return true
			}
		}
		return false
	}
	demand := func(path string) {
		if !misspelt(path) {
			c.add(c.spec.At.Problem("%s is required and not mapped", path))
		}
	}
	for _, attr := range c.full.Attributes() {
		if attr.Schema() == nil || attr.Mutability == scim.ReadOnly || !used(attr.Schema()) {
			continue
		}
		if !mapped(func(l *line) bool { return l.path.Attr == attr }) {
			if attr.Required {
				demand(scim.AttrPath{Attr: attr}.String())
			}
			continue
		}
		for _, sub := range attr.Sub {
			if sub.Required && sub.Mutability != scim.ReadOnly && !mapped(func(l *line) bool { return l.path.Attr == attr && l.holds(sub) }) {
				demand(subPath(attr, sub))
			}
		}
	}
	for _, x := range c.full.Extensions {
		if x.Required && !used(x.Schema) {
			c.add(c.spec.At.Problem("the extension %s is required, and no rule maps any of it", x.Schema.ID))
		}
	}
}

// holds reports whether an element that the line makes has the sub-attribute.
func (l *line) holds(sub *scim.Attribute) bool {
	return l.leaf == sub || len(l.spec.Refs) > 0 && (sub.Name == "$ref" || sub.Name == "type") ||
		slices.ContainsFunc(l.constants, func(f scim.Field) bool { return f.Attr == sub })
}

func (c *compiler) knownPaths() []string {
	var known []string
	for _, attr := range c.full.Attributes() {
		known = append(known, scim.AttrPath{Attr: attr}.String())
		for _, sub := range attr.Sub {
			known = append(known, subPath(attr, sub))
		}
	}
	return known
}

// digest is the hash of what the mapping shows: another mapping of the same
// object is another version.
func (c *compiler) digest() [32]byte {
	var shown []string
	for _, l := range c.lines {
		if l.unread {
			continue
		}
		s := fmt.Sprintf("%q %q %q %v %v %q", l.key, l.attr, l.codecName, l.multi, l.primary, configs.Values(l.spec.Refs))
		for _, told := range []configs.At[string]{l.spec.Suffix, l.spec.Role} {
			if told.Set {
				s += fmt.Sprintf(" told %q", told.Value)
			}
		}
		for _, row := range l.spec.Values {
			s += fmt.Sprintf(" %q=%q", row.Backend.Value, row.Scim.Value)
		}
		shown = append(shown, s)
	}
	slices.Sort(shown)
	return sha256.Sum256([]byte(c.full.Name + "\n" + strings.Join(shown, "\n")))
}
