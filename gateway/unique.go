package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"postern/connectors"
	"postern/mapping"
	"postern/scim"
)

// uniques returns the values of a resource that no other may have.
func uniques(t *target, r *scim.Resource) []scim.Compare {
	var cs []scim.Compare
	for _, f := range r.Attrs {
		if f.Attr.Uniqueness != scim.UniqueNone && f.Attr != t.rt.ID() && !f.Attr.MultiValued {
			cs = append(cs, scim.Compare{Path: scim.AttrPath{Attr: f.Attr}, Op: scim.Eq, Value: f.Value})
		}
	}
	return cs
}

// uniqueKeys are what to lock so that nobody here takes the same values at the
// same time.
func (t *target) uniqueKeys(values []scim.Compare) []string {
	ev := t.Mapping.Evaluation("", t.Connector.Capabilities())
	keys := make([]string, len(values))
	for i, v := range values {
		text := v.Value.Text()
		if ev.Spaces != nil {
			text = ev.Spaces(v.Path.Attr).Form(text)
		}
		keys[i] = "unique\x00" + t.Backend + "\x00" + t.kind + "\x00" + v.Path.String() + "\x00" + strings.ToLower(text)
	}
	return keys
}

// checkUnique answers Conflict when another resource has one of the values. It
// names the attribute where a backend would only say "constraint violation",
// and sees duplicates where the backend has no rule against them; against a
// duplicate made past this gateway at this very moment only the backend's own rule helps.
// self is the resource itself, or "".
func (g *Gateway) checkUnique(ctx context.Context, t *target, c Caller, values []scim.Compare, self connectors.Anchor) error {
	for _, v := range values {
		for a, err := range t.agreeing(ctx, v, batchSize) {
			if err != nil {
				if errors.Is(err, errUnsearchable) {
					break // the backend's own rule has to do
				}
				return fault(t.Mapping, err)
			}
			if a != self {
				return g.conflict(ctx, t, c, v.Path.String(), a)
			}
		}
	}
	return nil
}

// errUnsearchable says that a backend can not be asked who has a value.
var errUnsearchable = errors.New("the backend can not be searched by it")

// agreeing yields the objects for which a comparison of one mapped attribute
// holds by the backend's own rule for spaces, among as many as the limit says of those that the backend offers.
func (t *target) agreeing(ctx context.Context, v scim.Compare, limit int) iter.Seq2[connectors.Anchor, error] {
	return func(yield func(connectors.Anchor, error) bool) {
		if _, err := t.ask(ctx); err != nil {
			yield("", err)
			return
		}
		can := t.Connector.Capabilities()
		ev := t.Mapping.Evaluation("", can)
		cond, _, err := t.Mapping.Lower(v, can, mapping.Lookup{})
		if err == nil && cond.Kind() == connectors.CondAll {
			err = fmt.Errorf("%s: %w", v.Path, errUnsearchable)
		}
		if err != nil {
			yield("", err)
			return
		}
		for e, err := range t.Connector.Search(ctx, connectors.Query{Where: cond, Want: t.Mapping.AttrsOf(v.Path.Attr), Limit: limit}) {
			if err != nil {
				yield("", err)
				return
			}
			if ev.Match(v, t.Mapping.Project(e, nil)) && !yield(e.Anchor, nil) {
				return
			}
		}
	}
}
