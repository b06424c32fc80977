package ldap

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// Trace implements connectors.Sweeper: the anchor and the DN.
func (c *collection) Trace(ctx context.Context, a connectors.Anchor) (string, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return "", failure(err, false)
	}
	t := connectors.Target{Collection: c.Name, Anchor: a}
	places, err := c.dir.locate(ctx, f, []connectors.Target{t})
	if err != nil {
		return "", err
	}
	p, ok := places[t]
	if !ok {
		return "", c.absent()
	}
	return hex.EncodeToString([]byte(a)) + " " + p.dn, nil
}

// Sweep implements connectors.Sweeper. It does nothing while an entry has the
// DN: either the deletion did not happen, or what refers to it now may well
// mean the new one.
func (c *collection) Sweep(ctx context.Context, trace string) error {
	_, name, ok := strings.Cut(trace, " ")
	if _, err := parseDN(name); !ok || err != nil || name == "" {
		return &connectors.Error{Kind: connectors.Internal, Err: errors.New("not a trace of this directory")}
	}
	f, err := c.dir.known(ctx)
	if err != nil {
		return failure(err, true)
	}
	if f.integrity {
		return nil
	}
	if _, err := c.dir.lookUp(ctx, name, "(objectClass=*)", "1.1"); err == nil {
		return nil
	} else if e, ok := errors.AsType[*wire.ResultError](err); !ok || e.Code != wire.NoSuchObject {
		return c.searchError(f, err, request{}, 0, nil)
	}
	for _, n := range c.dir.names {
		if err := c.dir.collections[n].dropReferences(ctx, f, name); err != nil {
			return err
		}
	}
	return nil
}

// dropReferences takes a DN out of every reference attribute of the collection's
// entries.
func (c *collection) dropReferences(ctx context.Context, f *facts, name string) error {
	var attrs []connectors.Attr
	filter, and := wire.Begin(nil, filterAnd)
	filter = append(filter, c.filter...)
	filter, or := wire.Begin(filter, filterOr)
	for a := range c.References {
		if !f.readOnly(a) {
			attrs = append(attrs, a)
			filter = appendItem(filter, filterEqual, a, connectors.Value(name))
		}
	}
	if len(attrs) == 0 {
		return nil
	}
	r := request{
		Search: wire.Search{Base: c.Base, Scope: wire.WholeSubtree, Filter: wire.End(wire.End(filter, or), and)},
		extra:  c.extra, paged: f.paging,
	}
	// All are collected before any is changed: a cursor need not survive that.
	var holders []connectors.Entry
	var dns []string
	for messages, err := range c.dir.pages(ctx, r) {
		if err != nil {
			return c.searchError(f, err, r, 0, nil)
		}
		d := c.decoder(f, nil)
		for _, m := range messages {
			if err := d.add(m); err != nil {
				return err
			}
		}
		holders, dns = append(holders, d.entries...), append(dns, d.dns...)
	}
	for i, e := range holders {
		w := &rewrite{c: c, f: f, self: connectors.Target{Collection: c.Name, Anchor: e.Anchor}, place: place{dn: dns[i]}}
		for _, a := range attrs {
			w.mods = append(w.mods, modification{attr: a, del: []connectors.Value{connectors.Value(name)}, lenient: true, refs: true})
		}
		if _, err := w.modify(ctx); err != nil && connectors.KindOf(err) != connectors.NotFound {
			return err
		}
	}
	return nil
}
