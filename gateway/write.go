package gateway

import (
	"context"
	"errors"
	"slices"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// WriteOptions is how a write is wanted.
type WriteOptions struct {
	Selection    scim.Selection
	Precondition scim.Precondition
	// Reply asks for the resource also where it would have to be read for the
	// answer alone (RFC 7644 §3.5.2: a request with `attributes` gets a body).
	Reply bool
}

// attempts is how often a write is planned anew because somebody else changed
// what it was about to change.
const attempts = 5

// Patch applies a PATCH (RFC 7644 §3.5.2), all of it or nothing. Where members
// are added or removed one by one and no precondition demands a look, nothing is
// read, and the result carries no resource.
func (g *Gateway) Patch(ctx context.Context, c Caller, kind, id string, p scim.Patch, o WriteOptions) (Result, error) {
	t, err := g.target(kind)
	if err != nil {
		return Result{}, err
	}
	needs := t.Mapping.Needs(p)
	w := write{
		ids:   needs.IDs,
		want:  needs.Want,
		blind: needs.Blind && !o.Precondition.Demanded() && !o.Reply,
		plan: func(e connectors.Entry, refs mapping.Refs) (mapping.Plan, error) {
			p.Spaces = t.Mapping.Evaluation("", t.Connector.Capabilities()).Spaces
			return t.Mapping.Plan(e, p, refs)
		},
		rename:   func(refs mapping.Refs, known aliases) { p = t.renamePatch(p, refs, known) },
		external: func() (string, bool) { return patchedExternalID(t.rt, p) },
	}
	for _, op := range p.Ops {
		if op.Path.Attr.Uniqueness != scim.UniqueNone && op.Path.Sub == nil && op.Op != scim.OpRemove {
			w.unique = append(w.unique, scim.Compare{Path: scim.AttrPath{Attr: op.Path.Attr}, Op: scim.Eq, Value: op.Value})
		}
	}
	return g.write(ctx, t, c, id, w, o)
}

// Replace makes the resource what the client sent (RFC 7644 §3.5.1): mapped
// attributes that it left out are cleared, save those it could not read.
func (g *Gateway) Replace(ctx context.Context, c Caller, kind, id string, r *scim.Resource, o WriteOptions) (Result, error) {
	t, err := g.target(kind)
	if err != nil {
		return Result{}, err
	}
	w := write{
		ids:  t.Mapping.NeedsCreate(r),
		want: t.want,
		plan: func(e connectors.Entry, refs mapping.Refs) (mapping.Plan, error) {
			return t.Mapping.PlanReplace(e, r, refs)
		},
		external: func() (string, bool) { return r.ExternalID(), true },
		unique:   uniques(t, r),
	}
	return g.write(ctx, t, c, id, w, o)
}

// write is a planned change of one resource.
type write struct {
	ids      []string          // SCIM ids to resolve
	want     []connectors.Attr // what planning reads
	blind    bool              // can be planned without reading the entry
	plan     func(connectors.Entry, mapping.Refs) (mapping.Plan, error)
	rename   func(mapping.Refs, aliases) // makes the plan speak of ids that are shown; nil where it needs not
	external func() (value string, set bool)
	unique   []scim.Compare // values that no other resource may have
}

func (g *Gateway) write(ctx context.Context, t *target, c Caller, id string, w write, o WriteOptions) (Result, error) {
	if err := g.settleNames(ctx, t); err != nil {
		return Result{}, err
	}
	rec, release, err := g.claim(ctx, t, c, id, w.unique)
	if err != nil {
		return Result{}, err
	}
	defer release()
	refs, known, err := g.targetsOf(ctx, c, w.ids)
	if err != nil {
		return Result{}, err
	}
	if known != nil && w.rename != nil {
		w.rename(refs, known)
	}
	if w.blind {
		return Result{}, g.writeBlind(ctx, t, c, rec, w, refs)
	}

	want, whole := t.wanted(o.Selection)
	read := want
	if o.Precondition.Demanded() {
		want, whole, read = t.want, true, t.want
	} else if !whole {
		read = slices.Clone(want)
		for _, a := range w.want {
			if !slices.Contains(read, a) {
				read = append(read, a)
			}
		}
	}
	anchor := connectors.Anchor(rec.Anchor().Key)
	external, externalSet := w.external()
	if len(external) > maxExternalID {
		return Result{}, scim.InvalidValue("externalId is longer than %d bytes", maxExternalID)
	}
	var e connectors.Entry
	for try := 1; ; try++ {
		if e, err = t.Connector.Get(ctx, anchor, read); err != nil {
			return Result{}, fault(t.Mapping, err)
		}
		if o.Precondition.Demanded() &&
			o.Precondition.Check(t.version(e, rec.ExternalID(idstore.Domain(c.Domain))), true) != scim.OK {
			return Result{}, preconditionFailed()
		}
		plan, err := w.plan(e, refs)
		if err != nil {
			return Result{}, fault(t.Mapping, err)
		}
		plan = plan.Under(t.Connector.Capabilities(), e)
		g.ignored(t, c, plan.Ignored)
		if try == 1 && len(plan.Changes) > 0 {
			if err := g.checkUnique(ctx, t, c, w.unique, anchor); err != nil {
				return Result{}, err
			}
		}
		was := rec
		if externalSet { // before the backend's write, since it can be taken back
			if rec, err = g.setExternalID(ctx, t, c, rec, external); err != nil {
				return Result{}, err
			}
		}
		if len(plan.Changes) == 0 {
			break
		}
		if o.Precondition.Demanded() {
			plan = plan.Conditional(t.Connector.Capabilities().Guard, e)
		}
		if e, err = g.apply(ctx, written{t, t.scope(c), rec.Entity, rec.Anchor(), false}, plan, e, want); err == nil {
			break
		}
		if externalSet && connectors.KindOf(err) != connectors.Timeout {
			if rec, err = g.takeBack(ctx, t, c, rec, was, err); err != nil && connectors.KindOf(err) != connectors.GuardFailed {
				return Result{}, fault(t.Mapping, err)
			}
		}
		if connectors.KindOf(err) != connectors.GuardFailed || try == attempts {
			return Result{}, fault(t.Mapping, err)
		}
	}
	return g.presentOne(ctx, t, c, rec, id, e, whole, o.Selection)
}

// takeBack gives an entity its former externalId after the backend refused the
// rest of the write, and returns why the write failed.
func (g *Gateway) takeBack(ctx context.Context, t *target, c Caller, rec, was idstore.Record, why error) (idstore.Record, error) {
	rec, err := g.setExternalID(ctx, t, c, rec, was.ExternalID(idstore.Domain(c.Domain)))
	if err != nil {
		return rec, errors.Join(why, err)
	}
	return rec, why
}

func (g *Gateway) writeBlind(ctx context.Context, t *target, c Caller, rec idstore.Record, w write, refs mapping.Refs) error {
	plan, err := w.plan(connectors.Entry{Anchor: connectors.Anchor(rec.Anchor().Key)}, refs)
	if err != nil {
		return fault(t.Mapping, err)
	}
	g.ignored(t, c, plan.Ignored)
	_, err = t.Connector.Apply(ctx, connectors.Anchor(rec.Anchor().Key), plan.Changes, plan.Guard, nil)
	return fault(t.Mapping, err)
}

// claim finds the entity that a client names and takes its lock, and those of
// the unique values that the write gives it. The entity is as it is under the
// lock.
func (g *Gateway) claim(ctx context.Context, t *target, c Caller, id string, unique []scim.Compare) (rec idstore.Record, release func(), err error) {
	for {
		if rec, err = g.resolve(ctx, t, c, id); err != nil {
			return rec, nil, err
		}
		a := rec.Anchor()
		release, err = g.locks.acquireAll(ctx, append(t.uniqueKeys(unique), lockKey(a)))
		if err != nil {
			return rec, nil, fault(t.Mapping, err)
		}
		if rec, err = g.resolve(ctx, t, c, id); err != nil {
			release()
			return rec, nil, err
		}
		if rec.Anchor() == a {
			return rec, release, nil
		}
		release() // it was linked to another object meanwhile
	}
}

// maxExternalID bounds an externalId, in bytes.
const maxExternalID = 4096

// setExternalID writes the client's key for an entity. It is not broken off when
// the client leaves, since it is one half of a write.
func (g *Gateway) setExternalID(ctx context.Context, t *target, c Caller, rec idstore.Record, value string) (idstore.Record, error) {
	if rec.ExternalID(idstore.Domain(c.Domain)) == value {
		return rec, nil
	}
	err := g.store.Update(context.WithoutCancel(ctx), func(tx idstore.Tx) (err error) {
		rec, err = idstore.SetExternalID(tx, t.scope(c), rec.Entity, value)
		return err
	})
	return rec, fault(t.Mapping, err)
}

// maxIgnored is how much of what a client sent in vain is logged: a request can
// name a hundred thousand members that are none.
const maxIgnored = 100

// ignored logs what a client sent that no rule of the mapping can hold.
func (g *Gateway) ignored(t *target, c Caller, paths []string) {
	if len(paths) == 0 {
		return
	}
	e := g.log.Info().Str("request", c.Request).Str("client", c.Client).Str("resource", t.kind)
	if more := len(paths) - maxIgnored; more > 0 {
		e, paths = e.Int("more", more), paths[:maxIgnored]
	}
	e.Strs("ignored", paths).Msg("the mapping has no place for what the client sent")
}

func patchedExternalID(rt *scim.ResourceType, p scim.Patch) (value string, set bool) {
	for _, op := range p.Ops {
		if op.Path.Attr == rt.ExternalID() {
			value, set = "", true
			if op.Op != scim.OpRemove {
				value = op.Value.Text()
			}
		}
	}
	return value, set
}
