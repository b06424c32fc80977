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
	held   bool // the names that it has are locked
}

// apply carries out a plan for the entry that it was made of. What gives the object
// another name, or another place, is written down before, so that references to the
// name that it had follow also after a crash. Where the mapping says so, a name that
// is taken gets a number. The object is locked.
func (g *Gateway) apply(ctx context.Context, w written, plan mapping.Plan, e connectors.Entry, want []connectors.Attr) (connectors.Entry, error) {
	r, err := g.beginRename(ctx, w, plan, e)
	if err != nil {
		return connectors.Entry{}, err
	}
	anchor := connectors.Anchor(w.anchor.Key)
	got, err := w.t.Connector.Apply(ctx, anchor, plan.Changes, plan.Guard, want)
	for n := 1; n <= maxNumber && w.t.nameIsTaken(err) && plan.Renames(); n++ {
		if next, other := plan.Numbered(e, n); other && r.takes(next) {
			got, err = w.t.Connector.Apply(ctx, anchor, next.Changes, next.Guard, want)
		}
	}
	r.settle(ctx, err)
	return got, err
}

// nameIsTaken reports whether a write was refused because another object has the
// name, and one with a number will do.
func (t *target) nameIsTaken(err error) bool {
	e, ok := errors.AsType[*connectors.Error](err)
	return ok && e.Kind == connectors.Exists && t.Mapping.Numbers() && strings.EqualFold(string(e.Attr), string(t.Mapping.NamedBy()))
}

// A renaming is an object on its way to another name. Until it is settled nobody here
// takes one of its names: what still refers to the object would then mean another.
type renaming struct {
	g        *Gateway
	w        written
	in       *idstore.Intent // nil where references follow by themselves
	releases []func()
}

// beginRename writes down that an object gets another name, if references would not
// follow by themselves.
func (g *Gateway) beginRename(ctx context.Context, w written, plan mapping.Plan, e connectors.Entry) (*renaming, error) {
	r := &renaming{g: g, w: w}
	repairer, ok := connectors.As[connectors.Repairer](w.t.Connector)
	if !ok || !plan.Renames() {
		return r, nil
	}
	keys := w.t.newNames(plan)
	if !w.held {
		keys = append(keys, w.t.nameKeys(e.Field(w.t.Mapping.NamedBy()).Values)...)
	}
	release, err := g.locks.acquireAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	trace, err := repairer.TraceName(ctx, connectors.Anchor(w.anchor.Key))
	if err != nil || trace == "" {
		release()
		return r, err
	}
	in, err := g.begin(ctx, w.t, idstore.Intent{Kind: idstore.Rename, Scope: w.scope, Entity: w.entity, Backend: w.t.Backend,
		Anchors: []idstore.Anchor{w.anchor}, Name: trace, Begun: g.now()})
	if err != nil {
		release()
		return nil, err
	}
	r.in, r.releases = &in, append(r.releases, release)
	return r, nil
}

// nameKeys are what to lock for the names that an attribute has.
func (t *target) nameKeys(values []connectors.Value) []string {
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = t.nameKey(string(t.Mapping.NamedBy()) + "\x00" + string(v))
	}
	return keys
}

// newNames are what to lock for the names that a plan gives.
func (t *target) newNames(plan mapping.Plan) (keys []string) {
	for _, c := range plan.Changes {
		if c.Attr == t.Mapping.NamedBy() && c.Place == nil {
			keys = append(keys, t.nameKeys(c.Add)...)
		}
	}
	return keys
}

// takes reports whether the names that a plan gives are nobody else's at the moment.
// It waits for none: who has that one may wait for one of ours.
func (r *renaming) takes(plan mapping.Plan) bool {
	if r.in == nil {
		return true
	}
	for _, key := range r.w.t.newNames(plan) {
		release, ok := r.g.locks.try(key)
		if !ok {
			return false
		}
		r.releases = append(r.releases, release)
	}
	return true
}

// settle says how it went.
func (r *renaming) settle(ctx context.Context, err error) {
	if r.in == nil {
		return
	}
	defer func() {
		for _, release := range r.releases {
			release()
		}
	}()
	ctx = context.WithoutCancel(ctx)
	switch {
	case err == nil:
		if err := r.g.settleRename(ctx, r.w.t, *r.in, true); err != nil {
			r.g.leftovers.add(r.in.ID)
			r.g.log.Warn().Err(err).Str("backend", r.in.Backend).Msg("what refers to an object that was renamed could not be repaired; it will be tried again")
		}
	case connectors.KindOf(err) == connectors.Timeout: // nobody knows what it is called
		r.g.leftovers.add(r.in.ID)
	default:
		r.g.drop(ctx, *r.in)
	}
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
