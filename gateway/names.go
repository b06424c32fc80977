package gateway

import (
	"context"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
	"postern/scim"
)

// resolve finds the entity that a client names by its id.
func (g *Gateway) resolve(ctx context.Context, t *target, c Caller, id string) (idstore.Record, error) {
	public, ok := idstore.ParsePublicID(id)
	if !ok || public.String() != id { // ids are compared exactly (RFC 7643 §3.1)
		return idstore.Record{}, &Fault{Kind: NotFound}
	}
	var rec idstore.Record
	err := g.store.View(ctx, func(tx idstore.Tx) (err error) {
		rec, err = idstore.Resolve(tx, t.scope(c), public)
		return err
	})
	return rec, fault(t.Mapping, err)
}

// present turns entries of one target into results for a caller, aligned with
// them: the entities behind them and behind all their references are looked up in
// one batch, and those met for the first time get their ids in one transaction
// for each type. whole says that the entries hold everything that a version
// covers, and show what references are to show of what they name. An entry that
// was deleted meanwhile has a result without a resource, and so has one that is not
// the primary object of its entity, or is kept of a deleted one.
func (g *Gateway) present(ctx context.Context, t *target, c Caller, entries []connectors.Entry, whole bool, show []mapping.Display) ([]Result, error) {
	own := make([]idstore.Anchor, len(entries))
	for i := range entries {
		own[i] = t.anchor(entries[i].Anchor)
	}
	records, err := g.records(ctx, t, c, own)
	if err != nil {
		return nil, err
	}
	names, stands, err := g.names(ctx, c, entries)
	if err != nil {
		return nil, err
	}
	shown, err := g.displays(ctx, entries, stands, show)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(entries))
	for i := range entries {
		if records[i].Anchor() != own[i] || records[i].Retired {
			continue
		}
		results[i] = g.compose(t, c, records[i], t.idOf(records[i], c), entries[i], names[i], shown[i], whole)
	}
	return results, nil
}

// presentOne is present for an entry whose entity is known already, under the id
// that was asked for, and for an answer with the attributes of a selection.
func (g *Gateway) presentOne(ctx context.Context, t *target, c Caller, rec idstore.Record, id string, e connectors.Entry, whole bool, s scim.Selection) (Result, error) {
	names, stands, err := g.names(ctx, c, []connectors.Entry{e})
	if err != nil {
		return Result{}, err
	}
	shown, err := g.displays(ctx, []connectors.Entry{e}, stands, t.Mapping.Displays(s.Wants, nil))
	if err != nil {
		return Result{}, err
	}
	return g.compose(t, c, rec, id, e, names[0], shown[0], whole), nil
}

// compose projects an entry and adds what is ours: id, externalId, meta.
func (g *Gateway) compose(t *target, c Caller, rec idstore.Record, id string, e connectors.Entry, names mapping.Names, shown mapping.Displays, whole bool) Result {
	external := rec.ExternalID(idstore.Domain(c.Domain))
	var version scim.Version
	if whole {
		version = t.version(e, external)
	}
	projected := t.Mapping.ProjectShown(e, names, shown)
	fields := make([]scim.Field, 0, len(projected.Attrs)+3)
	fields = append(fields, scim.Field{Attr: t.rt.ID(), Value: scim.Str(id)}, scim.Field{Attr: t.rt.ExternalID(), Value: scim.Str(external)})
	fields = append(fields, projected.Attrs...)
	// The mapping may know when the object was made and changed; the rest of meta is ours.
	meta := append(make([]scim.Field, 0, 5), projected.Get(t.rt.Meta()).Object()...)
	meta = append(meta, scim.Field{Attr: t.meta.resourceType, Value: scim.Str(t.kind)},
		scim.Field{Attr: t.meta.location, Value: scim.Str(t.rt.Endpoint[1:] + "/" + id)})
	if version != "" {
		meta = append(meta, scim.Field{Attr: t.meta.version, Value: scim.Str(version.String())})
	}
	fields = append(fields, scim.Field{Attr: t.rt.Meta(), Value: scim.Obj(scim.NewObject(meta...))})
	return Result{Resource: &scim.Resource{Type: t.rt, Attrs: scim.NewObject(fields...)}, Version: version}
}

// version is the hash of what the backend holds for the mapped attributes and
// of the caller's externalId, or "" where a part of it is not known.
func (t *target) version(e connectors.Entry, external string) scim.Version {
	fp, ok := t.Mapping.Fingerprint(e)
	if !ok {
		return ""
	}
	return scim.Version(fp.With(external).String())
}

// records finds or makes the entities behind anchors, aligned with them. The
// record of an object that was just deleted is zero.
func (g *Gateway) records(ctx context.Context, t *target, c Caller, anchors []idstore.Anchor) ([]idstore.Record, error) {
	var records []idstore.Record
	var missing []int
	err := g.store.View(ctx, func(tx idstore.Tx) (err error) {
		records, missing, err = idstore.ByAnchors(tx, t.scope(c), anchors)
		return err
	})
	if err != nil || len(missing) == 0 {
		return records, fault(t.Mapping, err)
	}
	fresh := make([]idstore.Anchor, len(missing))
	for at, i := range missing {
		fresh[at] = anchors[i]
	}
	adopted, err := g.firstSight(ctx, t.scope(c), fresh)
	if err != nil {
		return nil, fault(t.Mapping, err)
	}
	for at, i := range missing {
		records[i] = adopted[at]
	}
	return records, nil
}

// firstSight gives entities and ids to anchors that had none when they were looked
// up, and returns them aligned. An object that was deleted meanwhile gets none: its
// record is zero.
func (g *Gateway) firstSight(ctx context.Context, s idstore.Scope, anchors []idstore.Anchor) ([]idstore.Record, error) {
	records := make([]idstore.Record, len(anchors))
	return records, g.store.Update(ctx, func(tx idstore.Tx) error {
		var there []idstore.Anchor
		var places []int
		for i, a := range anchors {
			if !g.removed.has(a) {
				there, places = append(there, a), append(places, i)
			}
		}
		adopted, err := idstore.Adopt(tx, s, there)
		if err != nil {
			return err
		}
		for at, i := range places {
			records[i] = adopted[at]
		}
		return nil
	})
}
