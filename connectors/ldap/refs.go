package ldap

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// searchesAtOnce bounds how many searches of one batch are under way together.
const searchesAtOnce = 4

// resolve finds out which objects of which collections names are: DNs as the
// server sends them, or GUIDs in hexadecimal. Names that are not in the answer
// are of no object in any collection. few says that it is remembered too where
// the objects are.
func (d *Directory) resolve(ctx context.Context, f *facts, names []string, few bool) (map[string]connectors.Target, error) {
	r := resolver{dir: d, facts: f, few: few, found: map[string]connectors.Target{}, spelled: map[string][]string{}}
	r.gather(names)
	// A name can be of one collection only; where bases overlap, the collection
	// that is named first in the configuration has it.
	for _, n := range d.names {
		if err := r.searchIn(ctx, d.collections[n]); err != nil {
			return nil, err
		}
	}
	for _, key := range r.open {
		d.cache.name(connectors.Target{}, append(r.spelled[key], key)...)
	}
	return r.found, nil
}

// A resolver is one batch of names. Its keys are what two spellings of one name
// have in common: a DN in normal form, or a GUID.
type resolver struct {
	dir     *Directory
	facts   *facts
	few     bool
	spelled map[string][]string // names by key
	open    []string            // keys that are still to be found

	mu    sync.Mutex
	found map[string]connectors.Target
	seen  map[string]bool // keys that the searches in the current collection found
}

func (r *resolver) gather(names []string) {
	for _, n := range names {
		key := n
		if _, sid := sidOf(n); !sid && !r.byGUID() {
			var ok bool
			if key, ok = normalizeDN(n); !ok || key == "" {
				r.dir.cache.name(connectors.Target{}, n)
				continue
			}
		}
		if _, ok := r.spelled[key]; !ok {
			r.open = append(r.open, key)
		}
		if !slices.Contains(r.spelled[key], n) {
			r.spelled[key] = append(r.spelled[key], n)
		}
	}
}

func (r *resolver) byGUID() bool { return r.facts.guidDN && r.facts.extDN }

// searchIn looks for the open names in one collection.
func (r *resolver) searchIn(ctx context.Context, c *collection) error {
	var inside []string
	for _, key := range r.open {
		if _, sid := sidOf(key); sid || r.byGUID() || within(key, c.baseNorm) {
			inside = append(inside, key)
		}
	}
	if len(inside) == 0 {
		return nil
	}
	r.seen = make(map[string]bool, len(inside))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(searchesAtOnce)
	for keys := range slices.Chunk(inside, r.facts.nameTerms) {
		group.Go(func() error { return r.search(ctx, c, keys) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	r.open = slices.DeleteFunc(r.open, func(key string) bool { return r.seen[key] })
	return nil
}

func (r *resolver) search(ctx context.Context, c *collection, keys []string) error {
	f := r.facts
	filter, and := wire.Begin(nil, filterAnd)
	filter = append(filter, c.filter...)
	filter, or := wire.Begin(filter, filterOr)
	for _, key := range keys {
		if sid, ok := sidOf(key); ok {
			filter = appendItem(filter, filterEqual, attrSID, connectors.Value(sid))
			continue
		}
		value := r.spelled[key][0]
		if r.byGUID() {
			raw, _ := hex.DecodeString(value) // of no object, if it is not one
			value = string(raw)
		}
		filter = appendItem(filter, filterEqual, f.nameAttr, connectors.Value(value))
	}
	filter = wire.End(wire.End(filter, or), and)
	extra := []connectors.Attr{c.anchor.attr}
	if slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, sidPrefix) }) {
		extra = append(extra, attrSID)
	}
	if r.byGUID() && !sameAttr(string(f.nameAttr), c.anchor.attr) {
		extra = append(extra, f.nameAttr)
	}
	reply, err := r.dir.pool.read(ctx, request{
		Search: wire.Search{Base: c.Base, Scope: wire.WholeSubtree, Filter: filter},
		extra:  extra,
	}.append(nil, 0, ""))
	switch {
	case err != nil:
		return failure(err, false)
	case reply.Code == wire.NoSuchObject:
		return c.baseless(reply.Result)
	case reply.Code != wire.Success:
		return f.refused(operation{name: "search"}, reply.Result)
	}
	for _, m := range reply.Entries {
		e, err := wire.ParseEntry(m)
		if err != nil {
			return &connectors.Error{Kind: connectors.Internal, Err: err}
		}
		r.take(c, e)
	}
	return nil
}

// take notes one entry that a search found.
func (r *resolver) take(c *collection, e wire.Entry) {
	t := connectors.Target{Collection: c.Name}
	key, _ := normalizeDN(e.DN)
	sid := ""
	for name, values := range e.Attributes() {
		if sameAttr(name, c.anchor.attr) {
			t.Anchor, _ = c.anchor.form.anchor(values.First())
		}
		if r.byGUID() && sameAttr(name, r.facts.nameAttr) {
			key = hex.EncodeToString([]byte(values.First()))
		}
		if sameAttr(name, attrSID) {
			sid = sidName(values.First())
		}
	}
	for _, key := range []string{key, sid} {
		names, ok := r.spelled[key]
		if t.Anchor == "" || !ok {
			continue
		}
		r.dir.cache.name(t, append(slices.Clone(names), key)...)
		if r.few {
			r.dir.cache.put(t, e.DN, false)
		}
		r.mu.Lock()
		r.seen[key] = true
		for _, n := range names {
			r.found[n] = t
		}
		r.mu.Unlock()
	}
}

