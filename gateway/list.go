package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"postern/connectors"
	"postern/scim"
)

// A Query is a list request over one or several resource types (RFC 7644
// §3.4.2).
type Query struct {
	Parts      []Part
	Descending bool   // where a part has a sort key
	Count      int    // how many resources at most; 0 asks for the total alone
	Start      int    // 1 is the first; less is 1 (RFC 7644 §3.4.2.4)
	BaseURL    string // what a client sees before what is relative, as filters have it

	// Cursor asks for a page by cursor (RFC 9865) and not by Start: one that a
	// Page has given, or an empty one for the first page.
	Cursor *string
}

// A Part is what a query asks of the resources of one type.
type Part struct {
	Kind      string
	Filter    scim.Filter  // nil is everything
	Sort      scim.SortKey // where it is zero in all parts, nothing is sorted
	Selection scim.Selection
}

// A Page is a part of a list.
type Page struct {
	Total          int
	Start          int    // of a page that was asked for by index
	Previous, Next string // cursors, of one that was asked for by cursor; "" where there is no such page
	Results        []Result
}

// List answers a query. What the backend can evaluate it is asked; where that
// is not the whole filter, all of it is evaluated again here, over at most
// ScanLimit entries. Totals are exact. What is not sorted is in the order of the
// parts and the anchors, the same at every call; so is what sorts alike.
func (g *Gateway) List(ctx context.Context, c Caller, q Query) (Page, error) {
	l, err := g.lister(c, q)
	if err != nil {
		return Page{}, err
	}
	if err := l.settleAliases(ctx); err != nil {
		return Page{}, err
	}
	if snap, err := l.resume(); err != nil || snap != nil {
		if err != nil {
			return Page{}, err
		}
		return l.cut(ctx, snap)
	}
	for _, s := range l.sections {
		if err := l.lower(ctx, s); err != nil {
			return Page{}, err
		}
	}
	page, done, err := l.look(ctx)
	if err != nil || done {
		return page, err
	}
	items, err := l.walk(ctx)
	if err != nil {
		return Page{}, err
	}
	return l.cut(ctx, l.keep(items))
}

// lister is one list request on its way.
type lister struct {
	g           *Gateway
	c           Caller
	q           Query
	sections    []*section
	sorted      bool
	merged      bool // there are entities with several objects or aliases
	from, count int  // what of the list is asked for: count items after the first `from`
	known       *listKey
}

// section is one part of a query on its way.
type section struct {
	Part
	*target
	cond  connectors.Cond
	exact bool // the condition is the whole filter
	never bool // the filter holds nowhere: there is nothing to ask
	// evaluation is how the filter is evaluated here.
	evaluation scim.Evaluation
}

// item is a place in a list: an object and the section that it is of.
type item struct {
	section uint16
	anchor  connectors.Anchor
}

func (g *Gateway) lister(c Caller, q Query) (*lister, error) {
	q.Start = max(q.Start, 1)
	q.Count = max(q.Count, 0)
	l := &lister{g: g, c: c, q: q, sections: make([]*section, len(q.Parts)), from: q.Start - 1, count: q.Count}
	for i, p := range q.Parts {
		t, err := g.target(p.Kind)
		if err != nil {
			return nil, err
		}
		l.sections[i] = &section{Part: p, target: t}
		if p.Filter != nil {
			l.sections[i].evaluation = t.Mapping.Evaluation(q.BaseURL, t.Connector.Capabilities())
		}
		l.sorted = l.sorted || !p.Sort.IsZero()
	}
	l.sorted = l.sorted && l.count > 0 // a total has no order
	return l, nil
}

// A listKey tells lists apart by all that their order and content depend on, so
// that no client's walk moves another's.
type listKey [sha256.Size]byte

func (l *lister) key() listKey {
	if l.known != nil {
		return *l.known
	}
	text := []byte{0}
	if l.q.Descending {
		text[0] = 1
	}
	add := func(s string) {
		text = binary.AppendUvarint(text, uint64(len(s)))
		text = append(text, s...)
	}
	add(l.c.Client)
	add(l.c.Domain)
	add(l.q.BaseURL)
	for _, s := range l.sections {
		add(s.Kind)
		add(s.Sort.String())
		if s.Filter != nil {
			add(s.Filter.String())
		} else {
			add("")
		}
	}
	key := listKey(sha256.Sum256(text))
	l.known = &key
	return key
}

// exact reports whether what the backends find is what is asked for.
func (l *lister) exact() bool {
	for _, s := range l.sections {
		if !s.exact {
			return false
		}
	}
	return true
}

// holds reports whether a result belongs into the list, as the resource is now.
func (l *lister) holds(s *section, r *scim.Resource) bool {
	return r != nil && (s.Filter == nil || s.evaluation.Match(s.Filter, r))
}
