package mapping

import (
	"slices"

	"postern/configs"
	"postern/connectors"
	"postern/scim"
)

// A Display is a sub-attribute of a reference that shows how the resource is
// called that it names: manager.displayName, members.display (RFC 7643 §4.3,
// §2.4). It is read from the other resource, so it is no part of a version.
type Display struct {
	Of   *scim.Attribute // the reference
	Sub  *scim.Attribute // what shows it
	Attr connectors.Attr // the backend's reference attribute
	Path string          // the attribute of the other resource, as Label takes it
	at   configs.At[string]
	refs []string
}

// Displays holds the texts of displays by the reference attribute they are of,
// aligned with Field.Refs. An empty text, and one that is missing, shows nothing.
type Displays map[*scim.Attribute][]string

// Displays returns what has to be read from other resources for an answer with
// the attributes that are wanted, or because a filter or a sort key names them;
// either may be nil.
func (m *Mapping) Displays(wanted func(*scim.Attribute) bool, named []*scim.Attribute) []Display {
	var needed []Display
	for _, d := range m.displays {
		if wanted != nil && wanted(d.Of) && wanted(d.Sub) || slices.Contains(named, d.Sub) {
			needed = append(needed, d)
		}
	}
	return needed
}

// A Label is a string of a resource that others show with their references to it.
type Label struct{ r *rule }

// Label finds a readable string that has one value, by its path.
func (m *Mapping) Label(path string) (l Label, ok bool) {
	a, known := m.rt.Attribute(path)
	if !known || a.Type != scim.String {
		return Label{}, false
	}
	for _, r := range m.rules {
		if r.leaf == a && !r.unread && r.refs == nil && (r.property.shape == shapeSimple || r.property.shape == shapeComplex) {
			return Label{r}, true
		}
	}
	return Label{}, false
}

// Attr returns the backend attribute that holds the label.
func (l Label) Attr() connectors.Attr { return l.r.attr }

// Of returns the label of an entry that was read with Attr, or "".
func (l Label) Of(e connectors.Entry) string { return l.r.read(&e).Text() }

// CheckDisplays finds displays that show what the referenced resources do not
// have. All mappings of a configuration are given; one that could not be
// compiled is nil, and passed over.
func CheckDisplays(all []*Mapping) configs.Problems {
	var problems configs.Problems
	for _, m := range all {
		if m == nil {
			continue
		}
		for _, d := range m.displays {
			for _, other := range all {
				if other == nil || !slices.Contains(d.refs, other.rt.Name) {
					continue
				}
				if _, ok := other.Label(d.Path); !ok {
					problems.Add(d.at.Problem("%q is no text with one value that %s shows", d.Path, other.rt.Name).Near(d.Path, other.labels()))
				}
			}
		}
	}
	return problems
}

// labels are the paths that Label finds.
func (m *Mapping) labels() []string {
	var paths []string
	for _, r := range m.rules {
		path := scim.AttrPath{Attr: r.leaf}.String()
		if r.leaf.Parent() != nil {
			path = subPath(r.leaf.Parent(), r.leaf)
		}
		if _, ok := m.Label(path); ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// display finds the sub-attribute that a rule's display goes to.
func (c *compiler) display(l *line) {
	s := l.spec
	if !s.Display.Set {
		return
	}
	if len(s.Refs) == 0 {
		c.add(s.Display.Problem("only a reference shows something of what it names"))
		return
	}
	for _, name := range [...]string{"display", "displayName"} {
		if sub := subAttribute(l.path.Attr, name); sub != nil && sub.Type == scim.String && l.display == nil {
			l.display = sub
		}
	}
	if l.display == nil {
		c.add(s.Display.Problem("%s has no sub-attribute display or displayName", l.path.Attr.Name))
	}
	if l.unread {
		c.add(s.Display.Problem("%s is never returned", s.Path.Value))
	}
}
