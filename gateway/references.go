package gateway

import (
	"context"
	"slices"

	"postern/connectors"
	"postern/idstore"
	"postern/mapping"
)

// standIns says which object a reference is shown by where the one that it names
// is not the primary one of its entity, as after a merge.
type standIns map[connectors.Target]connectors.Target

// of is the target by which a reference is shown.
func (s standIns) of(t connectors.Target) connectors.Target {
	if primary, ok := s[t]; ok {
		return primary
	}
	return t
}

// names resolves the references of entries to SCIM ids, all in one batch. What a
// field names twice, by two objects of one entity, has its id once.
func (g *Gateway) names(ctx context.Context, c Caller, entries []connectors.Entry) ([]mapping.Names, standIns, error) {
	r := resolution{g: g, c: c, names: make([]mapping.Names, len(entries))}
	for i := range entries {
		for _, f := range entries[i].Fields {
			if len(f.Refs) > 0 {
				r.field(i, f)
			}
		}
	}
	for collection, places := range r.places {
		if err := r.look(ctx, collection, places); err != nil {
			return nil, nil, err
		}
	}
	if r.stands != nil {
		for i := range entries {
			for _, f := range entries[i].Fields {
				r.stands.hideTwins(f.Refs, r.names[i][f.Attr])
			}
		}
	}
	return r.names, r.stands, nil
}

// A resolution is one call of names.
type resolution struct {
	g      *Gateway
	c      Caller
	names  []mapping.Names
	places map[string][]place // what the cache does not know, by collection
	age    uint64             // of the cache, when it was first asked
	asked  bool
	stands standIns
}

// A place is where the id of one referenced object is to be written.
type place struct {
	id     *string
	anchor connectors.Anchor
}

// field fills in what is known of the references of a field.
func (r *resolution) field(entry int, f connectors.Field) {
	ids := make([]string, len(f.Refs))
	if r.names[entry] == nil {
		r.names[entry] = make(mapping.Names)
	}
	r.names[entry][f.Attr] = ids
	missing, primaries, age := r.g.ids.find(f.Refs, r.domain, ids)
	if !r.asked {
		r.age, r.asked = age, true
	}
	for i, primary := range primaries {
		r.stand(f.Refs[i], primary)
	}
	for _, i := range missing {
		if r.places == nil {
			r.places = make(map[string][]place)
		}
		t := f.Refs[i]
		r.places[t.Collection] = append(r.places[t.Collection], place{id: &ids[i], anchor: t.Anchor})
	}
}

// domain is where the ids of a collection's resources are.
func (r *resolution) domain(kind string) string {
	if t, ok := r.g.targets[kind]; ok {
		return string(t.scope(r.c).IDs)
	}
	return ""
}

func (r *resolution) stand(t connectors.Target, primary connectors.Anchor) {
	if r.stands == nil {
		r.stands = make(standIns)
	}
	r.stands[t] = connectors.Target{Collection: t.Collection, Anchor: primary}
}

// lookAtOnce bounds how many objects are looked up together, and with that the
// memory it takes and how long the table is held where they are new to it.
const lookAtOnce = 2000

// look asks the identity table for the ids of objects in one collection.
func (r *resolution) look(ctx context.Context, collection string, places []place) error {
	t, ok := r.g.targets[collection]
	if !ok {
		return nil
	}
	for some := range slices.Chunk(places, lookAtOnce) {
		if err := r.lookSome(ctx, t, some); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolution) lookSome(ctx context.Context, t *target, places []place) error {
	anchors := make([]idstore.Anchor, len(places))
	for i, p := range places {
		anchors[i] = t.anchor(p.anchor)
	}
	records, err := r.g.records(ctx, t, r.c, anchors)
	if err != nil {
		return err
	}
	space := idSpace{t.kind, r.domain(t.kind)}
	for i, p := range places {
		id, ok := records[i].PublicID(idstore.Domain(space.domain))
		if !ok || records[i].Entity == 0 {
			continue
		}
		var stand connectors.Anchor
		if primary := records[i].Anchor(); primary != anchors[i] {
			stand = p.anchor // of another backend it can not be shown by
			if primary.Backend == t.Backend {
				stand = connectors.Anchor(primary.Key)
			}
			r.stand(connectors.Target{Collection: t.kind, Anchor: p.anchor}, stand)
		}
		*p.id = id.String()
		r.g.ids.keep(r.age, space, p.anchor, id, stand)
	}
	return nil
}

// hideTwins takes the id of a reference away where another of the field shows the
// same entity: the primary object shows it where it is there, else the first.
func (s standIns) hideTwins(refs []connectors.Target, ids []string) {
	var shown map[string]bool
	for i := range refs {
		if _, ok := s[refs[i]]; ok {
			shown = make(map[string]bool, len(refs))
			break
		}
	}
	if shown == nil {
		return
	}
	for i := range refs {
		if _, ok := s[refs[i]]; !ok {
			shown[ids[i]] = true
		}
	}
	for i := range refs {
		if _, ok := s[refs[i]]; ok {
			if shown[ids[i]] {
				ids[i] = ""
			} else {
				shown[ids[i]] = true
			}
		}
	}
}
