package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"

	"postern/connectors"
	"postern/idstore"
)

// leftovers is the intents that no running request will finish: those found in
// the table at start, and those whose request ended without knowing what became
// of its backend write.
type leftovers struct {
	mu sync.Mutex
	// ids says of each whether somebody is settling it: until that is done it is one.
	ids map[idstore.IntentID]bool
}

func (l *leftovers) add(id idstore.IntentID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = make(map[idstore.IntentID]bool)
	}
	l.ids[id] = false
}

func (l *leftovers) has(id idstore.IntentID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.ids[id]
	return ok
}

func (l *leftovers) none() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ids) == 0
}

// take reports whether an intent is there and nobody is settling it: it is then the
// caller's to settle, and to say that it is done or to add it again.
func (l *leftovers) take(id idstore.IntentID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	settling, ok := l.ids[id]
	if ok {
		l.ids[id] = true
	}
	return ok && !settling
}

// done forgets an intent that was taken, unless it was added again.
func (l *leftovers) done(id idstore.IntentID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids[id] {
		delete(l.ids, id)
	}
}

// begin records durably what is about to be done. No backend write is begun
// that could not be recorded.
func (g *Gateway) begin(ctx context.Context, t *target, in idstore.Intent) (idstore.Intent, error) {
	err := g.store.Update(ctx, func(tx idstore.Tx) (err error) {
		in, err = idstore.Begin(tx, in)
		return err
	})
	return in, fault(t.Mapping, err)
}

// drop forgets an intent that came to nothing. If that fails the intent is left
// over, and is dropped when it is next looked at.
func (g *Gateway) drop(ctx context.Context, in idstore.Intent) {
	err := g.store.Update(context.WithoutCancel(ctx), func(tx idstore.Tx) error { return idstore.Drop(tx, in.ID) })
	if err != nil {
		g.leftovers.add(in.ID)
		g.log.Warn().Err(err).Msg("an intent that came to nothing could not be forgotten; it will be at the next look")
	}
}

// TakeOver takes over the intents and the deferred work that an earlier process
// left in the table. It is called once, before the first request.
func (g *Gateway) TakeOver(ctx context.Context) error {
	g.workLost.Store(true)
	intents, err := g.intents(ctx)
	for _, in := range intents {
		g.leftovers.add(in.ID)
	}
	return fault(nil, err)
}

// intents returns what is open in the table.
func (g *Gateway) intents(ctx context.Context) (all []idstore.Intent, err error) {
	err = g.store.View(ctx, func(tx idstore.Tx) (err error) {
		all, err = openIntents(tx)
		return err
	})
	return all, err
}

// openIntents returns what is open, up to what can not be read.
func openIntents(tx idstore.Tx) (all []idstore.Intent, err error) {
	for in, err := range idstore.Intents(tx) {
		if err != nil {
			return all, err
		}
		all = append(all, in)
	}
	return all, nil
}

// Recover resolves what a crash or a time-out left open, by looking at the
// backends: what was done there is finished here, what was not is dropped. It
// returns how many are still open because their backend does not answer, or because
// what is not there may yet come; calling it again tries those again.
func (g *Gateway) Recover(ctx context.Context) (open int, err error) {
	intents, err := g.intents(ctx)
	for _, in := range intents {
		if err := g.settleAlone(ctx, in); errors.Is(err, errMayCome) {
			open++
		} else if err != nil {
			g.log.Warn().Err(err).Str("backend", in.Backend).Msg("an open intent can not be resolved yet")
			open++
		}
	}
	return open, fault(nil, err)
}

// settleAlone resolves one intent while nobody here writes to its objects or
// creates something under its name.
func (g *Gateway) settleAlone(ctx context.Context, in idstore.Intent) error {
	t, ok := g.targets[in.Scope.Type]
	if !ok || !g.leftovers.has(in.ID) {
		return nil // of a type that is not served now, or a running request's, which is not waited for
	}
	var keys []string
	if in.Kind == idstore.Create {
		keys = append(keys, t.nameKey(in.Name))
	}
	for _, a := range in.Anchors {
		keys = append(keys, lockKey(a))
	}
	release, err := g.locks.acquireAll(ctx, keys)
	if err != nil {
		return fault(t.Mapping, err)
	}
	defer release()
	return g.settle(ctx, in, g.now().Sub(in.Begun) >= g.patience)
}

// errMayCome says that a write which is not there may yet be carried out: the
// backend may have the request of a process that is gone, or that did not wait.
var errMayCome = errors.New("it may yet be carried out")

