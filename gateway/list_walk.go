package gateway

import (
	"context"

	"postern/connectors"
	"postern/idstore"
	"postern/scim"
)

// batchSize is how many entries of a walk are looked at together.
const batchSize = 200

// walk goes through everything that the conditions find and returns the items
// that the filters let through, in order. It reads what the filters and the sort
// keys need, and where that is nothing the anchors alone.
func (l *lister) walk(ctx context.Context) ([]item, error) {
	if l.sorted {
		select {
		case l.g.sorting <- struct{}{}:
			defer func() { <-l.g.sorting }()
		case <-ctx.Done():
			return nil, &Fault{Kind: Timeout, Reason: "too many lists are being sorted at the moment; try again later"}
		}
	}
	found := l.gathering()
	scanned := 0
	for i, s := range l.sections {
		if s.never {
			continue
		}
		if err := l.walkSection(ctx, uint16(i), s, found, &scanned); err != nil {
			return nil, fault(s.Mapping, err)
		}
	}
	return found.inOrder(), nil
}

func (l *lister) walkSection(ctx context.Context, at uint16, s *section, found *gathering, scanned *int) error {
	var need reach
	if l.sorted {
		need = s.reach(s.Sort.Attributes())
	}
	if !s.exact {
		need = need.with(s.filterReach())
	}
	blind := s.exact && (!l.sorted || s.Sort.IsZero()) && !l.merged // the anchors say it all
	var batch []connectors.Entry
	for e, err := range s.reader.Search(ctx, connectors.Query{Where: s.cond, Want: need.want}) {
		if err != nil {
			return err
		}
		if blind {
			if err := found.add(item{at, e.Anchor}, ""); err != nil {
				return err
			}
			continue
		}
		if !s.exact {
			*scanned++
		}
		if *scanned > l.g.scanLimit {
			return scim.TooMany("the filter would have to be evaluated on more than %d resources; use an attribute that the directory can search by", l.g.scanLimit)
		}
		if batch = append(batch, e); len(batch) == batchSize {
			if err := l.sieve(ctx, at, s, batch, need, found); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return l.sieve(ctx, at, s, batch, need, found)
}

// sieve adds those entries that the filter holds for.
func (l *lister) sieve(ctx context.Context, at uint16, s *section, entries []connectors.Entry, need reach, found *gathering) error {
	if len(entries) == 0 {
		return nil
	}
	entries, err := l.primaries(ctx, s, entries)
	if err != nil {
		return err
	}
	resources, err := l.glimpse(ctx, s, entries, need)
	if err != nil {
		return err
	}
	for i, r := range resources {
		if r == nil || !s.exact && !l.holds(s, r) {
			continue
		}
		if err := found.add(item{at, entries[i].Anchor}, s.sortText(r)); err != nil {
			return err
		}
	}
	return nil
}

// glimpse makes of entries as much of their resources as was to be reached,
// aligned with them. Only what the identity table holds is looked for there.
func (l *lister) glimpse(ctx context.Context, s *section, entries []connectors.Entry, need reach) ([]*scim.Resource, error) {
	resources := make([]*scim.Resource, len(entries))
	if need.table {
		results, err := l.g.present(ctx, s.target, l.c, entries, need.whole(), need.show)
		for i, r := range results {
			resources[i] = r.Resource
		}
		return resources, err
	}
	names, stands, err := l.g.names(ctx, l.c, entries)
	if err != nil {
		return nil, err
	}
	shown, err := l.g.displays(ctx, entries, stands, need.show)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		resources[i] = s.Mapping.ProjectShown(entries[i], names[i], shown[i])
	}
	return resources, nil
}

// primaries leaves out the entries that are not the primary object of their
// entity, as a merge leaves them: the entity is listed once. What is kept of a
// deleted one is not listed at all.
func (l *lister) primaries(ctx context.Context, s *section, entries []connectors.Entry) ([]connectors.Entry, error) {
	if !l.merged {
		return entries, nil
	}
	anchors := make([]idstore.Anchor, len(entries))
	for i := range entries {
		anchors[i] = s.anchor(entries[i].Anchor)
	}
	var listed []bool
	err := l.g.store.View(ctx, func(tx idstore.Tx) (err error) {
		listed, err = idstore.Listed(tx, anchors)
		return err
	})
	if err != nil {
		return nil, fault(s.Mapping, err)
	}
	kept := entries[:0:0]
	for i := range entries {
		if listed[i] {
			kept = append(kept, entries[i])
		}
	}
	return kept, nil
}
