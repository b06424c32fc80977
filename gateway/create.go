package gateway

import (
	"context"
	"errors"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// Create makes the resource (RFC 7644 §3.3): written down first, then done in
// the backend, then linked, so that a crash at any instant leaves no object
// twice and no object without the id that was promised.
func (g *Gateway) Create(ctx context.Context, c Caller, kind string, r *scim.Resource, o WriteOptions) (Result, error) {
	t, err := g.target(kind)
	if err != nil {
		return Result{}, err
	}
	refs, _, err := g.targetsOf(ctx, c, t.Mapping.NeedsCreate(r))
	if err != nil {
		return Result{}, err
	}
	draft, err := t.Mapping.Create(r, refs)
	if err != nil {
		return Result{}, fault(t.Mapping, err)
	}
	draft = draft.Under(t.Connector.Capabilities())
	g.ignored(t, c, draft.Ignored)

	if len(r.ExternalID()) > maxExternalID {
		return Result{}, scim.InvalidValue("externalId is longer than %d bytes", maxExternalID)
	}
	if err := g.settleDeletions(ctx, t); err != nil {
		return Result{}, err
	}
	unique := uniques(t, r)
	release, err := g.locks.acquireAll(ctx, t.uniqueKeys(unique))
	if err != nil {
		return Result{}, fault(t.Mapping, err)
	}
	defer release()
	n := creation{g: g, t: t, c: c, r: r, refs: refs, unique: unique, o: o}
	for number := 1; ; number++ {
		named, _ := draft.Numbered(draft.Name, number)
		res, err := n.under(ctx, named)
		if !errors.Is(err, errNameTaken) {
			return res, err
		}
		if number == maxNumber {
			return Result{}, &Fault{Kind: Conflict, Attr: t.Mapping.PathOf(named.Name), Reason: "too many resources have this name", Err: err}
		}
	}
}

// A creation is a resource about to be made. Its unique values are locked.
type creation struct {
	g      *Gateway
	t      *target
	c      Caller
	r      *scim.Resource
	refs   mapping.Refs
	unique []scim.Compare
	o      WriteOptions
}

// errNameTaken says that another object has the name, and one with a number will do.
var errNameTaken = errors.New("another object has the name")

// under makes the object under the name that the draft has.
func (n creation) under(ctx context.Context, draft mapping.Draft) (Result, error) {
	g, t, c := n.g, n.t, n.c
	name := namingKey(draft.Draft)
	release, err := g.locks.acquire(ctx, t.nameKey(name))
	if err != nil {
		return Result{}, fault(t.Mapping, err)
	}
	defer release()
	if err := g.settleName(ctx, t, name); err != nil {
		return Result{}, err
	}
	want, whole := t.wanted(n.o.Selection)
	in := idstore.Intent{Kind: idstore.Create, Scope: t.scope(c), Backend: t.Backend, Name: name, ExternalID: n.r.ExternalID(), Begun: g.now()}
	promise := promiseOf(in)
	answer := func(rec idstore.Record, e connectors.Entry) (Result, error) {
		res, err := g.presentOne(ctx, t, c, rec, t.idOf(rec, c), e, whole, n.o.Selection)
		if err != nil { // it is there, and the client is not told
			g.promised.keep(promise, rec)
		}
		return res, err
	}
	if kept, ok := g.promised.take(promise); ok {
		e, err := t.Connector.Get(ctx, connectors.Anchor(kept.rec.Anchor().Key), t.want)
		switch {
		case err == nil && t.isAsAsked(e, n.r, n.refs):
			return answer(kept.rec, e)
		case err == nil: // somebody else asks, or for something else: who was promised it may yet come
			g.promised.restore(promise, kept)
		case connectors.KindOf(err) != connectors.NotFound:
			g.promised.restore(promise, kept)
			return Result{}, fault(t.Mapping, err)
		}
	}
	_, taken, err := t.named(ctx, name)
	switch {
	case err != nil:
		return Result{}, fault(t.Mapping, err)
	case taken && t.Mapping.Numbers():
		return Result{}, errNameTaken
	case taken:
		in.Name = "" // after a crash the name would not tell the new object from this one
	}
	if err := g.checkUnique(ctx, t, c, n.unique, ""); err != nil {
		return Result{}, err
	}
	intent, err := g.begin(ctx, t, in)
	if err != nil {
		return Result{}, err
	}
	e, err := t.create(ctx, draft, want)
	if err != nil {
		if connectors.KindOf(err) == connectors.Timeout {
			g.leftovers.add(intent.ID) // nobody knows whether it is there
		} else {
			g.drop(ctx, intent)
		}
		if t.nameIsTaken(err) {
			return Result{}, errors.Join(errNameTaken, err)
		}
		return Result{}, g.nameTaken(ctx, t, c, name, err)
	}
	ctx = context.WithoutCancel(ctx) // it is made: the rest is not broken off
	var rec idstore.Record
	err = g.store.Update(ctx, func(tx idstore.Tx) (err error) {
		rec, err = idstore.Bind(tx, intent.ID, t.anchor(e.Anchor))
		return err
	})
	if err != nil {
		g.leftovers.add(intent.ID)
		return Result{}, &Fault{Kind: Unavailable, Err: err,
			Reason: "the resource was made, but the identity table can not be written at the moment; try again to learn its id"}
	}
	return answer(rec, e)
}

// create makes the object in the backend. A value that is taken, besides the name,
// gets a number where the mapping says so.
func (t *target) create(ctx context.Context, draft mapping.Draft, want []connectors.Attr) (connectors.Entry, error) {
	e, err := t.Connector.Create(ctx, draft.Draft, want)
	for number := 2; number <= maxNumber && !t.nameIsTaken(err); number++ {
		taken, ok := errors.AsType[*connectors.Error](err)
		if !ok || taken.Kind != connectors.Exists {
			break
		}
		other, ok := draft.Numbered(taken.Attr, number)
		if !ok {
			break
		}
		e, err = t.Connector.Create(ctx, other.Draft, want)
	}
	return e, err
}

// isAsAsked reports whether the entry holds all that can be read of the resource
// that a client asks for. A creation is the same as an earlier one only if it does:
// who now asks for an account that is closed must not be told of one that is open.
func (t *target) isAsAsked(e connectors.Entry, r *scim.Resource, refs mapping.Refs) bool {
	plan, err := t.Mapping.Plan(e, scim.PatchOf(r), refs)
	return err == nil && !plan.Under(t.Connector.Capabilities(), e).Shows()
}

// named returns an object that has the naming value, perhaps in another place or
// beside its name.
func (t *target) named(ctx context.Context, name string) (a connectors.Anchor, there bool, err error) {
	for e, err := range t.Connector.Search(ctx, connectors.Query{Where: nameIs(name), Limit: 1}) {
		return e.Anchor, err == nil, err
	}
	return "", false, nil
}

// nameIs is the condition that namingKey stands for.
func nameIs(name string) connectors.Cond {
	attr, value, _ := strings.Cut(name, "\x00")
	return connectors.Equal{Attr: connectors.Attr(attr), Value: connectors.Value(value)}
}

// namingKey is by what a created object can be found again: the attribute that
// names it and its value.
func namingKey(d connectors.Draft) string {
	f := d.Field(d.Name)
	if len(f.Values) == 0 {
		return ""
	}
	return string(d.Name) + "\x00" + string(f.Values[0])
}
