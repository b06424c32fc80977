package gateway

import (
	"context"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

// Create makes the resource (RFC 7644 §3.3): written down first, then done in
// the backend, then linked, so that a crash at any instant leaves no object
// twice and no object without the id that was promised.
func (g *Gateway) Create(ctx context.Context, c Caller, kind string, r *scim.Resource, o WriteOptions) (Result, error) {
	t, err := g.target(kind)
	if err != nil {
		return Result{}, err
	}
	refs, err := g.targetsOf(ctx, c, t.Mapping.NeedsCreate(r))
	if err != nil {
		return Result{}, err
	}
	draft, err := t.Mapping.Create(r, refs)
	if err != nil {
		return Result{}, fault(t.Mapping, err)
	}
	g.ignored(t, draft.Ignored)

	name := namingKey(draft.Draft)
	release, err := g.locks.acquire(ctx, "name\x00"+t.Backend+"\x00"+kind+"\x00"+strings.ToLower(name))
	if err != nil {
		return Result{}, fault(t.Mapping, err)
	}
	defer release()
	if err := g.settleName(ctx, t, name); err != nil {
		return Result{}, err
	}
	if err := g.checkUnique(ctx, t, c, uniques(t, r), ""); err != nil {
		return Result{}, err
	}

	intent, err := g.begin(ctx, t, idstore.Intent{Kind: idstore.Create, Scope: t.scope(c), Backend: t.Backend,
		Name: name, ExternalID: r.ExternalID(), Begun: g.now()})
	if err != nil {
		return Result{}, err
	}
	want, whole := t.wanted(o.Selection)
	e, err := t.Connector.Create(ctx, draft.Draft, want)
	if err != nil {
		if connectors.KindOf(err) == connectors.Timeout {
			g.leftovers.add(intent.ID) // nobody knows whether it is there
		} else {
			g.drop(ctx, intent)
		}
		return Result{}, fault(t.Mapping, err)
	}
	var rec idstore.Record
	err = g.store.Update(context.WithoutCancel(ctx), func(tx idstore.Tx) (err error) {
		rec, err = idstore.Bind(tx, intent.ID, t.anchor(e.Anchor))
		return err
	})
	if err != nil {
		g.leftovers.add(intent.ID)
		return Result{}, fault(t.Mapping, err)
	}
	return g.presentOne(ctx, t, c, rec, e, whole)
}

// namingKey is by what a created object can be found again: the attribute that
// names it and its value.
func namingKey(d connectors.Draft) string {
	f := d.Field(d.Name)
	if len(f.Values) == 0 {
		return ""
	}
	return string(d.Name) + "\x00" + string(f.Values[0])
}
