package mapping

import (
	"fmt"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// naming is how an object is named among its siblings. A backend whose objects
// have no such name leaves attr empty.
type naming struct {
	pos      configs.Pos
	attr     connectors.Attr
	slot     int
	template template
	rule     *rule // the rule that writes the very same value, if there is one
	numbers  bool  // a name that is taken gets a number
}

// naming checks the template that names new objects: "CN={displayName}".
func (c *compiler) naming() {
	s := c.spec.Name
	if l := c.namesItself(); !s.Set && l != nil && !c.writesEntries() {
		c.named = true
		c.name = naming{pos: l.spec.Attr.Pos, attr: l.attr}
		c.nameText = []segment{{path: l.spec.Path.Value}}
		return
	}
	if !s.Set {
		if c.writesEntries() {
			c.add(c.spec.At.Problem("%q is missing", "name").WithHint("how a new entry is called, as in name: CN={displayName}"))
		}
		c.named = slices.ContainsFunc(c.lines, func(l *line) bool { return l.write != writeNever })
		return
	}
	if s.Value == "" {
		return
	}
	c.named = true
	attr, value, ok := strings.Cut(s.Value, "=")
	if attr = strings.TrimSpace(attr); !ok || attr == "" || !attributeDescription.MatchString(attr) {
		c.add(s.Problem("must be an attribute, =, and a value").WithHint("as in CN={displayName}"))
		return
	}
	c.name = naming{pos: s.Pos, attr: c.spelling(connectors.Attr(attr)), numbers: c.spec.Collision.Value == collisionNumber}
	segments, err := parseTemplate(value)
	if err != nil {
		c.add(s.Problem("%v", err))
		return
	}
	c.nameText = segments
	inputs := c.inputs(s, segments)
	if len(inputs) == 0 && !slices.ContainsFunc(segments, func(g segment) bool { return g.path != "" }) {
		c.add(s.Problem("every object would have the same name").WithHint("put an attribute in braces, as in CN={displayName}"))
	}
	for _, l := range inputs {
		if l.unread {
			c.add(s.Problem("a name can not be made of %s, which is never read", l.spec.Path.Value))
		}
	}
	for _, l := range c.lines {
		if l.attr != c.name.attr || l.write == writeNever {
			continue
		}
		if len(segments) != 1 || len(inputs) != 1 || inputs[0] != l {
			c.add(l.spec.Attr.Problem("%q names the object and is written by name", l.attr).
				WithHint("make it write: never, or the name %s={%s}", attr, l.spec.Path.Value))
		} else if c.name.numbers {
			c.add(c.spec.Collision.Problem("the name is the value of %s, which clients choose: it can get no number", l.spec.Path.Value).
				WithHint("leave collision out, and a client that sends a name which is taken is told so, or map %s to another attribute", l.spec.Path.Value))
		}
	}
}

// writesEntries reports whether a rule writes what is no JSON Pointer.
func (c *compiler) writesEntries() bool {
	return slices.ContainsFunc(c.lines, func(l *line) bool { return l.write != writeNever && !isPointer(l.attr) })
}

// namesItself finds the rule that says what an object is called in a backend of
// JSON objects, which have no names among their siblings: that of userName, or of
// displayName where there is none. By it a creation whose answer was lost is found
// again.
func (c *compiler) namesItself() *line {
	for _, path := range []string{"username", "displayname"} {
		for _, l := range c.lines {
			if isPointer(l.attr) && strings.ToLower(l.key) == path && l.write != writeNever && !l.unread && l.codecName == "text" {
				return l
			}
		}
	}
	return nil
}

// fallbacks checks the templates of defaults.
func (c *compiler) fallbacks() {
	for _, l := range c.lines {
		for i, s := range l.spec.Default {
			if l.write == writeNever || len(l.spec.Refs) > 0 {
				c.add(s.Problem("%s can not have a default", l.spec.Path.Value))
				break
			}
			segments, err := parseTemplate(s.Value)
			if err != nil {
				c.add(s.Problem("%v", err))
				continue
			}
			if slices.Contains(c.inputs(s, segments), l) {
				c.add(s.Problem("%s can not be its own default", l.spec.Path.Value))
			}
			if len(segments) == 1 && segments[0].path == "" || len(segments) == 0 {
				c.constant(l, s)
				if i < len(l.spec.Default)-1 {
					c.add(l.spec.Default[i+1].Problem("this default is never taken: the one before it can always be made"))
				}
			}
			l.fallback = append(l.fallback, segments)
		}
	}
}

// constant checks a default that shows nothing of the resource.
func (c *compiler) constant(l *line, s configs.At[string]) {
	v, err := typed(l.leaf.Type, s.Value)
	if err == nil && l.leaf.Admits(v.Text()) != nil {
		err = fmt.Errorf("%s is not among the canonicalValues of %s", v, l.leaf)
	}
	if err == nil && l.codec != nil && !v.IsAbsent() {
		_, err = l.codec.encode(v)
	}
	if err != nil {
		c.add(s.Problem("%v", err))
	}
}

// inputs finds the rules that a template shows.
func (c *compiler) inputs(at configs.At[string], segments []segment) []*line {
	var inputs []*line
	for _, g := range segments {
		if g.path == "" {
			continue
		}
		l, reason := c.lineOf(g.path)
		if l == nil && reason == notMapped && configs.Nearest(g.path, c.misspelled) != "" {
			continue // the rule is there under a wrong name, and that was said
		}
		if l == nil {
			p := at.Problem("{%s}: %s", g.path, reason)
			known := make([]string, len(c.lines))
			for i := range c.lines {
				path := c.lines[i].spec.Path.Value
				known[i] = path[strings.LastIndexByte(path, ':')+1:]
				if found, _ := c.lineOf(known[i]); found != c.lines[i] {
					known[i] = path // without its schema it is another's
				}
			}
			c.add(p.Near(g.path, known))
			continue
		}
		inputs = append(inputs, l)
	}
	return inputs
}

const notMapped = "is not mapped"

// lineOf finds the rule that maps a path.
func (c *compiler) lineOf(path string) (l *line, reason string) {
	probe := &line{spec: &RuleSpec{Path: configs.At[string]{Value: path}}}
	quiet := &compiler{full: c.full}
	if _, err := scim.ParsePath(c.full, path); err != nil {
		return nil, err.Error()
	}
	if !quiet.resolvePath(probe) {
		return nil, "can not be part of a template"
	}
	for _, l := range c.lines {
		if l.key != probe.key {
			continue
		}
		if l.multi || len(l.spec.Refs) > 0 {
			return nil, "has more than one value, or is a reference"
		}
		return l, ""
	}
	return nil, notMapped
}
