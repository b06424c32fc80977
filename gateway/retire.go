package gateway

import (
	"context"
	"errors"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

// retire deletes a resource whose objects are kept (see Keep). For clients it is
// gone as RFC 7644 §3.6 has it: its id answers NotFound for ever, no list shows it,
// and no later look gives its objects another id, since the identity table has it
// that they are retired. What the objects are members of they stay members of: to
// take a closed account out of its groups is to lose what bringing it back needs,
// and clients are not shown it there either.
//
// Nothing is written down before the precondition was found to hold, so that after
// a crash an object that is as the policy puts it away was put away by this.
func (g *Gateway) retire(ctx context.Context, t *target, c Caller, rec idstore.Record, k Keep, p scim.Precondition) error {
	if gone, err := g.settleRetirement(ctx, t, rec); err != nil || gone {
		return err
	}
	links, err := g.deletable(ctx, t, rec)
	if err != nil {
		return err
	}
	primary := links[len(links)-1]
	var check func(connectors.Entry) error
	if p.Demanded() {
		check = func(e connectors.Entry) error {
			if p.Check(t.version(e, rec.ExternalID(idstore.Domain(c.Domain))), true) != scim.OK {
				return preconditionFailed()
			}
			return nil
		}
	}
	e, err := t.Connector.Get(ctx, connectors.Anchor(primary.Key), t.want)
	switch {
	case connectors.KindOf(err) == connectors.NotFound && len(links) > 1 && check == nil: // the others are there
	case err != nil:
		return fault(t.Mapping, err)
	case check != nil:
		if err := check(e); err != nil {
			return err
		}
	}
	trace := ""
	moves := k.Container != ""
	if moves {
		free, err := g.lockNames(ctx, t, links)
		if err != nil {
			return err
		}
		defer free()
		// What refers to the name that it has until now may be left behind.
		if trace, err = t.trace(ctx, links); err != nil {
			return fault(t.Mapping, err)
		}
	}
	in := idstore.Intent{Kind: idstore.Retire, Scope: t.scope(c), Entity: rec.Entity, Backend: t.Backend, Anchors: links,
		Name: k.name(trace), Begun: g.now(), Who: c.Client, Why: "DELETE"}
	left, err := t.leftToKeep(ctx, k, links)
	if err != nil {
		return fault(t.Mapping, err)
	}
	if len(left) == 0 { // as after the client itself has disabled it
		_, err := g.beginAsSeen(ctx, t, rec, in, func(tx idstore.Tx, begun idstore.Intent) error { return idstore.Remove(tx, begun.ID) })
		g.forgetRetired(t, in)
		return err
	}
	if in, err = g.beginAsSeen(ctx, t, rec, in, nil); err != nil {
		return err
	}
	wrote := false
	for _, a := range left {
		first, did := check, false
		if a != primary {
			first = nil
		}
		if did, err = g.keep(ctx, k, written{t, in.Scope, rec.Entity, a, moves}, first); connectors.KindOf(err) == connectors.NotFound && len(links) > 1 {
			err = nil // somebody else was faster with this one
		}
		if wrote = wrote || did; err != nil {
			break
		}
	}
	switch settled := context.WithoutCancel(ctx); {
	case err == nil:
		if err := g.settleRetired(settled, t, in); err != nil {
			g.leftovers.add(in.ID)
			return err
		}
		return nil
	case connectors.KindOf(err) == connectors.Timeout: // nobody knows
		g.leftovers.add(in.ID)
	case !wrote: // whatever has become of it, not by this
		g.drop(settled, in)
	default:
		if open := g.settleRetire(settled, t, in, true); open != nil {
			g.leftovers.add(in.ID)
		} else if g.isRetired(settled, rec) { // as where what was written puts it out of our sight
			return nil
		}
	}
	return fault(t.Mapping, err)
}

func (g *Gateway) isRetired(ctx context.Context, rec idstore.Record) (is bool) {
	err := g.store.View(ctx, func(tx idstore.Tx) error {
		now, err := idstore.Entity(tx, rec.Entity)
		is = now.Retired
		return err
	})
	return err == nil && is
}

// settleRetirement resolves what an earlier request for the same deletion left open,
// whose answer the client did not get, and reports whether that has done it.
func (g *Gateway) settleRetirement(ctx context.Context, t *target, rec idstore.Record) (gone bool, err error) {
	if g.leftovers.none() {
		return false, nil
	}
	var intents []idstore.Intent
	look := func(tx idstore.Tx) (err error) {
		if rec, err = idstore.Entity(tx, rec.Entity); err == nil {
			intents, err = idstore.IntentsForEntity(tx, rec.Entity)
		}
		return err
	}
	if err := g.store.View(ctx, look); err != nil {
		return false, fault(t.Mapping, err)
	}
	for _, in := range intents {
		if in.Kind != idstore.Retire {
			continue
		}
		if err := g.settle(ctx, in, false); err != nil && !errors.Is(err, errMayCome) {
			return false, err
		}
	}
	err = g.store.View(ctx, look)
	return rec.Retired, fault(t.Mapping, err)
}

// leftToKeep returns the objects that are not yet as the policy puts them away, in
// the same order.
func (t *target) leftToKeep(ctx context.Context, k Keep, links []idstore.Anchor) (left []idstore.Anchor, err error) {
	for _, a := range links {
		kept, err := t.isKept(ctx, k, connectors.Anchor(a.Key))
		if err != nil {
			return nil, err
		}
		if !kept {
			left = append(left, a)
		}
	}
	return left, nil
}

// settleRetire looks whether all objects were put away. Otherwise everything is as
// if the deletion had not been asked for, save what was disabled or moved already;
// asked for again, it does the rest.
func (g *Gateway) settleRetire(ctx context.Context, t *target, in idstore.Intent, final bool) error {
	k, trace := keepNamed(in.Name)
	left, err := t.leftToKeep(ctx, k, in.Anchors)
	if err == nil && len(left) == 0 {
		return g.settleRetired(ctx, t, in)
	}
	if err == nil && len(left) < len(in.Anchors) {
		err = t.sweep(ctx, trace)
	}
	switch {
	case err != nil:
		return fault(t.Mapping, err)
	case !final:
		return errMayCome
	}
	g.drop(ctx, in)
	return nil
}

// settleRetired finishes the deletion of what was put away.
func (g *Gateway) settleRetired(ctx context.Context, t *target, in idstore.Intent) error {
	if _, trace := keepNamed(in.Name); trace != "" {
		if err := t.sweep(ctx, trace); err != nil {
			return fault(t.Mapping, err)
		}
	}
	err := g.store.Update(ctx, func(tx idstore.Tx) error { return idstore.Remove(tx, in.ID) })
	g.forgetRetired(t, in)
	return fault(t.Mapping, err)
}

func (g *Gateway) forgetRetired(t *target, in idstore.Intent) {
	g.promised.forget(in.Entity)
	for _, a := range in.Anchors {
		g.ids.forget(t.kind, connectors.Anchor(a.Key))
	}
}

// conflict answers that another object has a value. Where that is one that was kept
// of something deleted, it says so, and the log says which one: the client can do
// nothing about it, an administrator can.
func (g *Gateway) conflict(ctx context.Context, t *target, c Caller, attr string, a connectors.Anchor) error {
	f := &Fault{Kind: Conflict, Attr: attr, Reason: "another resource has this value"}
	var rec idstore.Record
	err := g.store.View(ctx, func(tx idstore.Tx) (err error) {
		rec, err = idstore.FindAnchor(tx, t.anchor(a))
		return err
	})
	if err == nil && rec.Retired {
		f.Reason = "a deleted resource whose account was kept has this value; an administrator can bring that one back"
		text, _ := g.Spell(ctx, t.kind, rec.Anchor())
		g.log.Warn().Str("request", c.Request).Str("client", c.Client).Str("resource", t.kind).Str("object", text).
			Msg("what is to be made has a value of an object that was kept when its resource was deleted; `postern ids undo anchor:OBJECT` brings its id back")
	}
	return f
}

// nameTaken explains that a creation was refused since an object has its name.
func (g *Gateway) nameTaken(ctx context.Context, t *target, c Caller, name string, err error) error {
	refused := fault(t.Mapping, err)
	f, ok := errors.AsType[*Fault](refused)
	if !ok || f.Kind != Conflict || t.Keep == nil {
		return refused
	}
	if a, there, err := t.named(ctx, name); err == nil && there {
		return g.conflict(ctx, t, c, f.Attr, a)
	}
	return refused
}
