package mapping

import (
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A PlaceSpec says in which container of the backend an object lies: in one that a
// template makes of the object's values, or in one that a table has for one of them.
type PlaceSpec struct {
	At       configs.At[string] // where it is said
	Template configs.At[string] // "OU={department},OU=Staff,DC=example,DC=com"
	By       configs.At[string] // of a table: the SCIM path of the value
	Table    []PlaceRow
	// Else is the container of an object without the value, or with one that the
	// table does not have.
	Else configs.At[string]
	// Move is always, or create: an object stays where it is made.
	Move configs.At[string]
}

// A PlaceRow is a row of the table.
type PlaceRow struct {
	Value     configs.At[string]
	Container configs.At[string]
}

const (
	moveAlways = "always"
	moveCreate = "create"
)

// decodePlace reads the short form, which is a template alone, or the long.
func decodePlace(n *configs.Node, problems *configs.Problems) PlaceSpec {
	s := PlaceSpec{At: configs.At[string]{Pos: n.Pos(), Path: n.Path(), Set: true}}
	if n.Kind() != configs.Mapping {
		s.Template = n.String(problems)
		return s
	}
	m := n.Map(problems)
	if m.Has("by") || m.Has("table") {
		m.Required("by", "table")
	} else {
		m.Required("template")
	}
	s.Template, s.By, s.Else = m.String("template"), m.String("by"), m.String("else")
	s.Move = m.Enum("move", moveAlways, moveCreate)
	if s.Template.Set && s.By.Set {
		problems.Add(s.Template.Problem("a place is made by a template or by a table").WithHint("keep one of the two"))
	}
	if table := m.Child("table"); table != nil {
		for key, value := range table.Map(problems).Each() {
			s.Table = append(s.Table, PlaceRow{Value: key, Container: value.String(problems)})
		}
	}
	m.Done()
	return s
}

// A placing is a compiled PlaceSpec.
type placing struct {
	pos       configs.Pos
	template  *template // nil is the table
	text      []string  // of the template, around its inputs
	by        *rule
	table     map[string]connectors.Place // by folded value
	otherwise connectors.Place            // the zero Place is none
	stays     bool
}

// A Container is a place that objects can get, with where it is written: text
// stands before each value that is set into it, and after the last.
type Container struct {
	At   configs.At[string]
	Text []string
}

// placeText is a PlaceSpec whose templates have been read.
type placeText struct {
	segments  []segment
	by        *line
	rows      [][]segment
	otherwise []segment
}

// place checks where objects lie.
func (c *compiler) place() {
	s := c.spec.Place
	if !s.At.Set {
		return
	}
	if !c.named {
		c.add(s.At.Problem("nothing can be made here, so nothing gets a place"))
	}
	fixed := func(at configs.At[string]) []segment {
		segments := c.container(at)
		if slices.ContainsFunc(segments, func(g segment) bool { return g.path != "" }) {
			c.add(at.Problem("a container that is always the same has no value in braces").WithHint("write {{ and }} for braces"))
		}
		return segments
	}
	t := placeText{}
	inputs := []*line{}
	if s.Template.Value != "" {
		t.segments = c.container(s.Template)
		inputs = c.inputs(s.Template, t.segments)
		if !slices.ContainsFunc(t.segments, func(g segment) bool { return g.path != "" }) {
			c.add(s.Template.Problem("every object would lie in the same container").
				WithHint("make that the base, or put an attribute in braces, as in OU={department},…"))
		}
	}
	if s.By.Value != "" {
		inputs = c.inputs(s.By, []segment{{path: s.By.Value}})
		if len(inputs) == 1 {
			t.by = inputs[0]
		}
	}
	at := s.Template
	if s.By.Set {
		at = s.By
	}
	for _, l := range inputs {
		switch {
		case l.unread:
			c.add(at.Problem("a place can not depend on %s, which is never read", l.spec.Path.Value))
		case l.write == writeNever:
			c.add(at.Problem("a place can not depend on %s, which is never written", l.spec.Path.Value))
		}
	}
	seen := make(map[string]bool)
	for _, row := range s.Table {
		if key := placeKey(row.Value.Value); seen[key] {
			c.add(row.Value.Problem("the table has this value already; case and spaces at the ends do not tell values apart"))
		} else {
			seen[key] = true
		}
		if t.by != nil {
			c.placeable(t.by, row.Value)
		}
		t.rows = append(t.rows, fixed(row.Container))
	}
	if s.By.Set && len(s.Table) == 0 {
		c.add(s.By.Problem("the table is empty"))
	}
	if s.Else.Set {
		t.otherwise = fixed(s.Else)
	}
	c.placeText = &t
}

// placeable checks that a resource can have the value of a row.
func (c *compiler) placeable(l *line, at configs.At[string]) {
	v, err := typed(l.leaf.Type, at.Value)
	if err == nil {
		err = l.leaf.Admits(v.Text())
	}
	if err != nil {
		c.add(at.Problem("%s never has this value: %v", l.spec.Path.Value, err))
	}
}

// container reads the text of a container.
func (c *compiler) container(at configs.At[string]) []segment {
	segments, err := parseTemplate(at.Value)
	if err != nil {
		c.add(at.Problem("%v", err))
	}
	return segments
}

// placeKey is what two values that the table takes for one have in common.
func placeKey(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// buildPlacing makes the placing of what was found right.
func (c *compiler) buildPlacing(m *Mapping) {
	if c.placeText == nil {
		return
	}
	s, t := c.spec.Place, c.placeText
	p := &placing{pos: s.At.Pos, stays: s.Move.Value == moveCreate}
	told := func(at configs.At[string], segments []segment) connectors.Place {
		text := containerText(segments)
		m.containers = append(m.containers, Container{At: at, Text: text})
		return connectors.Place{Text: text}
	}
	if t.by != nil {
		p.by, p.table = t.by.rule, make(map[string]connectors.Place)
		for i, row := range s.Table {
			p.table[placeKey(row.Value.Value)] = told(row.Container, t.rows[i])
		}
	} else {
		p.template, p.text = c.template(t.segments), told(s.Template, t.segments).Text
	}
	if s.Else.Set {
		p.otherwise = told(s.Else, t.otherwise)
	}
	m.placing = p
}

// containerText is the text around the values of a container.
func containerText(segments []segment) []string {
	text := []string{""}
	for _, g := range segments {
		if g.path != "" {
			text = append(text, "")
			continue
		}
		text[len(text)-1] += g.literal
	}
	return text
}

// inputs are the rules whose values choose the place.
func (p *placing) inputs(yield func(*rule) bool) {
	if p.by != nil {
		yield(p.by)
		return
	}
	p.template.inputs(yield)
}

// uses reports whether something in the property chooses the place.
func (p *placing) uses(prop *property) bool {
	for input := range p.inputs {
		if input.property == prop {
			return true
		}
	}
	return false
}

// wants appends the attributes that choose the place.
func (p *placing) wants(want []connectors.Attr) []connectors.Attr {
	t := p.template
	if t == nil {
		t = &template{parts: []part{{input: p.by}}}
	}
	return t.wants(want, depthOfName)
}

// of returns the place of an object with these values.
func (p *placing) of(v values) (connectors.Place, error) {
	var place connectors.Place
	for input := range p.inputs {
		text := v.text(input, depthOfName)
		if text == "" && input.leaf.Name == "active" && input.leaf.Type == scim.Boolean {
			text = "true" // what is made is active, unless the client says otherwise
		}
		row, found := p.table[placeKey(text)]
		switch {
		case p.by != nil && found:
			return row, nil
		case text != "" && p.by == nil:
			place.Values = append(place.Values, connectors.Value(text))
		case !p.otherwise.IsZero():
			return p.otherwise, nil
		case text == "":
			return place, scim.InvalidValue("%s is required: where the object lies depends on it", input.path)
		default:
			return place, scim.InvalidValue("%s: there is no place for objects with this value", input.path)
		}
	}
	place.Text = p.text
	return place, nil
}

// Containers returns the containers that objects of the mapping can lie in.
func (m *Mapping) Containers() []Container { return m.containers }

// PlacedBy returns the SCIM path of what chooses the container, or the first of
// several, for messages to a client.
func (m *Mapping) PlacedBy() string {
	if m.placing != nil {
		for input := range m.placing.inputs {
			return input.path
		}
	}
	return ""
}

// move plans that the object comes into another container when something changed
// that this depends on. An object that somebody has put elsewhere stays there until
// then.
func (pl *planner) move() {
	p := pl.m.placing
	if pl.err != nil || p == nil || p.stays || !pl.touches(p.uses) {
		return
	}
	changed := false
	for input := range p.inputs {
		changed = changed || placeKey(valuesOf(pl.was).text(input, depthOfName)) != placeKey(values(pl.after).text(input, depthOfName))
	}
	if !changed {
		return
	}
	now, err := p.of(pl.after)
	if err != nil {
		pl.fail(err)
		return
	}
	if was, err := p.of(valuesOf(pl.was)); err == nil && was.String() == now.String() {
		return
	}
	pl.plan.Changes = append(pl.plan.Changes, connectors.Change{Place: &now})
	pl.plan.from = append(pl.plan.from, p.pos)
}

// after is the value that a rule shows once the plan is carried out: what a PUT
// leaves out and what then stays is as it was.
func (pl *planner) after(input *rule) scim.Value {
	v := input.of(pl.now)
	if pl.mode != replacing || !v.IsAbsent() {
		return v
	}
	if input.write != writeAlways || input.fallback != nil || input.state != nil || input.leaf.Returned == scim.ReturnedRequest || input.property.attr.Returned == scim.ReturnedRequest {
		return input.of(pl.was)
	}
	return v
}

// made is the value that a rule shows of a new object: a state that the client does
// not name is what the plan makes of it.
func (pl *planner) made(input *rule) scim.Value {
	v := input.of(pl.now)
	if v.IsAbsent() && input.state != nil {
		return input.state.read(pl.states[input.attr])
	}
	return v
}
