package gateway

import (
	"context"
	"slices"

	"postern/connectors"
	"postern/scim"
)

// ReadOptions is how a read is wanted.
type ReadOptions struct {
	Selection    scim.Selection
	Precondition scim.Precondition
}

// Read returns the resource that the client knows by this id. A resource that
// was deleted behind the gateway is NotFound; its id is kept, since the object
// may only have left the mapped part of the backend for a while.
func (g *Gateway) Read(ctx context.Context, c Caller, kind, id string, o ReadOptions) (Result, error) {
	t, err := g.target(kind)
	if err != nil {
		return Result{}, err
	}
	rec, err := g.resolve(ctx, t, c, id)
	if err != nil {
		return Result{}, err
	}
	want, whole := t.wanted(o.Selection)
	if o.Precondition.Demanded() {
		want, whole = t.want, true
	}
	e, err := t.reader.Get(ctx, connectors.Anchor(rec.Anchor().Key), want)
	if err != nil {
		return Result{}, fault(t.Mapping, err)
	}
	res, err := g.presentOne(ctx, t, c, rec, id, e, whole, o.Selection)
	if err != nil {
		return Result{}, err
	}
	switch o.Precondition.Check(res.Version, true) {
	case scim.Failed:
		return Result{}, preconditionFailed()
	case scim.NotModified:
		return Result{Version: res.Version, NotModified: true}, nil
	}
	return res, nil
}

// wanted returns the backend attributes to read for a selection, and whether a
// version can be made of them. A version needs all that it covers, whatever the
// client asked for; only large reference attributes that the client does not
// want are left out.
func (t *target) wanted(s scim.Selection) (want []connectors.Attr, whole bool) {
	omit := func(a connectors.Attr) bool { return t.Mapping.MayOmit(a, s) }
	if !slices.ContainsFunc(t.want, omit) {
		return t.want, true
	}
	want = slices.DeleteFunc(slices.Clone(t.want), omit)
	return want, t.Mapping.Covers(want)
}

func preconditionFailed() error {
	return &Fault{Kind: Precondition, Reason: "the resource is not in the version that the request asks for; read it again"}
}
