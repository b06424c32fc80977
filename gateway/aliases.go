package gateway

import (
	"context"
	"strings"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// aliases pairs the aliases that a request uses with the ids that clients are
// shown in their place.
type aliases map[string]string

// rename returns the id that clients are shown.
func (a aliases) rename(id string) string {
	if shown, ok := a[id]; ok {
		return shown
	}
	return id
}

// find returns the resource of any type that a client knows by this id, in either
// case, as references are compared.
func (g *Gateway) find(tx idstore.Tx, c Caller, id string) (t *target, rec idstore.Record, err error) {
	public, ok := idstore.ParsePublicID(id)
	if !ok {
		return nil, rec, nil
	}
	for _, t := range g.order {
		rec, err := idstore.Resolve(tx, t.scope(c), public)
		if err == nil {
			return t, rec, nil
		}
		if f := fault(nil, err).(*Fault); f.Kind != NotFound {
			return nil, rec, err
		}
	}
	return nil, rec, nil
}

// referent is what an id stands for as a reference: the primary object, and the
// others that a merge has left to the entity.
func (t *target) referent(rec idstore.Record) mapping.Referent {
	primary := rec.Anchor()
	r := mapping.Referent{Target: connectors.Target{Collection: t.kind, Anchor: connectors.Anchor(primary.Key)}}
	for _, l := range rec.Links {
		if l.Anchor != primary && l.Backend == t.Backend {
			r.Others = append(r.Others, connectors.Target{Collection: t.kind, Anchor: connectors.Anchor(l.Key)})
		}
	}
	return r
}

// targetsOf resolves the SCIM ids that a request uses as references, all in one
// look at the table, and tells which of them are aliases. Ids that name nothing
// are left out: the mapping says which attribute they stood in.
func (g *Gateway) targetsOf(ctx context.Context, c Caller, ids []string) (mapping.Refs, aliases, error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	refs := make(mapping.Refs, len(ids))
	var known aliases
	err := g.store.View(ctx, func(tx idstore.Tx) error {
		for _, id := range ids {
			t, rec, err := g.find(tx, c, id)
			if err != nil {
				return err
			}
			if t == nil {
				continue
			}
			refs[id] = t.referent(rec)
			if shown := t.idOf(rec, c); !strings.EqualFold(shown, id) {
				if known == nil {
					known = make(aliases)
				}
				known[id] = shown
			}
		}
		return nil
	})
	return refs, known, fault(nil, err)
}

// renamePatch replaces the aliases in a patch by the ids that clients are shown,
// so that both mean the same where values are compared.
func (t *target) renamePatch(p scim.Patch, refs mapping.Refs, known aliases) scim.Patch {
	for alias, shown := range known {
		refs[shown] = refs[alias]
		delete(refs, alias)
	}
	return t.Mapping.RenamePatch(p, known.rename)
}

// settleAliases makes the filter of a section say the same of an entity whatever
// alias it uses: resources show their ids and externalIds alone, and are compared
// by these.
func (l *lister) settleAliases(ctx context.Context) error {
	var known aliases
	external := make(map[string][]scim.Filter) // what is found by an externalId that is not shown
	err := l.g.store.View(ctx, func(tx idstore.Tx) error {
		if n, err := idstore.Merged(tx); err != nil || n == 0 {
			return err
		}
		l.merged = true
		known = make(aliases)
		var failed error
		for _, s := range l.sections {
			if s.Filter == nil {
				continue
			}
			s.Mapping.RenameFilter(s.Filter, func(id string) string {
				t, rec, err := l.g.find(tx, l.c, id)
				if err != nil {
					failed = err
				}
				if t != nil {
					known[id] = t.idOf(rec, l.c)
				}
				return id
			})
			scim.MapFilter(s.Filter, func(f scim.Compare, _ *scim.Attribute) scim.Filter {
				if f.Path.Attr != s.rt.ExternalID() || f.Op != scim.Eq && f.Op != scim.Ne {
					return f
				}
				records, err := idstore.ByExternalID(tx, s.scope(l.c), f.Value.Text())
				if err != nil {
					failed = err
				}
				for _, rec := range records {
					if rec.ExternalID(idstore.Domain(l.c.Domain)) != f.Value.Text() {
						key := externalKey(s, f)
						external[key] = append(external[key], scim.Compare{Path: scim.AttrPath{Attr: s.rt.ID()}, Op: f.Op, Value: scim.Str(s.idOf(rec, l.c))})
					}
				}
				return f
			})
		}
		return failed
	})
	if err != nil || known == nil {
		return fault(nil, err)
	}
	l.key() // of what was asked for, which stays the same after the next merge
	for _, s := range l.sections {
		if s.Filter == nil {
			continue
		}
		s.Filter = s.Mapping.RenameFilter(s.Filter, known.rename)
		s.Filter = scim.MapFilter(s.Filter, func(f scim.Compare, _ *scim.Attribute) scim.Filter {
			if f.Path.Attr != s.rt.ExternalID() {
				return f
			}
			switch more := external[externalKey(s, f)]; {
			case len(more) == 0:
				return f
			case f.Op == scim.Eq:
				return append(scim.Or{f}, more...)
			default:
				return append(scim.And{f}, more...)
			}
		})
	}
	return nil
}

func externalKey(s *section, f scim.Compare) string {
	return s.kind + " " + f.Op.String() + " " + f.Value.Text()
}
