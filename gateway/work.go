package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

const (
	workLease   = 10 * time.Minute // how long a piece of work is nobody else's
	workTimeout = 2 * time.Minute  // how long one attempt may take
)

// Wake tells that an operation has queued deferred work, which WorkOff is then to
// be called for.
func (g *Gateway) Wake() <-chan struct{} { return g.wake }

// WorkOff does the deferred work that is due: what merges have left to be done in
// the backends. What fails is tried again later, with longer and longer pauses;
// the error is kept with it. One piece is taken at a time, so that what waits behind
// a slow one can be held and cancelled. It returns how many pieces it has done.
func (g *Gateway) WorkOff(ctx context.Context) (done int, err error) {
	if g.workLost.Swap(false) {
		err := g.store.Update(ctx, func(tx idstore.Tx) error { return idstore.AbandonWork(tx, g.now()) })
		if err != nil {
			g.workLost.Store(true)
			return 0, fault(nil, err)
		}
	}
	for ctx.Err() == nil {
		at, some := g.now(), false
		err := g.store.View(ctx, func(tx idstore.Tx) (err error) {
			some, err = idstore.Due(tx, at)
			return err
		})
		if err != nil || !some {
			return done, fault(nil, err)
		}
		var due []idstore.Work
		err = g.store.Update(ctx, func(tx idstore.Tx) (err error) {
			due, err = idstore.TakeWork(tx, at, workLease, 1)
			return err
		})
		if err != nil || len(due) == 0 {
			return done, fault(nil, err)
		}
		ok, err := g.attempt(ctx, due[0])
		if err != nil {
			return done, fault(nil, err)
		}
		if ok {
			done++
		}
	}
	return done, nil
}

// attempt does one piece of work and writes down how that went.
func (g *Gateway) attempt(ctx context.Context, w idstore.Work) (done bool, err error) {
	limited, cancel := context.WithTimeout(ctx, workTimeout)
	failed := g.carryOut(limited, w)
	cancel()
	err = g.store.Update(context.WithoutCancel(ctx), func(tx idstore.Tx) error {
		var err error
		if failed == nil {
			err = idstore.FinishWork(tx, w.ID, g.now())
		} else {
			_, err = idstore.FailWork(tx, w.ID, g.now(), failed.Error())
		}
		if errors.Is(err, idstore.ErrNotFound) {
			return nil // its entity was deleted meanwhile
		}
		return err
	})
	if err != nil {
		g.workLost.Store(true) // the table has it that someone is at it
	}
	log := g.log.With().Uint64("work", uint64(w.ID)).Stringer("action", w.Action).Str("backend", w.Anchor.Backend).Logger()
	switch {
	case failed != nil:
		log.Warn().Err(failed).Int("attempts", w.Attempts).Msg("deferred work failed; it will be tried again")
	case err == nil:
		log.Info().Msg("deferred work is done")
	}
	return failed == nil && err == nil, err
}

// carryOut does in the backend what the work says. What is not there any more
// needs nothing done.
func (g *Gateway) carryOut(ctx context.Context, w idstore.Work) error {
	rec, release, err := g.claimAnchor(ctx, w.Anchor)
	if err != nil || rec.Entity == 0 {
		return err
	}
	defer release()
	t, ok := g.targets[rec.Type]
	if !ok || t.Backend != w.Anchor.Backend {
		return fmt.Errorf("the configuration serves no %s from the backend %q", rec.Type, w.Anchor.Backend)
	}
	if w.Action == idstore.ActionDisable {
		_, err = g.keep(ctx, Keep{Disable: true}, written{t, idstore.Scope{Type: rec.Type}, rec.Entity, w.Anchor, false}, nil)
	} else {
		err = g.deleteLeftover(ctx, t, rec, w.Anchor)
	}
	if connectors.KindOf(err) == connectors.NotFound {
		return nil
	}
	return err
}

