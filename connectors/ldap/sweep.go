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
	name, err := c.nameNow(ctx, f, a)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString([]byte(a)) + " " + name, nil
}

// nameNow returns the DN that an object has at this moment.
func (c *collection) nameNow(ctx context.Context, f *facts, a connectors.Anchor) (string, error) {
	t := connectors.Target{Collection: c.Name, Anchor: a}
	places, err := c.dir.locate(ctx, f, []connectors.Target{t})
	if err != nil {
		return "", err
	}
	p, ok := places[t]
	if !ok {
		return "", c.absent()
	}
	return p.dn, nil
}

// traced returns the DN in a trace.
func traced(trace string) (string, error) {
	_, name, ok := strings.Cut(trace, " ")
	if _, err := parseDN(name); !ok || err != nil || name == "" {
		return "", &connectors.Error{Kind: connectors.Internal, Err: errors.New("not a trace of this directory")}
	}
	return name, nil
}

// Sweep implements connectors.Sweeper. It does nothing while an entry has the
// DN: either the deletion did not happen, or what refers to it now may well
// mean the new one.
func (c *collection) Sweep(ctx context.Context, trace string) error {
	name, err := traced(trace)
	if err != nil {
		return err
	}
	f, err := c.dir.known(ctx)
	if err != nil {
		return failure(err, true)
	}
	if f.integral {
		return nil
	}
	if taken, err := c.taken(ctx, f, name); taken || err != nil {
		return err
	}
	for _, n := range c.dir.names {
		if err := c.dir.collections[n].redirect(ctx, f, name, ""); err != nil {
			return err
		}
	}
	return nil
}

// TraceName implements connectors.Repairer.
func (c *collection) TraceName(ctx context.Context, a connectors.Anchor) (string, error) {
	f, err := c.dir.known(ctx)
	if err != nil {
		return "", failure(err, false)
	}
	if f.integral {
		return "", nil
	}
	return c.Trace(ctx, a)
}

// Repair implements connectors.Repairer.
func (c *collection) Repair(ctx context.Context, trace string, a connectors.Anchor) (renamed bool, err error) {
	former, err := traced(trace)
	if err != nil {
		return false, err
	}
	f, err := c.dir.known(ctx)
	if err != nil {
		return false, failure(err, true)
	}
	name, err := c.nameNow(ctx, f, a)
	if err != nil {
		return false, err
	}
	was, _ := normalizeDN(former)
	if now, ok := normalizeDN(name); ok && now == was {
		return false, nil
	}
	if taken, err := c.taken(ctx, f, former); taken || err != nil {
		return true, err
	}
	for _, n := range c.dir.names {
		if err := c.dir.collections[n].redirect(ctx, f, former, name); err != nil {
			return true, err
		}
	}
	return true, nil
}

// taken reports whether an entry has the DN.
func (c *collection) taken(ctx context.Context, f *facts, name string) (bool, error) {
	_, err := c.dir.lookUp(ctx, name, "(objectClass=*)", "1.1")
	if err == nil {
		return true, nil
	}
	if e, ok := errors.AsType[*wire.ResultError](err); ok && e.Code == wire.NoSuchObject {
		return false, nil
	}
	return false, c.searchError(f, err, request{}, 0, nil)
}

// redirect puts a DN in the place of another in every reference attribute of the
// collection's entries. The empty one takes that out.
func (c *collection) redirect(ctx context.Context, f *facts, from, to string) error {
	for a := range c.References {
		if f.readOnly(a) {
			continue
		}
		holders, err := c.holders(ctx, f, a, from)
		if err != nil {
			return err
		}
		for _, w := range holders {
			if err := w.redirect(ctx, a, connectors.Value(from), connectors.Value(to)); err != nil && connectors.KindOf(err) != connectors.NotFound {
				return err
			}
		}
	}
	return nil
}

// holders finds the entries of the collection in which a reference attribute has a
// DN. All are collected before any is changed: a cursor need not survive that.
func (c *collection) holders(ctx context.Context, f *facts, a connectors.Attr, name string) (holders []*rewrite, err error) {
	filter, and := wire.Begin(nil, filterAnd)
	filter = appendItem(append(filter, c.filter...), filterEqual, a, connectors.Value(name))
	r := request{
		Search: wire.Search{Base: c.Base, Scope: wire.WholeSubtree, Filter: wire.End(filter, and)},
		extra:  c.extra, paged: f.paging,
	}
	for messages, err := range c.dir.pages(ctx, r) {
		if err != nil {
			return nil, c.searchError(f, err, r, 0, nil)
		}
		d := c.decoder(f, nil)
		for _, m := range messages {
			if err := d.add(m); err != nil {
				return nil, err
			}
		}
		for i, e := range d.entries {
			holders = append(holders, &rewrite{c: c, f: f, self: connectors.Target{Collection: c.Name, Anchor: e.Anchor}, place: place{dn: d.dns[i]}, loose: true})
		}
	}
	return holders, nil
}

// redirect puts one value in the place of another, or takes that out, if the entry
// still has it: whoever took it out meanwhile does not get the new one.
func (w *rewrite) redirect(ctx context.Context, a connectors.Attr, from, to connectors.Value) error {
	out := modification{attr: a, del: []connectors.Value{from}, lenient: true, refs: true}
	if to != "" {
		w.mods = []modification{{attr: a, del: []connectors.Value{from}, add: []connectors.Value{to}, refs: true}}
		if _, err := w.modify(ctx); connectors.KindOf(err) != connectors.GuardFailed {
			return err
		}
	}
	w.mods = []modification{out} // it is gone, or the other is there already
	_, err := w.modify(ctx)
	return err
}
