package gateway

import (
	"context"
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
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = "unique\x00" + t.Backend + "\x00" + t.kind + "\x00" + v.Path.String() + "\x00" + strings.ToLower(v.Value.Text())
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
		cond, _, err := t.Mapping.Lower(v, t.Connector.Capabilities(), mapping.Lookup{})
		if err != nil {
			return fault(t.Mapping, err)
		}
		if cond.Kind() == connectors.CondAll {
			continue // not searchable: the backend's own rule has to do
		}
		want := t.Mapping.AttrsOf(v.Path.Attr)
		for e, err := range t.Connector.Search(ctx, connectors.Query{Where: cond, Want: want, Limit: batchSize}) {
			if err != nil {
				return fault(t.Mapping, err)
			}
			if e.Anchor != self && scim.Match(v, t.Mapping.Project(e, nil)) {
				return &Fault{Kind: Conflict, Attr: v.Path.String(), Reason: "another resource has this value"}
			}
		}
	}
	return nil
}
