package ldap

import (
	"context"
	"slices"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// Delete implements connectors.Connector. With the assertion control the guard
// and the deletion are one step. Elsewhere the values of the guard are compared
// right before it: a delete has nothing else that it could depend on.
func (c *collection) Delete(ctx context.Context, a connectors.Anchor, g connectors.Guard) error {
	f, err := c.dir.known(ctx)
	if err != nil {
		return failure(err, true)
	}
	if g.Level > f.answers.Guard {
		return unsupported("the directory can not make the deletion conditional on that")
	}
	w := &rewrite{c: c, f: f, self: connectors.Target{Collection: c.Name, Anchor: a}, guard: g, loose: len(c.References) > 0}
	if g.Level == connectors.GuardValues {
		if err := w.compare(ctx); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		if _, err := w.find(ctx, nil, try > 1); err != nil {
			return err
		}
		err := w.delete(ctx)
		if err == nil || !w.misplaced(err) {
			return err
		}
		if try == attempts {
			return elsewhere(err)
		}
		c.dir.cache.forgetObject(w.self)
	}
}

func (w *rewrite) delete(ctx context.Context) error {
	body := wire.AppendDelete(nil, w.target())
	body, controls := wire.BeginControls(body)
	body = wire.EndControls(w.appendAssertion(body), controls)
	reply, err := w.c.dir.pool.write(ctx, body)
	if err != nil {
		return failure(err, true)
	}
	if reply.Code != wire.Success {
		return w.f.refused(operation{name: "delete", dn: w.place.dn}, reply.Result)
	}
	w.forgetNames(w.place.dn)
	return nil
}

// compare reads what the guard holds and fails if it is not the same.
func (w *rewrite) compare(ctx context.Context) error {
	var want []connectors.Attr
	for _, field := range w.guard.Read {
		want = append(want, field.Attr)
	}
	e, err := w.c.get(ctx, w.f, w.self.Anchor, want)
	if err != nil {
		return err
	}
	for _, field := range w.guard.Read {
		now := e.Field(field.Attr)
		if !sameSet(now.Values, field.Values) || !sameSet(now.Refs, field.Refs) {
			return &connectors.Error{Kind: connectors.GuardFailed, Attr: field.Attr, Reason: "the entry has changed", Err: errStale}
		}
	}
	return nil
}

// sameSet reports whether two lists without duplicates have the same elements.
func sameSet[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	in := make(map[T]bool, len(a))
	for _, v := range a {
		in[v] = true
	}
	return !slices.ContainsFunc(b, func(v T) bool { return !in[v] })
}
