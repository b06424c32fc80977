package gateway

import (
	"context"
	"errors"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// lower turns the filter of a section into a condition of its backend.
func (l *lister) lower(ctx context.Context, s *section) error {
	if s.Filter == nil {
		s.cond, s.exact = connectors.All{}, true
		return nil
	}
	refs, _, err := l.g.targetsOf(ctx, l.c, s.Mapping.FilterRefs(s.Filter))
	if err != nil {
		return err
	}
	lookup := mapping.Lookup{Refs: refs, Anchors: func(f scim.Compare) ([]connectors.Anchor, bool) {
		anchors, known, failed := l.anchors(ctx, s, f)
		if failed != nil {
			err = failed
		}
		return anchors, known
	}}
	cond, exact, lowerErr := s.Mapping.Lower(s.Filter, s.Connector.Capabilities(), lookup)
	if err == nil {
		err = lowerErr
	}
	or, isOr := cond.(connectors.Or)
	s.cond, s.exact, s.never = cond, exact, isOr && len(or) == 0
	if err != nil || s.never {
		return fault(s.Mapping, err)
	}
	fresh, err := s.ask(ctx)
	if err != nil || !fresh {
		return fault(s.Mapping, err)
	}
	s.evaluation = s.Mapping.Evaluation(l.q.BaseURL, s.Connector.Capabilities())
	return l.lower(ctx, s)
}

// ask makes sure that the capabilities of the backend are known, and reports whether
// they were not.
func (t *target) ask(ctx context.Context) (fresh bool, err error) {
	if a, ok := connectors.As[connectors.Asker](t.Connector); ok {
		return a.Ask(ctx)
	}
	return false, nil
}

// anchors answers `id eq`, `meta.location eq` and `externalId eq` from the
// identity table.
func (l *lister) anchors(ctx context.Context, s *section, f scim.Compare) (anchors []connectors.Anchor, known bool, err error) {
	if f.Op != scim.Eq {
		return nil, false, nil
	}
	var records []idstore.Record
	byID := func(tx idstore.Tx, id string) error {
		public, ok := idstore.ParsePublicID(id)
		if !ok || public.String() != id { // compared exactly
			return nil
		}
		rec, err := idstore.Resolve(tx, s.scope(l.c), public)
		if err != nil {
			if f, ok := errors.AsType[*Fault](fault(nil, err)); ok && f.Kind == NotFound {
				return nil
			}
			return err
		}
		records = append(records, rec)
		return nil
	}
	err = l.g.store.View(ctx, func(tx idstore.Tx) (err error) {
		known = true
		switch f.Path.Attr {
		case s.rt.ID():
			return byID(tx, f.Value.Text())
		case s.rt.Meta():
			if id, ok := strings.CutPrefix(f.Value.Text(), l.endpoint(s)); ok {
				return byID(tx, id)
			}
			return nil
		case s.rt.ExternalID():
			records, err = idstore.ByExternalID(tx, s.scope(l.c), f.Value.Text())
			return err
		}
		known = false
		return nil
	})
	for _, rec := range records {
		anchors = append(anchors, connectors.Anchor(rec.Anchor().Key))
	}
	return anchors, known, err
}

// endpoint is what the locations of a section's resources begin with.
func (l *lister) endpoint(s *section) string {
	if l.q.BaseURL == "" {
		return s.rt.Endpoint[1:] + "/"
	}
	return strings.TrimSuffix(l.q.BaseURL, "/") + s.rt.Endpoint + "/"
}
