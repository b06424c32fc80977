package gateway

import (
	"context"

	"postern/connectors"
)

// resume finds what an earlier page of the list has left, or nil where the list
// begins here. It also says where a cursor goes on.
func (l *lister) resume() (*snapshot, error) {
	switch {
	case l.q.Cursor == nil && l.from == 0:
		return nil, nil
	case l.q.Cursor == nil:
		return l.g.snapshots.find(l.c.Client, l.key(), l.q.Start), nil
	case *l.q.Cursor == "":
		l.from = 0
		return nil, nil
	}
	return l.follow(*l.q.Cursor)
}

// keep makes a snapshot of a list, and keeps it where there is more of the list
// than this page.
func (l *lister) keep(items []item) *snapshot {
	snap := &snapshot{byCursor: l.q.Cursor != nil, items: items}
	if l.count > 0 && (l.from > 0 || len(items) > l.count) {
		snap.key = l.key()
		l.g.snapshots.keep(l.c.Client, snap)
	}
	return snap
}

// cut reads one page of a snapshot, each section's part of it in one batch. What
// was deleted since the snapshot was taken, or is no longer what was asked for,
// is left out of the page; the total is the snapshot's, so that positions keep
// their meaning.
func (l *lister) cut(ctx context.Context, snap *snapshot) (Page, error) {
	total := len(snap.items)
	first := min(l.from, total)
	items := snap.items[first : first+min(l.count, total-first)]
	results := make([]Result, len(items))
	for i, s := range l.sections {
		if err := l.fill(ctx, uint16(i), s, items, results); err != nil {
			return Page{}, err
		}
	}
	page := Page{Total: total}
	for _, r := range results {
		if r.Resource != nil {
			page.Results = append(page.Results, r)
		}
	}
	l.turn(&page, snap)
	return page, nil
}

// fill reads the items of one section into their places among the results.
func (l *lister) fill(ctx context.Context, at uint16, s *section, items []item, results []Result) error {
	var anchors []connectors.Anchor
	places := make(map[connectors.Anchor]int)
	for i, it := range items {
		if it.section == at {
			anchors = append(anchors, it.anchor)
			places[it.anchor] = i
		}
	}
	if len(anchors) == 0 {
		return nil
	}
	need := s.selected(s.Selection)
	if s.Filter != nil { // it is evaluated on what is there now
		need = need.with(s.filterReach())
	}
	entries, err := s.fetch(ctx, anchors, need.want)
	if err != nil {
		return fault(s.Mapping, err)
	}
	found, err := l.g.present(ctx, s.target, l.c, entries, need.whole(), need.show)
	if err != nil {
		return err
	}
	for i, r := range found {
		if l.holds(s, r.Resource) {
			results[places[entries[i].Anchor]] = r
		}
	}
	return nil
}

// fetch reads the objects with these anchors, as far as they are still there: in
// one batch, or where the backend can not be asked for several, one by one.
func (t *target) fetch(ctx context.Context, anchors []connectors.Anchor, want []connectors.Attr) ([]connectors.Entry, error) {
	entries := make([]connectors.Entry, 0, len(anchors))
	if t.Connector.Capabilities().Conds.Has(connectors.CondAnchorIn) {
		for e, err := range t.reader.Search(ctx, connectors.Query{Where: connectors.AnchorIn(anchors), Want: want}) {
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		return entries, nil
	}
	for _, a := range anchors {
		e, err := t.reader.Get(ctx, a, want)
		if err != nil {
			if connectors.KindOf(err) == connectors.NotFound {
				continue
			}
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}
