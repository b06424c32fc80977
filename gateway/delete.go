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
	rec, err := g.resolve(ctx, t, c, id)
	if err != nil {
		return err
	}
	release, err := g.lockEntity(ctx, t, rec)
	if err != nil {
		return fault(t.Mapping, err)
	}
	defer release()

	anchor := connectors.Anchor(rec.Anchor().Key)
	var guard connectors.Guard
	if p.Demanded() {
		e, err := t.Connector.Get(ctx, anchor, t.want)
		if err != nil {
			return fault(t.Mapping, err)
		}
		if p.Check(t.version(e, rec.ExternalID(idstore.Domain(c.Domain))), true) != scim.OK {
			return preconditionFailed()
		}
		guard = t.Mapping.Guard(t.Connector.Capabilities().Guard, e)
	}
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
	switch err := t.Connector.Delete(ctx, anchor, guard); {
	case err == nil:
	case connectors.KindOf(err) == connectors.Timeout:
		g.leftovers.add(intent.ID) // nobody knows whether it is still there
		return fault(t.Mapping, err)
	default:
		g.drop(ctx, intent)
		if connectors.KindOf(err) == connectors.GuardFailed {
			return preconditionFailed()
		}
		return fault(t.Mapping, err)
	}
	if err := g.settleDeleted(context.WithoutCancel(ctx), t, intent); err != nil {
		g.leftovers.add(intent.ID)
		return err
	}
	return nil
}