// nameKey is what to lock for whatever takes or leaves a name. Names of resources of
// other types may be the same to the backend, and so may other writings of a name.
func (t *target) nameKey(name string) string {
	return "name\x00" + t.Backend + "\x00" + strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// settleDeletions resolves the deletions and the renames in a backend that were left
// open: an object under the name of a deleted one must not find what still refers to
// that.
// One that the backend refuses to finish does not keep everybody else out.
func (g *Gateway) settleDeletions(ctx context.Context, t *target) error {
	if g.leftovers.none() {
		return nil
	}
	intents, err := g.intents(ctx)
	if err != nil {
		return fault(t.Mapping, err)
	}
	for _, in := range intents {
		if in.Kind == idstore.Create || in.Backend != t.Backend {
			continue
		}
		err := g.settleAlone(ctx, in)
		if f, ok := errors.AsType[*Fault](err); ok && (f.Kind == Unavailable || f.Kind == Timeout) {
			return err
		}
		if err != nil && !errors.Is(err, errMayCome) {
			g.log.Warn().Err(err).Str("backend", in.Backend).Msg("a deletion or a rename can not be finished; what refers to the object by its former name may be taken to mean a new one of that name")
		}
	}
	return nil
}

// settleName resolves what an earlier creation under this name left open.
func (g *Gateway) settleName(ctx context.Context, t *target, name string) error {
	var intents []idstore.Intent
	err := g.store.View(ctx, func(tx idstore.Tx) (err error) {
		intents, err = idstore.IntentsForName(tx, t.Backend, name)
		return err
	})
	if err != nil {
		return fault(t.Mapping, err)
	}
	for _, in := range intents {
		if in.Kind == idstore.Create && in.Scope.Type == t.kind {
			if err := g.settle(ctx, in, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle resolves one intent if it is a leftover. What is not there is given up if
// that is final, and errMayCome if not.
func (g *Gateway) settle(ctx context.Context, in idstore.Intent, final bool) (err error) {
	t, ok := g.targets[in.Scope.Type]
	if !ok || !g.leftovers.take(in.ID) {
		return nil // a running request's, or of a type that is not served now
	}
	defer func() {
		if err != nil {
			g.leftovers.add(in.ID)
		}
		g.leftovers.done(in.ID)
	}()
	switch in.Kind {
	case idstore.Delete:
		return g.settleDelete(ctx, t, in, final)
	case idstore.Retire:
		return g.settleRetire(ctx, t, in, final)
	case idstore.Rename:
		return g.settleRename(ctx, t, in, final)
	}
	return g.settleCreate(ctx, t, in, final)
}

// settleCreate looks for the object that a creation may have made. An intent
// without a name has none that tells its object from others: what it made gets
// its id at first sight, like any object.
func (g *Gateway) settleCreate(ctx context.Context, t *target, in idstore.Intent, final bool) error {
	if in.Name == "" {
		g.drop(ctx, in)
		return nil
	}
	q := connectors.Query{Where: nameIs(in.Name), Limit: 1}
	for e, err := range t.Connector.Search(ctx, q) {
		if err != nil {
			return fault(t.Mapping, err)
		}
		var rec idstore.Record
		err := g.store.Update(ctx, func(tx idstore.Tx) (err error) {
			rec, err = idstore.Bind(tx, in.ID, t.anchor(e.Anchor))
			return err
		})
		if errors.Is(err, idstore.ErrTaken) { // somebody else's object
			break
		}
		if err == nil {
			g.promised.keep(promiseOf(in), rec)
		}
		return fault(t.Mapping, err)
	}
	if !final {
		return errMayCome
	}
	g.drop(ctx, in)
	return nil
}

// settleDelete looks which of the objects are still there. With the primary one
// everything is as if the deletion had not been asked for, save that what referred
// to others that are gone is taken away.
func (g *Gateway) settleDelete(ctx context.Context, t *target, in idstore.Intent, final bool) error {
	there := 0
	for _, a := range in.Anchors {
		_, err := t.Connector.Get(ctx, connectors.Anchor(a.Key), nil)
		if err == nil {
			there++
		} else if connectors.KindOf(err) != connectors.NotFound {
			return fault(t.Mapping, err)
		}
	}
	if there == 0 {
		return g.settleDeleted(ctx, t, in)
	}
	if there < len(in.Anchors) {
		if err := t.sweep(ctx, in.Name); err != nil {
			return fault(t.Mapping, err)
		}
	}
	if !final {
		return errMayCome
	}
	g.drop(ctx, in)
	return nil
}

// settleDeleted finishes a deletion that the backend has carried out.
func (g *Gateway) settleDeleted(ctx context.Context, t *target, in idstore.Intent) error {
	if err := t.sweep(ctx, in.Name); err != nil {
		return fault(t.Mapping, err)
	}
	g.removed.add(in.Anchors)
	err := g.store.Update(ctx, func(tx idstore.Tx) error { return idstore.Remove(tx, in.ID) })
	for _, a := range in.Anchors {
		g.ids.forget(t.kind, connectors.Anchor(a.Key))
	}
	return fault(t.Mapping, err)
}
