package idstore

// Merged returns how many entities have more than one link, or an alias among their ids or externalIds. Where there is none, as in
// most tables, every anchor is the primary one of its entity, and every id and externalId is what clients are shown.
func Merged(tx Tx) (uint64, error) { return counter(tx, metaMerged) }

// merges tells whether the entity is one of those that Merged counts.
func (r Record) merges() bool {
	if len(r.Links) > 1 {
		return true
	}
	for _, id := range r.IDs {
		if id.Alias {
			return true
		}
	}
	for _, x := range r.ExternalIDs {
		if x.Alias {
			return true
		}
	}
	return false
}

// countMerged keeps the count of Merged when an entity that was one record becomes another.
func countMerged(tx Tx, before, after Record) error {
	was, is := before.merges(), after.merges()
	if was == is {
		return nil
	}
	n, err := Merged(tx)
	if err != nil {
		return err
	}
	if is {
		n++
	} else {
		n--
	}
	return setCounter(tx, metaMerged, n)
}

// Primaries returns, for each anchor, the primary one of the entity that it is linked to, or the zero Anchor where no entity is.
func Primaries(tx Tx, anchors []Anchor) ([]Anchor, error) {
	primaries := make([]Anchor, len(anchors))
	for i, a := range anchors {
		r, err := FindAnchor(tx, a)
		if err != nil {
			return nil, err
		}
		primaries[i] = r.Anchor()
	}
	return primaries, nil
}
