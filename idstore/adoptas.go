package idstore

import "fmt"

// AdoptAs gives the object of an anchor the public id and, where it is not "", the externalId that clients know it by already, as
// from the product that was there before. An object that has the id is left with it, so that a long list can be gone through again.
// It returns the record as it then is.
//
// ErrTaken: the id means something else, or meant it, or the object has another id in the scope or is of another type.
func AdoptAs(tx Tx, s Scope, a Anchor, id PublicID, externalID string) (Record, error) {
	r, err := Adoptable(tx, s, a, id)
	if err != nil {
		return Record{}, err
	}
	was := r
	if r.Entity == 0 {
		e, err := next(tx, metaEntity, 1)
		if err != nil {
			return Record{}, err
		}
		r = Record{Entity: EntityID(e), Type: s.Type, Links: []Link{{Anchor: a, Primary: true}}, Created: now()}
	}
	if !r.hasID(s.IDs, id) {
		r.IDs = append(r.IDs[:len(r.IDs):len(r.IDs)], ID{Domain: s.IDs, Public: id})
	}
	if err := (Change{Before: was, After: r}).reindex(tx); err != nil {
		return Record{}, err
	}
	if externalID != "" && externalID != r.ExternalID(s.Externals) {
		was := r
		if r, err = withExternalID(tx, r, s.Externals, externalID); err != nil {
			return Record{}, err
		}
		if err := countMerged(tx, was, r); err != nil {
			return Record{}, err
		}
	}
	return r, putRecord(tx, r)
}

// Adoptable returns the entity that AdoptAs would give the id to, or the zero record where it would be a new one, or why it would not.
func Adoptable(tx Tx, s Scope, a Anchor, id PublicID) (Record, error) {
	if err := s.check(); err != nil {
		return Record{}, err
	}
	if err := a.check(); err != nil {
		return Record{}, err
	}
	if id.IsZero() {
		return Record{}, fmt.Errorf("an id of zeros: %w", ErrInvalid)
	}
	r, err := FindAnchor(tx, a)
	if err != nil || r.hasID(s.IDs, id) {
		return r, err
	}
	if r.Retired {
		return Record{}, fmt.Errorf("the object is kept of a %s that was deleted: %w", r.Type, ErrTaken)
	}
	if r.Entity != 0 && r.Type != s.Type {
		return Record{}, fmt.Errorf("the object is a %s already: %w", r.Type, ErrTaken)
	}
	if own, ok := r.ownID(s.IDs); ok {
		return Record{}, fmt.Errorf("the object has the id %q already: %w", own.String(), ErrTaken)
	}
	taken, err := known(tx, id)
	if err != nil {
		return Record{}, err
	}
	if taken {
		return Record{}, fmt.Errorf("id %q names something else, or did: %w", id.String(), ErrTaken)
	}
	return r, nil
}
