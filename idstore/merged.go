package idstore

// Merged returns how many entities have more than one link, or an alias among their ids or externalIds, or are retired. Where there
// is none, as in most tables, every anchor is the primary one of its entity, and every id and externalId is what clients are shown.
func Merged(tx Tx) (uint64, error) { return counter(tx, metaMerged) }

// merges tells whether the entity is one of those that Merged counts.
func (r Record) merges() bool {
	if len(r.Links) > 1 || r.Retired {
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

// Listed tells, for each anchor, whether its object stands for an entity in a list: whether it is the primary one, or of no entity
// yet, and the entity is not retired.
func Listed(tx Tx, anchors []Anchor) ([]bool, error) {
	listed := make([]bool, len(anchors))
	for i, a := range anchors {
		r, err := FindAnchor(tx, a)
		if err != nil {
			return nil, err
		}
		listed[i] = r.Entity == 0 || r.Anchor() == a && !r.Retired
	}
	return listed, nil
}
