package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// What administrators ask of the backends.

// Called returns what a resource is called in its backend, its userName or else
// its displayName; "" where it has neither, is not there, or the backend does not
// answer.
func (g *Gateway) Called(ctx context.Context, rec idstore.Record) string {
	t, ok := g.targets[rec.Type]
	if !ok || rec.Anchor().Backend != t.Backend {
		return ""
	}
	label, ok := t.label()
	if !ok {
		return ""
	}
	e, err := t.Connector.Get(ctx, connectors.Anchor(rec.Anchor().Key), []connectors.Attr{label.Attr()})
	if err != nil {
		return ""
	}
	return label.Of(e)
}

// label is what resources are called by.
func (t *target) label() (mapping.Label, bool) {
	for _, path := range []string{"userName", "displayName"} {
		if label, ok := t.Mapping.Label(path); ok {
			return label, true
		}
	}
	return mapping.Label{}, false
}

// CalledAll is Called for many objects of a resource type, in one search: it adds
// the names of those that are there. It returns false where the backend can not be
// asked for many at once, or does not answer.
func (g *Gateway) CalledAll(ctx context.Context, kind string, anchors []idstore.Anchor, names map[idstore.Anchor]string) bool {
	t, ok := g.targets[kind]
	if !ok || !t.Connector.Capabilities().Conds.Has(connectors.CondAnchorIn) {
		return false
	}
	label, ok := t.label()
	if !ok {
		return false
	}
	var asked []connectors.Anchor
	for _, a := range anchors {
		if a.Backend == t.Backend {
			asked = append(asked, connectors.Anchor(a.Key))
		}
	}
	entries, err := t.fetch(ctx, asked, []connectors.Attr{label.Attr()})
	if err != nil {
		return false
	}
	for _, e := range entries {
		names[t.anchor(e.Anchor)] = label.Of(e)
	}
	return true
}

// Having returns the objects of a resource type whose attribute, named by its SCIM
// path, has a value: at most that many of them.
func (g *Gateway) Having(ctx context.Context, kind, path, value string, most int) ([]idstore.Anchor, error) {
	t, err := g.target(kind)
	if err != nil {
		return nil, err
	}
	by, err := g.Lookup(kind, path, value)
	if err != nil {
		return nil, err
	}
	var found []idstore.Anchor
	for a, err := range t.agreeing(ctx, by, 0) {
		if errors.Is(err, errUnsearchable) {
			if silent := t.silence(ctx); silent != nil { // what it can search by is not known then
				err = silent
			}
		}
		if err != nil {
			return nil, fault(t.Mapping, err)
		}
		if found = append(found, t.anchor(a)); len(found) == most {
			break
		}
	}
	return found, nil
}

// Matches checks that objects of a resource type can be told apart by an attribute,
// named by its SCIM path: it is one with a simple value that a backend holds.
func (g *Gateway) Matches(kind, path string) error {
	t, err := g.target(kind)
	if err != nil {
		return err
	}
	by, err := g.Lookup(kind, path, "x")
	if err != nil || strings.ContainsAny(path, "[] ") {
		return fmt.Errorf("it is not the path of a mapped attribute with one text as its value, such as userName or emails.value: a value path with [ ] is none")
	}
	a := by.Path.Attr
	if by.Path.Sub != nil {
		a = by.Path.Sub
	}
	if a.Type != scim.String || len(t.Mapping.AttrsOf(by.Path.Attr)) == 0 {
		return fmt.Errorf("the backend holds no text of it that objects could be found by; name an attribute that is mapped, such as userName")
	}
	return nil
}

// ServedFrom reports whether the resources of a type are in a backend.
func (g *Gateway) ServedFrom(kind, backend string) bool {
	t, ok := g.targets[kind]
	return ok && t.Backend == backend
}

// silence is why the backend does not answer, or nil where it does.
func (t *target) silence(ctx context.Context) error {
	for _, err := range t.Connector.Search(ctx, connectors.Query{Limit: 1}) {
		return err
	}
	return nil
}

// There tells for each anchor whether its object is in the collection of a
// resource type. What is in another backend is not.
func (g *Gateway) There(ctx context.Context, kind string, anchors []idstore.Anchor) ([]bool, error) {
	t, err := g.target(kind)
	if err != nil {
		return nil, err
	}
	there := make([]bool, len(anchors))
	places := make(map[connectors.Anchor]int, len(anchors))
	var asked []connectors.Anchor
	for i, a := range anchors {
		if a.Backend == t.Backend {
			places[connectors.Anchor(a.Key)] = i
			asked = append(asked, connectors.Anchor(a.Key))
		}
	}
	if len(asked) == 0 {
		return there, nil
	}
	found, err := t.fetch(ctx, asked, nil)
	if err != nil {
		return nil, fault(t.Mapping, err)
	}
	for _, e := range found {
		there[places[e.Anchor]] = true
	}
	return there, nil
}
