package gateway

import (
	"context"
	"slices"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// A Query is a list request (RFC 7644 §3.4.2).
type Query struct {
	Filter    scim.Filter // nil is everything
	Start     int         // 1 is the first; less is 1 (RFC 7644 §3.4.2.4)
	Count     int         // how many at most; 0 asks for the total alone
	Selection scim.Selection
}

// A Page is a part of a list.
type Page struct {
	Total   int
	Start   int
	Results []Result
}

// firstLook is how many entries the first search of a list may bring before it
// is walked as a whole instead: most filters name one entry.
const firstLook = 200

// List answers a query. What the backend can evaluate it is asked; where that
// is not the whole filter, all of it is evaluated again here, over at most
// ScanLimit entries. Totals are exact. The order is that of the anchors, the
// same at every call.
func (g *Gateway) List(ctx context.Context, c Caller, kind string, q Query) (Page, error) {
	t, err := g.target(kind)
	if err != nil {
		return Page{}, err
	}
	q.Start = max(q.Start, 1)
	l := &lister{g: g, t: t, c: c, q: q}
	l.key = snapshotKey{client: c.Client, domain: c.Domain, kind: t.kind}
	if q.Filter != nil {
		l.key.filter = q.Filter.String()
	}
	if q.Start > 1 {
		if snap := g.snapshots.find(l.key, q.Start); snap != nil {
			return l.cut(ctx, snap)
		}
	}
	if err := l.lower(ctx); err != nil {
		return Page{}, err
	}
	page, done, err := l.look(ctx)
	if err != nil || done {
		return page, err
	}
	anchors, err := l.walk(ctx)
	if err != nil {
		return Page{}, err
	}
	return l.cut(ctx, g.snapshots.keep(l.key, anchors))
}

// lister is one list request on its way.
type lister struct {
	g     *Gateway
	t     *target
	c     Caller
	q     Query
	key   snapshotKey
	cond  connectors.Cond
	exact bool
}

func (l *lister) lower(ctx context.Context) error {
	if l.q.Filter == nil {
		l.cond, l.exact = connectors.All{}, true
		return nil
	}
	refs, err := l.g.targetsOf(ctx, l.c, l.t.Mapping.FilterRefs(l.q.Filter))
	if err != nil {
		return err
	}
	lookup := mapping.Lookup{Refs: refs, Anchors: func(f scim.Compare) ([]connectors.Anchor, bool) {
		return l.anchors(ctx, f, &err)
	}}
	cond, exact, lowerErr := l.t.Mapping.Lower(l.q.Filter, l.t.Connector.Capabilities(), lookup)
	if err == nil {
		err = lowerErr
	}
	l.cond, l.exact = cond, exact
	return fault(l.t.Mapping, err)
}

// anchors answers `id eq` and `externalId eq` from the identity table.
func (l *lister) anchors(ctx context.Context, f scim.Compare, failed *error) ([]connectors.Anchor, bool) {
	if f.Op != scim.Eq {
		return nil, false
	}
	var records []idstore.Record
	var known bool
	err := l.g.store.View(ctx, func(tx idstore.Tx) (err error) {
		switch f.Path.Attr {
		case l.t.rt.ID():
			known = true
			public, ok := idstore.ParsePublicID(f.Value.Text())
			if !ok || public.String() != f.Value.Text() { // compared exactly
				return nil
			}
			rec, err := idstore.Resolve(tx, l.t.scope(l.c), public)
			if err != nil {
				if f, ok := fault(nil, err).(*Fault); ok && f.Kind == NotFound {
					return nil
				}
				return err
			}
			records = append(records, rec)
		case l.t.rt.ExternalID():
			known = true
			records, err = idstore.ByExternalID(tx, l.t.scope(l.c), f.Value.Text())
			return err
		}
		return nil
	})
	if err != nil {
		*failed = err
	}
	anchors := make([]connectors.Anchor, len(records))
	for i, rec := range records {
		anchors[i] = connectors.Anchor(rec.Anchor().Key)
	}
	return anchors, known
}

// look tries one bounded search with everything that the page needs. done is
// false when there is more than that brought.
func (l *lister) look(ctx context.Context) (page Page, done bool, err error) {
	if l.q.Count == 0 && l.exact {
		return Page{}, false, nil
	}
	want, whole := l.t.wanted(l.q.Selection)
	if !l.exact {
		want, whole = l.t.want, true
	}
	limit := firstLook
	if l.exact && l.q.Start == 1 {
		limit = min(limit, l.q.Count)
	}
	entries := make([]connectors.Entry, 0, 4)
	for e, err := range l.t.Connector.Search(ctx, connectors.Query{Where: l.cond, Want: want, Limit: limit + 1}) {
		if err != nil {
			return Page{}, false, fault(l.t.Mapping, err)
		}
		if entries = append(entries, e); len(entries) > limit {
			return Page{}, false, nil
		}
	}
	slices.SortFunc(entries, byAnchor)
	results, err := l.g.present(ctx, l.t, l.c, entries, whole, l.t.Mapping.Displays(l.q.Selection.Wants, l.q.Filter))
	if err != nil {
		return Page{}, false, err
	}
	results = slices.DeleteFunc(results, func(r Result) bool { return !l.holds(r) })
	page = Page{Total: len(results), Start: l.q.Start}
	if first := l.q.Start - 1; first < len(results) {
		page.Results = results[first:min(len(results), first+l.q.Count)]
	}
	return page, true, nil
}

// walk goes through everything that the condition finds and returns the anchors
// of what the filter lets through, sorted.
func (l *lister) walk(ctx context.Context) ([]connectors.Anchor, error) {
	q := connectors.Query{Where: l.cond}
	if !l.exact {
		q.Want = l.t.want
	}
	var anchors []connectors.Anchor
	var batch []connectors.Entry
	scanned := 0
	for e, err := range l.t.Connector.Search(ctx, q) {
		if err != nil {
			return nil, fault(l.t.Mapping, err)
		}
		if l.exact {
			anchors = append(anchors, e.Anchor)
			continue
		}
		if scanned++; scanned > l.g.scanLimit {
			return nil, scim.TooMany("the filter would have to be evaluated on more than %d resources; use an attribute that the directory can search by", l.g.scanLimit)
		}
		if batch = append(batch, e); len(batch) == firstLook {
			if anchors, err = l.sieve(ctx, batch, anchors); err != nil {
				return nil, err
			}
			batch = batch[:0]
		}
	}
	anchors, err := l.sieve(ctx, batch, anchors)
	slices.Sort(anchors)
	return anchors, err
}

// sieve appends the anchors of those entries that the filter holds for.
func (l *lister) sieve(ctx context.Context, entries []connectors.Entry, anchors []connectors.Anchor) ([]connectors.Anchor, error) {
	if len(entries) == 0 {
		return anchors, nil
	}
	results, err := l.g.present(ctx, l.t, l.c, entries, true, l.t.Mapping.Displays(nil, l.q.Filter))
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		if l.holds(r) {
			anchors = append(anchors, entries[i].Anchor)
		}
	}
	return anchors, nil
}

