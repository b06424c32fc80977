package idstore

import "fmt"

// Remove ends an intent to delete: the backend objects are gone. Every public id of the entity becomes a tombstone,
// nothing else of it remains. It returns ErrNotFound where the intent is not open.
func Remove(tx Tx, id IntentID) error {
	in, err := intent(tx, id)
	if err != nil {
		return err
	}
	if in.Kind != Delete {
		return fmt.Errorf("an intent to %s removes nothing: %w", in.Kind, ErrInvalid)
	}
	r, err := entityRecord(tx, in.Entity)
	if err != nil {
		return err
	}
	// Another intent to delete the same entity may have ended first.
	if r.Entity != 0 {
		if err := bury(tx, r); err != nil {
			return err
		}
	}
	return deleteIntent(tx, in)
}

// bury deletes the rows of an entity and leaves tombstones.
func bury(tx Tx, r Record) error {
	ids := postings{tx: tx, table: TablePublicIDs}
	for _, id := range r.IDs {
		if err := ids.remove(idPosting(id.Public, r.Entity)); err != nil {
			return err
		}
		if err := buryID(tx, r.Type, id); err != nil {
			return err
		}
	}
	anchors := postings{tx: tx, table: TableAnchors}
	for _, l := range r.Links {
		backend, err := tx.Names().intern(tx, kindBackend, l.Backend)
		if err != nil {
			return err
		}
		if err := anchors.remove(newPosting(textHash(backend, l.Key), r.Entity)); err != nil {
			return err
		}
	}
	for _, x := range r.ExternalIDs {
		if err := dropExternal(tx, r.Entity, x); err != nil {
			return err
		}
	}
	return tx.Delete(TableEntities, appendEntityKey(nil, r.Entity))
}
