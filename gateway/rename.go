package gateway

import (
	"context"
	"errors"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
)

// maxNumber bounds how many names are tried for an object whose name is taken.
const maxNumber = 1000

// A written is an object that is about to be changed.
type written struct {
	t      *target
	scope  idstore.Scope
	entity idstore.EntityID
	anchor idstore.Anchor
}

// apply carries out a plan for the entry that it was made of. What gives the object
// another name, or another place, is written down before, so that references to the
// name that it had follow also after a crash. Where the mapping says so, a name that
// is taken gets a number. The object is locked.
func (g *Gateway) apply(ctx context.Context, w written, plan mapping.Plan, e connectors.Entry, want []connectors.Attr) (connectors.Entry, error) {
	settle, err := g.beginRename(ctx, w, plan, e)
	if err != nil {
		return connectors.Entry{}, err
	}
	anchor := connectors.Anchor(w.anchor.Key)
	got, err := w.t.Connector.Apply(ctx, anchor, plan.Changes, plan.Guard, want)
	for n := 1; n <= maxNumber && w.t.nameIsTaken(err) && plan.Renames(); n++ {
		if next, other := plan.Numbered(e, n); other {
			got, err = w.t.Connector.Apply(ctx, anchor, next.Changes, next.Guard, want)
		}
	}
	settle(err)
	return got, err
}

// nameIsTaken reports whether a write was refused because another object has the
// name, and one with a number will do.
func (t *target) nameIsTaken(err error) bool {
	e, ok := errors.AsType[*connectors.Error](err)
	return ok && e.Kind == connectors.Exists && t.Mapping.Numbers() && strings.EqualFold(string(e.Attr), string(t.Mapping.NamedBy()))
}

// beginRename writes down that an object gets another name, if references would not
// follow by themselves. Until settle is called, with how it went, nobody here takes
// one of the names: what still refers to the object would then mean another.
func (g *Gateway) beginRename(ctx context.Context, w written, plan mapping.Plan, e connectors.Entry) (settle func(error), err error) {
	nothing := func(error) {}
	r, ok := connectors.As[connectors.Repairer](w.t.Connector)
	if !ok || !plan.Renames() {
		return nothing, nil
	}
	named := w.t.Mapping.NamedBy()
	var keys []string
	for _, v := range e.Field(named).Values {
		keys = append(keys, w.t.nameKey(string(named)+"\x00"+string(v)))
	}
	for _, c := range plan.Changes {
		for _, v := range c.Add {
			if c.Attr == named {
				keys = append(keys, w.t.nameKey(string(named)+"\x00"+string(v)))
			}
		}
	}
	release, err := g.locks.acquireAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	trace, err := r.TraceName(ctx, connectors.Anchor(w.anchor.Key))
	if err != nil || trace == "" {
		release()
		return nothing, err
	}
	in, err := g.begin(ctx, w.t, idstore.Intent{Kind: idstore.Rename, Scope: w.scope, Entity: w.entity, Backend: w.t.Backend,
		Anchors: []idstore.Anchor{w.anchor}, Name: trace, Begun: g.now()})
	if err != nil {
		release()
		return nil, err
	}
	return func(err error) {
		defer release()
		ctx := context.WithoutCancel(ctx)
		switch {
		case err == nil:
			if err := g.settleRename(ctx, w.t, in, true); err != nil {
				g.leftovers.add(in.ID)
				g.log.Warn().Err(err).Str("backend", in.Backend).Msg("what refers to an object that was renamed could not be repaired; it will be tried again")
			}
		case connectors.KindOf(err) == connectors.Timeout: // nobody knows what it is called
			g.leftovers.add(in.ID)
		default:
			g.drop(ctx, in)
		}
	}, nil
}

// settleRename makes what refers to the former name of an object refer to it under
// the one that it has now. Where it is gone, nothing may refer to it.
func (g *Gateway) settleRename(ctx context.Context, t *target, in idstore.Intent, final bool) error {
	if r, ok := connectors.As[connectors.Repairer](t.Connector); ok && len(in.Anchors) == 1 {
		renamed, err := r.Repair(ctx, in.Name, connectors.Anchor(in.Anchors[0].Key))
		if connectors.KindOf(err) == connectors.NotFound {
			renamed, err = true, t.sweep(ctx, in.Name)
		}
		switch {
		case err != nil:
			return fault(t.Mapping, err)
		case !renamed && !final:
			return errMayCome
		}
	}
	g.drop(ctx, in)
	return nil
}

// settleNames is settleDeletions for what is about to get another name. Nothing is
// locked yet.
func (g *Gateway) settleNames(ctx context.Context, t *target) error {
	if _, ok := connectors.As[connectors.Repairer](t.Connector); !ok {
		return nil
	}
	return g.settleDeletions(ctx, t)
}