// holds reports whether a result belongs into the list.
func (l *lister) holds(r Result) bool {
	return r.Resource != nil && (l.exact || l.q.Filter == nil || scim.Match(l.q.Filter, r.Resource))
}

// cut reads one page of a snapshot in one batch. What was deleted since the
// snapshot was taken, or is no longer what was asked for, is left out of the
// page; the total is the snapshot's, so that positions keep their meaning.
func (l *lister) cut(ctx context.Context, snap *snapshot) (Page, error) {
	page := Page{Total: len(snap.anchors), Start: l.q.Start}
	first := min(l.q.Start-1, len(snap.anchors))
	last := min(len(snap.anchors), first+l.q.Count)
	l.g.snapshots.expect(snap, last+1)
	anchors := snap.anchors[first:last]
	if len(anchors) == 0 {
		return page, nil
	}
	want, whole := l.t.wanted(l.q.Selection)
	if l.q.Filter != nil { // it is evaluated on what is there now
		want, whole, l.exact = l.t.want, true, false
	}
	entries := make([]connectors.Entry, 0, len(anchors))
	for e, err := range l.t.Connector.Search(ctx, connectors.Query{Where: connectors.AnchorIn(anchors), Want: want}) {
		if err != nil {
			return Page{}, fault(l.t.Mapping, err)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, byAnchor)
	results, err := l.g.present(ctx, l.t, l.c, entries, whole, l.t.Mapping.Displays(l.q.Selection.Wants, l.q.Filter))
	page.Results = slices.DeleteFunc(results, func(r Result) bool { return !l.holds(r) })
	return page, err
}

func byAnchor(a, b connectors.Entry) int {
	if a.Anchor < b.Anchor {
		return -1
	}
	if a.Anchor > b.Anchor {
		return 1
	}
	return 0
}
