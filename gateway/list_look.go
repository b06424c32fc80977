package gateway

import (
	"context"

	"postern/connectors"
)

// look tries one bounded search of each section with everything that the page
// needs. done is false when there is more than that brought.
func (l *lister) look(ctx context.Context) (page Page, done bool, err error) {
	exact := l.exact()
	if l.count == 0 && exact {
		return Page{}, false, nil
	}
	left := l.g.firstLook
	if exact && l.from == 0 {
		left = min(left, l.count)
	}
	found := l.gathering()
	results := make(map[item]Result)
	for i, s := range l.sections {
		if s.never {
			continue
		}
		need := s.selected(s.Selection).with(s.reach(s.Sort.Attributes()))
		if !s.exact {
			need = need.with(s.filterReach())
		}
		entries := make([]connectors.Entry, 0, 4)
		for e, err := range s.reader.Search(ctx, connectors.Query{Where: s.cond, Want: need.want, Limit: left + 1}) {
			if err != nil {
				return Page{}, false, fault(s.Mapping, err)
			}
			if entries = append(entries, e); len(entries) > left {
				return Page{}, false, nil
			}
		}
		left -= len(entries)
		rs, err := l.g.present(ctx, s.target, l.c, entries, need.whole(), need.show)
		if err != nil {
			return Page{}, false, err
		}
		for j, r := range rs {
			if r.Resource == nil || !s.exact && !l.holds(s, r.Resource) {
				continue
			}
			at := item{uint16(i), entries[j].Anchor}
			if err := found.add(at, s.sortText(r.Resource)); err != nil {
				return Page{}, false, err
			}
			results[at] = r
		}
	}
	items := found.inOrder()
	page.Total = len(items)
	first := min(l.from, len(items))
	for _, at := range items[first : first+min(l.count, len(items)-first)] {
		page.Results = append(page.Results, results[at])
	}
	l.turn(&page, l.keep(items))
	return page, true, nil
}
