package ldap

import (
	"context"
	"errors"
	"iter"
	"slices"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// onePage is how many entries every server gives without paging: Active Directory
// has 1,000 by default, and OpenLDAP 500.
const onePage = 500

// Search implements connectors.Connector.
func (c *collection) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) {
		f, err := c.dir.known(ctx)
		if err != nil {
			yield(connectors.Entry{}, failure(err, false))
			return
		}
		requests, err := c.requests(ctx, f, q)
		if err != nil {
			yield(connectors.Entry{}, err)
			return
		}
		left := q.Limit
		for _, r := range requests {
			if q.Limit > 0 {
				r.SizeLimit = left
				r.pageable = r.paged
				r.paged = r.paged && left > min(c.dir.pageSize(), onePage)
			}
			for e, err := range c.run(ctx, f, r, q.Want) {
				if err != nil {
					yield(connectors.Entry{}, err)
					return
				}
				left--
				if !yield(e, nil) || left == 0 && q.Limit > 0 {
					return
				}
			}
		}
	}
}

// requests returns the searches that together answer the query: one, or one for
// every so many anchors where the query is for many.
func (c *collection) requests(ctx context.Context, f *facts, q connectors.Query) ([]request, error) {
	w := filterWriter{facts: f, anchor: c.anchor, memberOf: c.memberOf}
	var err error
	if named := targets(q.Where, nil); len(named) > 0 {
		if w.places, err = c.dir.locate(ctx, f, named); err != nil {
			return nil, err
		}
	}
	anchors, others := splitAnchors(q.Where)
	r := request{
		Search: wire.Search{Base: c.Base, Scope: wire.WholeSubtree},
		want:   q.Want, extra: c.extras(q.Want), extDN: f.extDN && c.refers(q.Want),
	}
	if anchors == nil {
		if r.Filter, err = c.appendFilter(&w, q.Where); err != nil {
			return nil, err
		}
		r.paged = f.paging
		return []request{r}, nil
	}
	var rs []request
	for chunk := range slices.Chunk(anchors, anchorTerms) {
		if r.Filter, err = c.appendFilter(&w, append(connectors.And{connectors.AnchorIn(chunk)}, others...)); err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// appendFilter encodes a condition and the collection's filter.
func (c *collection) appendFilter(w *filterWriter, cond connectors.Cond) ([]byte, error) {
	if cond == nil || cond.Kind() == connectors.CondAll {
		return c.filter, nil
	}
	b, m := wire.Begin(nil, filterAnd)
	b, err := w.append(b, cond)
	if err != nil {
		return nil, err
	}
	return wire.End(append(b, c.filter...), m), nil
}

// splitAnchors takes the anchors out of a condition that is AnchorIn, or an And
// with one; each anchor once.
func splitAnchors(cond connectors.Cond) (anchors []connectors.Anchor, others connectors.And) {
	if in, ok := cond.(connectors.AnchorIn); ok {
		cond = connectors.And{in}
	}
	and, ok := cond.(connectors.And)
	if !ok {
		return nil, nil
	}
	for i, part := range and {
		in, ok := part.(connectors.AnchorIn)
		if !ok {
			continue
		}
		seen := make(map[connectors.Anchor]bool, len(in))
		anchors = []connectors.Anchor{} // none is not the same as no condition
		for _, a := range in {
			if !seen[a] {
				seen[a] = true
				anchors = append(anchors, a)
			}
		}
		return anchors, append(append(connectors.And{}, and[:i]...), and[i+1:]...)
	}
	return nil, nil
}

// run gives the entries of one search. The references of a page are resolved
// together.
func (c *collection) run(ctx context.Context, f *facts, r request, want []connectors.Attr) iter.Seq2[connectors.Entry, error] {
	return func(yield func(connectors.Entry, error) bool) {
		count := 0
		for messages, err := range c.dir.pages(ctx, r) {
			if err != nil {
				if err := c.searchError(f, err, r, count, want); err != nil {
					yield(connectors.Entry{}, err)
				}
				return
			}
			d := c.decoder(f, want)
			for _, m := range messages {
				if err := d.add(m); err != nil {
					yield(connectors.Entry{}, err)
					return
				}
			}
			if err := d.finish(ctx); err != nil {
				yield(connectors.Entry{}, err)
				return
			}
			for _, e := range d.entries {
				count++
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// searchError classifies the end of a search after count entries. A size limit
// that is the query's own is none.
func (c *collection) searchError(f *facts, err error, r request, count int, want []connectors.Attr) error {
	e, ok := errors.AsType[*wire.ResultError](err)
	switch {
	case !ok:
		return failure(err, false)
	case e.Code == wire.SizeLimitExceeded && r.SizeLimit > 0 && count >= r.SizeLimit:
		return nil
	case e.Code == wire.NoSuchObject:
		return c.baseless(e.Result)
	}
	refused := f.refused(operation{name: "search", attrs: want}, e.Result)
	if refused.Kind == connectors.Timeout { // nothing was changed that nobody knows of
		refused.Kind = connectors.Unavailable
	}
	return refused
}
