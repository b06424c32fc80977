package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A collection is the connector of one Collection.
type collection struct {
	Collection
	dir      *Directory
	filter   []byte
	base     dn
	baseNorm string
	anchor   anchorField // set by settle
	// extra are the attributes that every read of an entry asks for. Set by settle.
	extra []connectors.Attr
	// memberOf is the attribute to which the primary group is added, or "", and
	// extraPrimary what is asked for then. Set by settle.
	memberOf     connectors.Attr
	extraPrimary []connectors.Attr
	// required holds the reference attributes that entries of the object classes
	// must have. Set by settle.
	required map[connectors.Attr]bool
}

// freshFor is how long what was read of an entry stands for its scope and its
// DN in a write that can not assert them.
const freshFor = 2 * time.Second

func newCollection(d *Directory, spec Collection) (*collection, error) {
	c := &collection{Collection: spec, dir: d}
	var err error
	if c.filter, err = compileFilter(spec.Filter); err != nil {
		return nil, err
	}
	if c.base, err = parseDN(spec.Base); err != nil || len(c.base) == 0 {
		return nil, fmt.Errorf("base %q: %w", spec.Base, errDN)
	}
	c.baseNorm = c.base.normalize()
	if _, err := parseDN(spec.Placeholder); err != nil {
		return nil, fmt.Errorf("placeholder %q: %w", spec.Placeholder, err)
	}
	return c, nil
}

// settle fixes what depends on the server. It happens once, before any request.
func (c *collection) settle(f *facts) {
	attr := c.Anchor
	if attr == "" {
		attr = f.dialect.anchor
	}
	c.anchor = anchorField{connectors.Attr(attr), anchorFormOf(attr)}
	c.extra = []connectors.Attr{c.anchor.attr, f.stamp}
	c.settlePrimary(f)
	c.required = map[connectors.Attr]bool{}
	for a := range c.References {
		if f.schema.requires(c.ObjectClass, string(a)) {
			c.required[a] = true
		}
	}
}

// Capabilities returns what the server can do. Before the first contact nobody
// knows: then everything is claimed, so that what is asked comes here and is
// answered Unavailable rather than refused.
func (c *collection) Capabilities() connectors.Capabilities {
	if f := c.dir.facts.Load(); f != nil {
		answers := f.answers
		answers.Watch = c.unwatched(f) == ""
		return answers
	}
	return connectors.Capabilities{Conds: connectors.AllConds, Guard: connectors.GuardValues, Places: true, Watch: true}
}

// Ask implements connectors.Asker.
func (c *collection) Ask(ctx context.Context) (fresh bool, err error) {
	if c.dir.facts.Load() != nil {
		return false, nil
	}
	if _, err := c.dir.known(ctx); err != nil {
		return false, failure(err, false)
	}
	return true, nil
}

// byGUID reports whether objects are read and written under their GUID.
func (c *collection) byGUID(f *facts) bool { return f.guidDN && c.anchor.form == anchorBytes }

// holds reports whether a DN is within the base.
func (c *collection) holds(name string) bool {
	if len(name) > len(c.Base) && strings.HasSuffix(name, c.Base) && name[len(name)-len(c.Base)-1] == ',' &&
		!escapedAt(name, len(name)-len(c.Base)-1) {
		return true
	}
	n, ok := normalizeDN(name)
	return ok && within(n, c.baseNorm)
}

// within reports whether a container is the base or lies in it.
func (c *collection) within(container string) bool {
	n, ok := normalizeDN(container)
	return ok && within(n, c.baseNorm)
}

// refers reports whether one of the attributes holds references.
func (c *collection) refers(want []connectors.Attr) bool {
	for _, a := range want {
		if _, ok := c.References[a]; ok {
			return true
		}
	}
	return false
}

// Get implements connectors.Connector.
func (c *collection) Get(ctx context.Context, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return connectors.Entry{}, failure(err, false)
	}
	return c.get(ctx, f, a, want)
}

func (c *collection) get(ctx context.Context, f *facts, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	if !c.anchor.form.valid(a) {
		return connectors.Entry{}, notFound()
	}
	body := c.dir.body()
	*body = c.appendGet(*body, f, a, want)
	reply, err := c.dir.pool.read(ctx, *body)
	c.dir.done(body)
	if err != nil {
		return connectors.Entry{}, failure(err, false)
	}
	return c.single(ctx, f, reply, a, want)
}

// appendGet encodes the search for one object in the collection's scope.
func (c *collection) appendGet(b []byte, f *facts, a connectors.Anchor, want []connectors.Attr) []byte {
	filter := c.dir.body()
	defer c.dir.done(filter)
	s := wire.Search{Base: c.Base, Scope: wire.WholeSubtree, SizeLimit: 2, Filter: c.filter}
	if c.byGUID(f) {
		s.Base, s.Scope, s.SizeLimit = guidDN(a), wire.BaseObject, 0
	} else {
		var m int
		*filter, m = wire.Begin(*filter, filterAnd)
		*filter = c.anchor.appendIs(*filter, a)
		*filter = wire.End(append(*filter, c.filter...), m)
		s.Filter = *filter
	}
	return request{Search: s, want: want, extra: c.extras(want), extDN: f.extDN && c.refers(want)}.append(b, 0, "")
}

// single makes an entry of the answer to a search for one object.
func (c *collection) single(ctx context.Context, f *facts, reply wire.Reply, a connectors.Anchor, want []connectors.Attr) (connectors.Entry, error) {
	switch {
	case reply.Code == wire.NoSuchObject && c.byGUID(f):
		return connectors.Entry{}, c.absent()
	case reply.Code == wire.NoSuchObject:
		return connectors.Entry{}, c.baseless(reply.Result)
	case reply.Code != wire.Success && reply.Code != wire.SizeLimitExceeded:
		return connectors.Entry{}, f.refused(operation{name: "search", attrs: want}, reply.Result)
	case len(reply.Entries) == 0:
		return connectors.Entry{}, c.absent()
	case len(reply.Entries) > 1:
		return connectors.Entry{}, &connectors.Error{Kind: connectors.Internal, Err: fmt.Errorf("several entries of %q have one anchor", c.Base)}
	}
	d := c.decoder(f, want)
	if err := d.add(reply.Entries[0]); err != nil {
		return connectors.Entry{}, err
	}
	if !c.holds(d.dns[0]) || d.entries[0].Anchor != a {
		return connectors.Entry{}, c.absent()
	}
	if err := d.finish(ctx); err != nil {
		return connectors.Entry{}, err
	}
	c.dir.cache.put(connectors.Target{Collection: c.Name, Anchor: a}, d.dns[0], true)
	return d.entries[0], nil
}

// absent is NotFound, unless the object may only not have arrived here yet.
func (c *collection) absent() *connectors.Error {
	if c.dir.pool.failedOver(c.dir.config.Pin) {
		return &connectors.Error{Kind: connectors.Unavailable, Reason: "another directory server has just taken over",
			Err: errors.New("no such object, shortly after a fail-over")}
	}
	return notFound()
}

// baseless says that the collection's base does not exist: no answer about one
// of its objects.
func (c *collection) baseless(res wire.Result) *connectors.Error {
	return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory does not hold the configured base",
		Err: fmt.Errorf("base %q: %w", c.Base, &wire.ResultError{Op: "search", Result: res})}
}
