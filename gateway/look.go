package gateway

import (
	"context"
	"errors"

	"postern/connectors"
	"postern/idstore"
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
	for _, path := range []string{"userName", "displayName"} {
		label, ok := t.Mapping.Label(path)
		if !ok {
			continue
		}
		e, err := t.Connector.Get(ctx, connectors.Anchor(rec.Anchor().Key), []connectors.Attr{label.Attr()})
		if err != nil {
			return ""
		}
		return label.Of(e)
	}
	return ""
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
