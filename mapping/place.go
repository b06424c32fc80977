package mapping

import (
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A PlaceSpec says in which container of the backend an object lies: in one that a
// template makes of the object's values, or in one that a table has for one of them,
// which may be a template in its turn.
type PlaceSpec struct {
	At       configs.At[string] // where it is said
	Template configs.At[string] // "OU={department},OU=Staff,DC=example,DC=com"
	By       configs.At[string] // of a table: the SCIM path of the value
	Table    []PlaceRow
	// Else is the container of an object without a value that the place is made of, or
	// with one that the table does not have.
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
	only      *container // nil is the table
	by        *rule
	table     map[string]*container // by folded value
	otherwise connectors.Place      // the zero Place is none
	stays     bool
	// inputs are the rules whose values choose the place, each once: those that
	// containers are made of, and then that of the table.
	inputs []*rule
}

// A container is text with the values of rules between.
type container struct {
	text   []string
	inputs []*rule
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
	// usable reads a container, or the value of the table, and what it is made of.
	usable := func(at configs.At[string], segments []segment) []*line {
		inputs := c.inputs(at, segments)
		for _, l := range inputs {
			switch {
			case l.unread:
				c.add(at.Problem("a place can not depend on %s, which is never read", l.spec.Path.Value))
			case l.write == writeNever:
				c.add(at.Problem("a place can not depend on %s, which is never written", l.spec.Path.Value))
			}
		}
		return inputs
	}
	t := placeText{}
	if s.Template.Value != "" {
		t.segments = c.container(s.Template)
		usable(s.Template, t.segments)
		if !varies(t.segments) {
			c.add(s.Template.Problem("every object would lie in the same container").
				WithHint("make that the base, or put an attribute in braces, as in OU={department},…"))
		}
	}
	if s.By.Value != "" {
		if inputs := usable(s.By, []segment{{path: s.By.Value}}); len(inputs) == 1 {
			t.by = inputs[0]
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
		segments := c.container(row.Container)
		usable(row.Container, segments)
		t.rows = append(t.rows, segments)
	}
	if s.By.Set && len(s.Table) == 0 {
		c.add(s.By.Problem("the table is empty"))
	}
	if s.Else.Set {
		t.otherwise = c.container(s.Else)
		if varies(t.otherwise) {
			c.add(s.Else.Problem("a container that is always the same has no value in braces").WithHint("write {{ and }} for braces"))
		}
	}
	c.placeText = &t
}

// varies reports whether a container is made of values.
func varies(segments []segment) bool {
	return slices.ContainsFunc(segments, func(g segment) bool { return g.path != "" })
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
	told := func(at configs.At[string], segments []segment) *container {
		k := &container{text: containerText(segments)}
		m.containers = append(m.containers, Container{At: at, Text: k.text})
		for input := range c.template(segments).inputs {
			k.inputs = append(k.inputs, input)
			if !slices.Contains(p.inputs, input) {
				p.inputs = append(p.inputs, input)
			}
		}
		return k
	}
	if t.by != nil {
		p.by, p.table = t.by.rule, make(map[string]*container)
		for i, row := range s.Table {
			p.table[placeKey(row.Value.Value)] = told(row.Container, t.rows[i])
		}
		if !slices.Contains(p.inputs, p.by) {
			p.inputs = append(p.inputs, p.by)
		}
	} else {
		p.only = told(s.Template, t.segments)
	}
	if s.Else.Set {
		p.otherwise = connectors.Place{Text: told(s.Else, t.otherwise).text}
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

// uses reports whether something in the property chooses the place.
func (p *placing) uses(prop *property) bool {
	for _, input := range p.inputs {
		if input.property == prop {
			return true
		}
	}
	return false
}

// wants appends the attributes that choose the place.
func (p *placing) wants(want []connectors.Attr) []connectors.Attr {
	t := &template{}
	for _, input := range p.inputs {
		t.parts = append(t.parts, part{input: input})
	}
	return t.wants(want, depthOfName)
}

// of returns the place of an object with these values.
func (p *placing) of(v values) (connectors.Place, error) {
	k, missing := p.only, (*rule)(nil)
	if p.by != nil {
		text := v.placeText(p.by)
		if k = p.table[placeKey(text)]; k == nil && text != "" && p.otherwise.IsZero() {
			return connectors.Place{}, scim.InvalidValue("%s: there is no place for objects with this value", p.by.path)
		}
		missing = p.by
	}
	var place connectors.Place
	if k != nil {
		if place, missing = k.of(v); missing == nil {
			return place, nil
		}
	}
	if p.otherwise.IsZero() {
		return connectors.Place{}, scim.InvalidValue("%s is required: where the object lies depends on it", missing.path)
	}
	return p.otherwise, nil
}

// of returns the place that the values make of the container, or the rule whose value
// is missing.
func (k *container) of(v values) (place connectors.Place, missing *rule) {
	place.Text = k.text
	for _, input := range k.inputs {
		text := v.placeText(input)
		if text == "" {
			return connectors.Place{}, input
		}
		place.Values = append(place.Values, connectors.Value(text))
	}
	return place, nil
}

// placeText is the value of a rule that a place depends on.
func (of values) placeText(input *rule) string {
	text := of.text(input, depthOfName)
	if text == "" && input.leaf.Name == "active" && input.leaf.Type == scim.Boolean {
		return "true" // what is made is active, unless the client says otherwise
	}
	return text
}

// Containers returns the containers that objects of the mapping can lie in.
func (m *Mapping) Containers() []Container { return m.containers }

// PlacedBy returns the SCIM paths of what chooses the container, for messages to a
// client, or "".
func (m *Mapping) PlacedBy() string {
	if m.placing == nil {
		return ""
	}
	paths := make([]string, len(m.placing.inputs))
	for i, input := range m.placing.inputs {
		paths[i] = input.path
	}
	return strings.Join(paths, ", ")
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
	for _, input := range p.inputs {
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
