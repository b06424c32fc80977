package gateway

import (
	"context"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

// Delete removes the resource (RFC 7644 §3.6) and what else names it in the
// backend. Its id answers NotFound for ever after; its userName is free at once.
func (g *Gateway) Delete(ctx context.Context, c Caller, kind, id string, p scim.Precondition) error {
	t, err := g.target(kind)
	if err != nil {
		return err
	}
	rec, release, err := g.claim(ctx, t, c, id, nil)
	if err != nil {
		return err
	}
	defer release()

	anchor := connectors.Anchor(rec.Anchor().Key)
	var trace string
	if s, ok := connectors.As[connectors.Sweeper](t.Connector); ok {
		if trace, err = s.Trace(ctx, anchor); err != nil {
			return fault(t.Mapping, err)
		}
	}
	intent, err := g.begin(ctx, t, idstore.Intent{Kind: idstore.Delete, Scope: t.scope(c), Entity: rec.Entity,
		Backend: t.Backend, Anchors: []idstore.Anchor{rec.Anchor()}, Name: trace, Begun: g.now()})
	if err != nil {
		return err
	}
	switch err := g.deleteObject(ctx, t, c, rec, p); {
	case err == nil:
	case connectors.KindOf(err) == connectors.Timeout:
		g.leftovers.add(intent.ID) // nobody knows whether it is still there
		return fault(t.Mapping, err)
	default:
		g.drop(ctx, intent)
		return fault(t.Mapping, err)
	}
	if err := g.settleDeleted(context.WithoutCancel(ctx), t, intent); err != nil {
		g.leftovers.add(intent.ID)
		return err
	}
	return nil
}

// deleteObject deletes the object in the backend, if it is as the precondition
// demands.
func (g *Gateway) deleteObject(ctx context.Context, t *target, c Caller, rec idstore.Record, p scim.Precondition) error {
	anchor := connectors.Anchor(rec.Anchor().Key)
	for try := 1; ; try++ {
		var guard connectors.Guard
		if p.Demanded() {
			e, err := t.Connector.Get(ctx, anchor, t.want)
			if err != nil {
				return err
			}
			if p.Check(t.version(e, rec.ExternalID(idstore.Domain(c.Domain))), true) != scim.OK {
				return preconditionFailed()
			}
			guard = t.Mapping.Guard(t.Connector.Capabilities().Guard, e)
		}
		err := t.Connector.Delete(ctx, anchor, guard)
		if connectors.KindOf(err) != connectors.GuardFailed || try == attempts {
			return err
		}
	}
}
