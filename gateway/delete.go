package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

// Delete removes the resource (RFC 7644 §3.6) with every object that it is linked
// to and what else names these in the backend. Its id answers NotFound for ever
// after; its userName is free at once. Where objects are kept, they are put away
// instead (see Keep). Where the resource has other ids, as after a
// merge, this id alone goes: the others still name it, and no object is touched.
func (g *Gateway) Delete(ctx context.Context, c Caller, kind, id string, p scim.Precondition) error {
	t, err := g.target(kind)
	if err != nil {
		return err
	}
	for {
		if err := g.deleteAsSeen(ctx, t, c, id, p); !errors.Is(err, errOtherwise) {
			return err
		}
	}
}

// errOtherwise says that an entity has other objects or ids than a moment ago.
var errOtherwise = errors.New("the resource has changed meanwhile")

// deleteAsSeen deletes a resource, or one of its ids, if it has the same objects and
// ids when that begins as when it was looked at.
func (g *Gateway) deleteAsSeen(ctx context.Context, t *target, c Caller, id string, p scim.Precondition) error {
	rec, release, err := g.claim(ctx, t, c, id, nil)
	if err != nil {
		return err
	}
	defer release()
	if len(rec.IDs) > 1 {
		return g.removeID(ctx, t, c, rec, id, p)
	}
	if t.Keep != nil {
		return g.retire(ctx, t, c, rec, *t.Keep, p)
	}

	links, err := g.deletable(ctx, t, rec)
	if err != nil {
		return err
	}
	free, err := g.lockNames(ctx, t, links)
	if err != nil {
		return err
	}
	defer free()
	trace, err := t.trace(ctx, links)
	if err != nil {
		return fault(t.Mapping, err)
	}
	intent := idstore.Intent{Kind: idstore.Delete, Scope: t.scope(c), Entity: rec.Entity,
		Backend: t.Backend, Anchors: links, Name: trace, Begun: g.now(), Who: c.Client, Why: "DELETE"}
	if intent, err = g.beginAsSeen(ctx, t, rec, intent, nil); err != nil {
		return err
	}
	switch err := g.deleteObjects(ctx, t, c, rec, links, p); {
	case err == nil:
	case connectors.KindOf(err) == connectors.Timeout:
		g.leftovers.add(intent.ID) // nobody knows whether it is still there
		return fault(t.Mapping, err)
	case len(links) > 1: // some of them may be gone
		if open := g.settleDelete(context.WithoutCancel(ctx), t, intent, true); open != nil {
			g.leftovers.add(intent.ID)
		}
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

// beginAsSeen writes down what is about to be done to an entity, if that has the objects
// and ids that it was seen with; errOtherwise if not. then is done in the same transaction.
func (g *Gateway) beginAsSeen(ctx context.Context, t *target, seen idstore.Record, in idstore.Intent, then func(idstore.Tx, idstore.Intent) error) (idstore.Intent, error) {
	err := g.store.Update(ctx, func(tx idstore.Tx) error {
		now, err := idstore.Entity(tx, seen.Entity)
		if err != nil {
			return err
		}
		if !slices.Equal(now.Links, seen.Links) || !slices.Equal(now.IDs, seen.IDs) {
			return errOtherwise
		}
		if in, err = idstore.Begin(tx, in); err != nil || then == nil {
			return err
		}
		return then(tx, in)
	})
	if errors.Is(err, errOtherwise) {
		return in, errOtherwise
	}
	return in, fault(t.Mapping, err)
}

// removeID takes one of several ids away.
func (g *Gateway) removeID(ctx context.Context, t *target, c Caller, rec idstore.Record, id string, p scim.Precondition) error {
	if p.Demanded() {
		e, err := t.Connector.Get(ctx, connectors.Anchor(rec.Anchor().Key), t.want)
		if err != nil {
			return fault(t.Mapping, err)
		}
		if p.Check(t.version(e, rec.ExternalID(idstore.Domain(c.Domain))), true) != scim.OK {
			return preconditionFailed()
		}
	}
	public, _ := idstore.ParsePublicID(id)
	err := g.store.Update(ctx, func(tx idstore.Tx) error {
		_, err := idstore.RemoveID(tx, t.scope(c), public, idstore.Note{Who: c.Client, Why: "DELETE", When: g.now()})
		return err
	})
	g.ids.forgetAll() // another id may be the one that is shown now
	return fault(t.Mapping, err)
}

// deletable returns the objects that go with an entity, the primary one last: as
// long as that is there, a deletion that was broken off can be asked for again.
// Where somebody else has deleted the primary one the others still go. NotFound:
// none of several is there any more.
func (g *Gateway) deletable(ctx context.Context, t *target, rec idstore.Record) ([]idstore.Anchor, error) {
	primary := rec.Anchor()
	var links []idstore.Anchor
	for _, l := range rec.Links {
		if l.Backend != t.Backend {
			return nil, &Fault{Kind: Unavailable, Err: errors.New("an object is linked in backend " + l.Backend + ", and the resource type is served from " + t.Backend),
				Reason: "an object of this resource is in a place that is not served any more; an administrator has to relink it or split it off"}
		}
		if l.Anchor != primary {
			links = append(links, l.Anchor)
		}
	}
	links = append(links, primary)
	if len(links) == 1 {
		return links, nil
	}
	for i := len(links) - 1; ; i-- {
		_, err := t.Connector.Get(ctx, connectors.Anchor(links[i].Key), nil)
		switch {
		case err == nil:
			return links, nil
		case connectors.KindOf(err) != connectors.NotFound || i == 0:
			return nil, fault(t.Mapping, err)
		}
	}
}

// lockNames keeps others from the names of objects that are about to be gone, until
// what refers to them by these is gone too.
func (g *Gateway) lockNames(ctx context.Context, t *target, anchors []idstore.Anchor) (release func(), err error) {
	named := t.Mapping.NamedBy()
	if _, ok := connectors.As[connectors.Sweeper](t.Connector); !ok || named == "" {
		return func() {}, nil
	}
	var keys []string
	for _, a := range anchors {
		e, err := t.Connector.Get(ctx, connectors.Anchor(a.Key), []connectors.Attr{named})
		if connectors.KindOf(err) == connectors.NotFound && err != nil {
			continue // nobody's any more, or another's
		}
		if err != nil {
			return nil, fault(t.Mapping, err)
		}
		keys = append(keys, t.nameKeys(e.Field(named).Values)...)
	}
	release, err = g.locks.acquireAll(ctx, keys)
	return release, fault(t.Mapping, err)
}

// deleteObjects deletes the objects in the backend, if the last of them, the
// primary one, is as the precondition demands.
func (g *Gateway) deleteObjects(ctx context.Context, t *target, c Caller, rec idstore.Record, links []idstore.Anchor, p scim.Precondition) error {
	last := len(links) - 1
	anchor := connectors.Anchor(links[last].Key)
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
		for _, l := range links[:last] {
			err := t.Connector.Delete(ctx, connectors.Anchor(l.Key), connectors.Guard{})
			if err != nil && connectors.KindOf(err) != connectors.NotFound {
				return err
			}
		}
		err := t.Connector.Delete(ctx, anchor, guard)
		if last > 0 && connectors.KindOf(err) == connectors.NotFound {
			return nil // somebody else was faster with this one
		}
		if connectors.KindOf(err) != connectors.GuardFailed || try == attempts {
			return err
		}
	}
}

// traceEnd separates several traces, which are texts, and begins such a list.
const traceEnd = "\x00"

// trace returns how other objects refer to these, where the backend does not clear
// that away itself.
func (t *target) trace(ctx context.Context, anchors []idstore.Anchor) (string, error) {
	s, ok := connectors.As[connectors.Sweeper](t.Connector)
	if !ok {
		return "", nil
	}
	var traces []string
	for _, a := range anchors {
		trace, err := s.Trace(ctx, connectors.Anchor(a.Key))
		if connectors.KindOf(err) == connectors.NotFound && len(anchors) > 1 {
			continue // it is gone already, and so is what we could know of it
		}
		if err != nil {
			return "", err
		}
		traces = append(traces, trace)
	}
	if len(traces) == 1 {
		return traces[0], nil
	}
	return traceEnd + strings.Join(traces, traceEnd), nil
}

// sweep takes away what still refers to deleted objects.
func (t *target) sweep(ctx context.Context, trace string) error {
	s, ok := connectors.As[connectors.Sweeper](t.Connector)
	if !ok || trace == "" {
		return nil
	}
	traces := []string{trace}
	if list, several := strings.CutPrefix(trace, traceEnd); several {
		traces = strings.Split(list, traceEnd)
	}
	for _, one := range traces {
		if err := s.Sweep(ctx, one); err != nil {
			return err
		}
	}
	return nil
}
