package gateway

import (
	"context"
	"time"

	"postern/connectors"
	"postern/idstore"
)

// cursorEvery is how often it is written down how far a follower has come. What is
// told again after a crash does no harm.
const cursorEvery = 5 * time.Second

// Followed reports whether the backend of a resource type tells what happens in it.
func (g *Gateway) Followed(kind string) bool {
	t, ok := g.targets[kind]
	if !ok || !t.Connector.Capabilities().Watch {
		return false
	}
	_, ok = connectors.As[connectors.Watcher](t.Connector)
	return ok
}

// Follow heeds what others do in the backend to the objects of a resource type that
// Followed is true of, from where it was left, also by an earlier process. It does not end by
// itself: its error is the context's, the backend's, or the identity table's. What was told
// and could not be heeded is told again the next time.
func (g *Gateway) Follow(ctx context.Context, kind string) (err error) {
	t, err := g.target(kind)
	if err != nil {
		return err
	}
	w, ok := connectors.As[connectors.Watcher](t.Connector)
	if !ok {
		return &Fault{Kind: Unsupported, Reason: "this backend does not tell what happens"}
	}
	name := t.Backend + "/" + t.kind
	var since string
	err = g.store.View(ctx, func(tx idstore.Tx) (err error) {
		since, err = idstore.Cursor(tx, name)
		return err
	})
	if err != nil {
		return fault(t.Mapping, err)
	}
	saved, at := since, since
	save := func() error {
		if at == saved {
			return nil
		}
		err := g.store.Update(context.WithoutCancel(ctx), func(tx idstore.Tx) error { return idstore.SetCursor(tx, name, at) })
		saved = at
		return fault(t.Mapping, err)
	}
	defer func() {
		if failed := save(); err == nil {
			err = failed
		}
	}()
	due := g.now()
	for e, err := range w.Watch(ctx, connectors.Cursor(since)) {
		if err == nil {
			err = g.heed(ctx, t, e)
		}
		if err != nil {
			return fault(t.Mapping, err)
		}
		if e.Cursor != "" {
			at = string(e.Cursor)
		}
		if now := g.now(); !now.Before(due) {
			due = now.Add(cursorEvery)
			if err := save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// heed does what an event calls for. A rename calls for nothing: the anchor stays.
func (g *Gateway) heed(ctx context.Context, t *target, e connectors.Event) error {
	switch e.Kind {
	case connectors.Resync:
		g.ids.forgetAll()
		g.log.Info().Str("resource", t.kind).Str("backend", t.Backend).Str("reason", e.Reason).
			Msg("what happened in the backend until now is not known; it is followed from here on")
	case connectors.Gone:
		return g.lookForGone(ctx, t, e.Anchor)
	}
	return nil
}

// lookForGone looks for an object that is said to be gone, as a request for it would, and
// not while a request of ours is at work with it. Where it is gone indeed, what was
// remembered of it is forgotten. Its id is kept: it answers NotFound as long as the object
// is not there (see Read).
func (g *Gateway) lookForGone(ctx context.Context, t *target, a connectors.Anchor) error {
	rec, release, err := g.claimAnchor(ctx, t.anchor(a))
	if err != nil || rec.Entity == 0 {
		return err
	}
	defer release()
	if rec.Retired || rec.Type != t.kind {
		return nil
	}
	_, err = t.Connector.Get(ctx, a, nil)
	if err == nil || connectors.KindOf(err) != connectors.NotFound {
		return err
	}
	g.ids.forget(t.kind, a)
	g.promised.forget(rec.Entity)
	text, _ := g.Spell(ctx, t.kind, t.anchor(a))
	g.log.Warn().Str("resource", t.kind).Str("backend", t.Backend).Str("object", text).
		Msg("an object was deleted, or has left the base or the filter, past the gateway; its id is kept and answers 404. " +
			"`postern ids show anchor:OBJECT` tells whose it was, and `postern ids relink` names another object")
	return nil
}
