package idstore

import "fmt"

// Remove ends an intent to delete: the backend objects are gone, or, of one to retire, are kept as nobody sees them. Every
// public id of the entity becomes a tombstone. Nothing else of it remains but the history, and of a retired one its links. It returns
// ErrNotFound where the intent is not open.
func Remove(tx Tx, id IntentID) error {
	in, err := intent(tx, id)
	if err != nil {
		return err
	}
	if in.Kind != Delete && in.Kind != Retire {
		return fmt.Errorf("an intent to %s removes nothing: %w", in.Kind, ErrInvalid)
	}
	r, err := entityRecord(tx, in.Entity)
	if err != nil {
		return err
	}
	// Another intent to delete the same entity may have ended first.
	if r.Entity != 0 && (in.Kind == Delete || !r.Retired) {
		if err := bury(tx, r, in); err != nil {
			return err
		}
	}
	return deleteIntent(tx, in)
}

// bury deletes an entity and leaves tombstones. What was still to be done with its objects is not to be done any more.
func bury(tx Tx, r Record, in Intent) error {
	note, err := Note{Who: in.Who, Why: in.Why}.settled()
	if err != nil {
		return err
	}
	for _, l := range r.Links {
		w, ok, err := WorkFor(tx, l.Anchor)
		if err != nil {
			return err
		}
		if ok {
			if err := endWork(tx, w, LeftoverCancelled, note.When); err != nil {
				return err
			}
		}
	}
	c := Change{Before: r}
	if in.Kind == Retire {
		c.After = Record{Entity: r.Entity, Type: r.Type, Links: r.Links, Created: r.Created, Retired: true}
	}
	_, err = Operation{Kind: OperationDelete, Note: note, Changes: []Change{c}}.carryOut(tx)
	return err
}

// RemoveID takes one of several public ids away: it alone becomes a tombstone, and the others still name the entity. Where it
// was the primary one of its domain, the oldest alias there becomes primary. It does not touch any object.
//
// ErrNotFound and ErrGone are those of Resolve. ErrInvalid: it is the last id of the entity, over all domains; to take
// that away is to delete the entity.
func RemoveID(tx Tx, s Scope, id PublicID, n Note) (Operation, error) {
	note, err := n.settled()
	if err != nil {
		return Operation{}, err
	}
	r, err := Resolve(tx, s, id)
	if err != nil {
		return Operation{}, err
	}
	if len(r.IDs) == 1 {
		return Operation{}, fmt.Errorf("id %q is the last one of what it names: %w", id.String(), ErrInvalid)
	}
	rest := r
	rest.IDs = nil
	for _, own := range r.IDs {
		if own.Public != id {
			rest.IDs = append(rest.IDs, own)
		}
	}
	promoteIDs(rest.IDs)
	return Operation{Kind: OperationRemoveID, Note: note, Changes: []Change{{Before: r, After: rest}}}.carryOut(tx)
}

// promoteIDs makes the oldest id of each domain that has no primary one its primary one.
func promoteIDs(ids []ID) {
	has := map[Domain]bool{}
	for _, id := range ids {
		has[id.Domain] = has[id.Domain] || !id.Alias
	}
	for i := range ids {
		if id := &ids[i]; !has[id.Domain] {
			id.Alias, has[id.Domain] = false, true
		}
	}
}

// unlink takes the link to an object away from its entity, unless it is the last.
func unlink(tx Tx, a Anchor) error {
	r, err := FindAnchor(tx, a)
	if err != nil || len(r.Links) <= 1 {
		return err
	}
	rest := r
	rest.Links = nil
	for _, l := range r.Links {
		if l.Anchor != a {
			rest.Links = append(rest.Links, l)
		}
	}
	rest.Links[0].Primary = true
	if err := (Change{Before: r, After: rest}).reindex(tx); err != nil {
		return err
	}
	return putRecord(tx, rest)
}