// A place is where an object is at this moment.
type place struct {
	dn     string
	stamp  connectors.Stamp
	sid    string // in Active Directory
	cached bool   // not looked up for this request
}

// locate looks up where objects are: in one search if they are few, and never
// from what is remembered. Objects that are not in their collection are missing
// in the answer.
func (d *Directory) locate(ctx context.Context, f *facts, ts []connectors.Target) (map[connectors.Target]place, error) {
	l := locator{dir: d, facts: f, found: make(map[connectors.Target]place, len(ts))}
	groups := map[string][]connectors.Anchor{}
	asked := make(map[connectors.Target]bool, len(ts))
	for _, t := range ts {
		if _, ok := d.collections[t.Collection]; ok && !asked[t] {
			asked[t] = true
			groups[t.Collection] = append(groups[t.Collection], t.Anchor)
		}
	}
	if len(asked) <= anchorTerms {
		var bases []dn
		for name := range groups {
			bases = append(bases, d.collections[name].base)
		}
		if common := commonBase(bases); len(common) > 0 {
			return l.found, l.search(ctx, common.String(), groups)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(searchesAtOnce)
	for name, anchors := range groups {
		for chunk := range slices.Chunk(anchors, anchorTerms) {
			group.Go(func() error {
				return l.search(ctx, d.collections[name].Base, map[string][]connectors.Anchor{name: chunk})
			})
		}
	}
	return l.found, group.Wait()
}

type locator struct {
	dir   *Directory
	facts *facts
	mu    sync.Mutex
	found map[connectors.Target]place
}

func (l *locator) search(ctx context.Context, base string, groups map[string][]connectors.Anchor) error {
	if len(groups) == 0 {
		return nil
	}
	extra := []connectors.Attr{l.facts.stamp}
	if l.facts.guidDN {
		extra = append(extra, attrSID)
	}
	filter, or := wire.Begin(nil, filterOr)
	for name, anchors := range groups {
		c := l.dir.collections[name]
		var and int
		filter, and = wire.Begin(filter, filterAnd)
		filter = c.anchor.appendAny(filter, anchors)
		filter = wire.End(append(filter, c.filter...), and)
		if !slices.ContainsFunc(extra, func(a connectors.Attr) bool { return sameAttr(string(a), c.anchor.attr) }) {
			extra = append(extra, c.anchor.attr)
		}
	}
	filter = wire.End(filter, or)
	reply, err := l.dir.pool.read(ctx, request{
		Search: wire.Search{Base: base, Scope: wire.WholeSubtree, Filter: filter},
		extra:  extra,
	}.append(nil, 0, ""))
	switch {
	case err != nil:
		return failure(err, false)
	case reply.Code == wire.NoSuchObject:
		return &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory does not hold the configured base",
			Err: &wire.ResultError{Op: "search", Result: reply.Result}}
	case reply.Code != wire.Success:
		return l.facts.refused(operation{name: "search"}, reply.Result)
	}
	for _, m := range reply.Entries {
		e, err := wire.ParseEntry(m)
		if err != nil {
			return &connectors.Error{Kind: connectors.Internal, Err: err}
		}
		l.take(e, groups)
	}
	return nil
}

// take notes one entry under the collection whose anchors include its own.
func (l *locator) take(e wire.Entry, groups map[string][]connectors.Anchor) {
	p := place{dn: strings.Clone(e.DN)}
	for name, values := range e.Attributes() {
		if l.facts.stamp != "" && sameAttr(name, l.facts.stamp) {
			p.stamp = connectors.Stamp(values.First())
		}
		if l.facts.guidDN && sameAttr(name, attrSID) {
			p.sid = strings.Clone(values.First())
		}
	}
	for name, anchors := range groups {
		c := l.dir.collections[name]
		for attr, values := range e.Attributes() {
			if !sameAttr(attr, c.anchor.attr) {
				continue
			}
			a, ok := c.anchor.form.anchor(values.First())
			if ok && slices.Contains(anchors, a) && c.holds(e.DN) {
				l.mu.Lock()
				l.found[connectors.Target{Collection: name, Anchor: a}] = p
				l.mu.Unlock()
			}
		}
	}
}

// names returns the DNs by which targets are written or searched for; objects
// that do not exist are missing.
func (d *Directory) namesOf(ctx context.Context, f *facts, ts []connectors.Target) (map[connectors.Target]string, error) {
	if len(ts) == 0 {
		return nil, nil
	}
	places, err := d.locate(ctx, f, ts)
	if err != nil {
		return nil, err
	}
	dns := make(map[connectors.Target]string, len(places))
	for t, p := range places {
		dns[t] = p.dn
	}
	return dns, nil
}

var errNamesNothing = errors.New("a reference names no object")
