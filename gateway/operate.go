package gateway

import (
	"context"

	"postern/idstore"
)

// Operate carries out what an administrator does to the identity table, in one
// transaction, while no write of a client is under way with the objects that it
// concerns. Ids that were remembered are forgotten with it, so that the next
// answer shows what is then true, and deferred work that it queued is begun.
func (g *Gateway) Operate(ctx context.Context, concerned []idstore.Anchor, fn func(idstore.Tx) error) error {
	keys := make([]string, len(concerned))
	for i, a := range concerned {
		keys[i] = lockKey(a)
	}
	release, err := g.locks.acquireAll(ctx, keys)
	if err != nil {
		return fault(nil, err)
	}
	defer release()
	err = g.store.Update(ctx, fn)
	g.ids.forgetAll()
	select {
	case g.wake <- struct{}{}:
	default: // it is told already
	}
	return err
}

// lockKey is what to lock for a write to the object of an anchor.
func lockKey(a idstore.Anchor) string { return "anchor\x00" + a.Backend + "\x00" + a.Key }