// claimAnchor returns the entity that an object is linked to, or the zero record,
// and keeps others from that object and from the primary one until release.
func (g *Gateway) claimAnchor(ctx context.Context, a idstore.Anchor) (rec idstore.Record, release func(), err error) {
	look := func() error {
		return g.store.View(ctx, func(tx idstore.Tx) (err error) {
			rec, err = idstore.FindAnchor(tx, a)
			return err
		})
	}
	for {
		if err := look(); err != nil || rec.Entity == 0 {
			return rec, nil, err
		}
		primary := rec.Anchor()
		if release, err = g.locks.acquireAll(ctx, []string{lockKey(a), lockKey(primary)}); err != nil {
			return rec, nil, err
		}
		if err = look(); err == nil && rec.Entity != 0 && rec.Anchor() == primary {
			return rec, release, nil
		}
		release() // it was deleted, or relinked, meanwhile
		if err != nil {
			return rec, nil, err
		}
	}
}

// Disables reports whether objects of a resource type can be disabled: whether the
// mapping writes `active`.
func (g *Gateway) Disables(kind string) bool {
	t, ok := g.targets[kind]
	return ok && t.inactive() != nil
}

// inactive is the patch that disables an account, or nil where the mapping has no
// such thing.
func (t *target) inactive() *scim.Patch {
	a, ok := t.rt.Attribute("active")
	if !ok || a.Type != scim.Boolean || a.Mutability == scim.ReadOnly {
		return nil
	}
	return &scim.Patch{Ops: []scim.Operation{{Op: scim.OpReplace, Path: scim.Path{Attr: a}, Value: scim.Bool(false)}}}
}

// deleteLeftover deletes an object that is not the primary one of its entity. What
// refers to it refers to the primary one from then on, so that nobody leaves a
// group because two accounts were one person.
func (g *Gateway) deleteLeftover(ctx context.Context, t *target, rec idstore.Record, a idstore.Anchor) error {
	primary := rec.Anchor()
	if a == primary {
		return errors.New("it is the primary object of its entity now")
	}
	leftover := connectors.Target{Collection: t.kind, Anchor: connectors.Anchor(a.Key)}
	if primary.Backend == t.Backend {
		stays := connectors.Target{Collection: t.kind, Anchor: connectors.Anchor(primary.Key)}
		for _, o := range g.order {
			if o.Backend != t.Backend {
				continue
			}
			if err := o.moveReferences(ctx, leftover, stays); err != nil {
				return err
			}
		}
	}
	free, err := g.lockNames(ctx, t, []idstore.Anchor{a})
	if err != nil {
		return err
	}
	defer free()
	trace, err := t.trace(ctx, []idstore.Anchor{a})
	if err != nil {
		return err
	}
	g.removed.add([]idstore.Anchor{a})
	if err := t.Connector.Delete(ctx, leftover.Anchor, connectors.Guard{}); err != nil {
		return err
	}
	g.ids.forget(t.kind, leftover.Anchor)
	return t.sweep(ctx, trace)
}

// moveReferences makes the references of a collection to one object references to
// another.
func (t *target) moveReferences(ctx context.Context, from, to connectors.Target) error {
	caps := t.Connector.Capabilities()
	if !caps.Conds.Has(connectors.CondRefTo) {
		return nil
	}
	for attr, kinds := range t.Mapping.References() {
		if !slices.Contains(kinds, from.Collection) || !t.Mapping.Writes(attr) {
			continue
		}
		// All are collected before any is changed: a search need not survive that.
		var holders []connectors.Anchor
		for e, err := range t.Connector.Search(ctx, connectors.Query{Where: connectors.RefTo{Attr: attr, Target: from}}) {
			if err != nil {
				return err
			}
			holders = append(holders, e.Anchor)
		}
		change := connectors.Change{Attr: attr, DeleteRefs: []connectors.Target{from}, AddRefs: []connectors.Target{to}, Lenient: true}
		for _, a := range holders {
			_, err := t.Connector.Apply(ctx, a, []connectors.Change{change}, connectors.Guard{}, nil)
			if err != nil && connectors.KindOf(err) != connectors.NotFound {
				return err
			}
		}
	}
	return nil
}
