package idstore

// Adopt gives an entity and a public id to every anchor that has none in the scope, and returns the entities of all of
// them in their order. It is the first sight of backend objects: meant for a whole page of them in one transaction. The
// same anchor twice, in one call or in two at once, gets one entity. An entity of another type is returned as it is.
func Adopt(tx Tx, s Scope, anchors []Anchor) ([]Record, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	for _, a := range anchors {
		if err := a.check(); err != nil {
			return nil, err
		}
	}
	records, missing, err := ByAnchors(tx, s, anchors)
	if err != nil || len(missing) == 0 {
		return records, err
	}
	fresh, err := freshIDs(tx, len(missing))
	if err != nil {
		return nil, err
	}
	first, err := next(tx, metaEntity, len(missing))
	if err != nil {
		return nil, err
	}
	p := page{
		byAnchor: make(map[Anchor]int, len(missing)),
		byEntity: make(map[EntityID]int),
		ids:      make([]posting, 0, len(missing)),
		links:    make([]posting, 0, len(missing)),
	}
	created := now()
	for k, i := range missing {
		if same, ok := p.earlier(i, anchors[i], records[i].Entity); ok {
			records[i] = records[same]
			continue
		}
		if records[i].Entity == 0 {
			records[i] = Record{
				Entity:  EntityID(first) + EntityID(k),
				Type:    s.Type,
				Links:   []Link{{Anchor: anchors[i], Primary: true}},
				Created: created,
			}
			if err := p.link(tx, records[i]); err != nil {
				return nil, err
			}
		}
		records[i].IDs = append(records[i].IDs, ID{Domain: s.IDs, Public: fresh[k]})
		p.ids = append(p.ids, idPosting(fresh[k], records[i].Entity))
		if err := putRecord(tx, records[i]); err != nil {
			return nil, err
		}
	}
	return records, p.write(tx)
}

// page is what one Adopt has seen so far, and the postings that it will add, all at once.
type page struct {
	byAnchor map[Anchor]int   // where an anchor without an entity stands first
	byEntity map[EntityID]int // where an entity without an id stands first
	ids      []posting
	links    []posting
}

// earlier returns where the anchor, or the entity that it is linked to, was seen before in this page, and otherwise
// remembers that it stands at i.
func (p *page) earlier(i int, a Anchor, e EntityID) (int, bool) {
	if e != 0 {
		same, ok := p.byEntity[e]
		if !ok {
			p.byEntity[e] = i
		}
		return same, ok
	}
	same, ok := p.byAnchor[a]
	if !ok {
		p.byAnchor[a] = i
	}
	return same, ok
}

// link adds the posting of the entity's primary anchor.
func (p *page) link(tx Tx, r Record) error {
	a := r.Anchor()
	backend, err := tx.Names().intern(tx, kindBackend, a.Backend)
	if err != nil {
		return err
	}
	p.links = append(p.links, newPosting(textHash(backend, a.Key), r.Entity))
	return nil
}

// write adds the postings to their indexes.
func (p *page) write(tx Tx) error {
	ids := postings{tx: tx, table: TablePublicIDs}
	if err := ids.add(p.ids); err != nil {
		return err
	}
	anchors := postings{tx: tx, table: TableAnchors}
	return anchors.add(p.links)
}
