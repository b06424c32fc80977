package idstore

import (
	"fmt"
	"slices"
)

// carryOut makes the entities what the changes say, all indexes with them, and writes the operation down. An id that none of the
// entities has any more becomes a tombstone; one that none of them had before is a tombstone no longer.
func (o Operation) carryOut(tx Tx) (Operation, error) {
	if err := o.free(tx); err != nil {
		return Operation{}, err
	}
	for _, c := range o.Changes {
		if err := c.reindex(tx); err != nil {
			return Operation{}, err
		}
	}
	had, have := o.ids(Change.before), o.ids(Change.after)
	for id, r := range had {
		if _, ok := have[id]; !ok {
			if err := buryID(tx, r.Type, r.id(id), o.When); err != nil {
				return Operation{}, err
			}
		}
	}
	for id := range have {
		if _, ok := had[id]; !ok {
			if err := tx.Delete(TableSpentIDs, id[:]); err != nil {
				return Operation{}, err
			}
		}
	}
	for _, c := range o.Changes {
		var err error
		if c.After.Entity == 0 {
			err = tx.Delete(TableEntities, appendEntityKey(nil, c.Entity()))
		} else {
			err = putRecord(tx, c.After)
		}
		if err != nil {
			return Operation{}, err
		}
	}
	return o.record(tx)
}

func (c Change) before() Record { return c.Before }

func (c Change) after() Record { return c.After }

// ids returns whose the ids are on one side of the changes.
func (o Operation) ids(side func(Change) Record) map[PublicID]Record {
	all := map[PublicID]Record{}
	for _, c := range o.Changes {
		r := side(c)
		for _, id := range r.IDs {
			all[id.Public] = r
		}
	}
	return all
}

// id returns the id of the record with its domain.
func (r Record) id(public PublicID) ID {
	for _, id := range r.IDs {
		if id.Public == public {
			return id
		}
	}
	return ID{}
}

// free checks that the links and ids that the changes bring belong to no other entity.
func (o Operation) free(tx Tx) error {
	changed := func(e EntityID) bool {
		return e == 0 || slices.ContainsFunc(o.Changes, func(c Change) bool { return c.Entity() == e })
	}
	for _, c := range o.Changes {
		for _, l := range c.After.Links {
			r, err := FindAnchor(tx, l.Anchor)
			if err != nil {
				return err
			}
			if !changed(r.Entity) {
				return fmt.Errorf("the object %s: %w", l.words(), ErrTaken)
			}
		}
		for _, id := range c.After.IDs {
			r, err := byID(tx, id.Public)
			if err != nil {
				return err
			}
			if !changed(r.Entity) {
				return fmt.Errorf("id %q: %w", id.Public.String(), ErrTaken)
			}
		}
	}
	return nil
}

// reindex takes the postings out that the entity loses and adds those that it gets, and counts it among the merged ones.
func (c Change) reindex(tx Tx) error {
	if err := countMerged(tx, c.Before, c.After); err != nil {
		return err
	}
	before, err := c.Before.postings(tx)
	if err != nil {
		return err
	}
	now, err := c.After.postings(tx)
	if err != nil {
		return err
	}
	for table, had := range before {
		index := postings{tx: tx, table: table}
		for _, p := range had {
			if !slices.Contains(now[table], p) {
				if err := index.remove(p); err != nil {
					return err
				}
			}
		}
	}
	for table, has := range now {
		fresh := slices.DeleteFunc(has, func(p posting) bool { return slices.Contains(before[table], p) })
		if len(fresh) == 0 {
			continue
		}
		index := postings{tx: tx, table: table}
		if err := index.add(fresh); err != nil {
			return err
		}
	}
	return nil
}

// postings returns all by which the record is found, by their index. No two are the same.
func (r Record) postings(tx Tx) (map[Table][]posting, error) {
	all := map[Table][]posting{}
	add := func(t Table, p posting) {
		if !slices.Contains(all[t], p) {
			all[t] = append(all[t], p)
		}
	}
	for _, id := range r.IDs {
		add(TablePublicIDs, idPosting(id.Public, r.Entity))
	}
	for _, l := range r.Links {
		backend, err := tx.Names().intern(tx, kindBackend, l.Backend)
		if err != nil {
			return nil, err
		}
		add(TableAnchors, newPosting(textHash(backend, l.Key), r.Entity))
	}
	for _, x := range r.ExternalIDs {
		p, err := externalPosting(tx, r.Entity, x)
		if err != nil {
			return nil, err
		}
		add(TableExternals, p)
	}
	return all, nil
}
