package idstore

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// The look-ups of an administrator: they know no scope.

// Entity returns the record of an entity, or ErrNotFound.
func Entity(tx Tx, e EntityID) (Record, error) {
	r, err := entityRecord(tx, e)
	if err == nil && r.Entity == 0 {
		err = fmt.Errorf("entity: %w", ErrNotFound)
	}
	return r, err
}

// FindID returns the entity that an id names in any domain and of any type, or ErrGone or ErrNotFound.
func FindID(tx Tx, id PublicID) (Record, error) {
	r, err := byID(tx, id)
	if err != nil || r.Entity != 0 {
		return r, err
	}
	grave, ok, err := spent(tx, id)
	if err != nil {
		return Record{}, err
	}
	if ok && grave.Type != "" {
		return Record{}, fmt.Errorf("id %q: %w", id.String(), ErrGone)
	}
	return Record{}, fmt.Errorf("id %q: %w", id.String(), ErrNotFound)
}

// FindAnchor returns the entity that is linked to an anchor, or the zero record where none is.
func FindAnchor(tx Tx, a Anchor) (Record, error) {
	backend, err := tx.Names().number(tx, kindBackend, a.Backend)
	if err != nil || backend == 0 {
		return Record{}, err
	}
	return byAnchor(tx, backend, a)
}

// FindExternalID returns the entities of any type that the clients of any domain call value, as what they are shown or as an
// alias, oldest first.
func FindExternalID(tx Tx, value string) ([]Record, error) {
	if value == "" || len(value) > maxText {
		return nil, nil
	}
	names, err := readNames(tx)
	if err != nil {
		return nil, err
	}
	var records []Record
	index := postings{tx: tx, table: TableExternals}
	look := func(number uint64, d Domain) error {
		return index.each(textHash(number, value), func(e EntityID) (bool, error) {
			r, err := indexedRecord(tx, e)
			if r.called(d, value) && !slices.ContainsFunc(records, func(same Record) bool { return same.Entity == e }) {
				records = append(records, r)
			}
			return false, err
		})
	}
	if err := look(0, ""); err != nil {
		return nil, err
	}
	for domain, number := range names[kindDomain].numbers {
		if err := look(number, Domain(domain)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Entity, b.Entity) })
	return records, nil
}

// Records yields all entities later than the one that is given, oldest first: the last one of a walk is where the next resumes. The
// entities must not be written meanwhile.
func Records(tx Tx, later EntityID) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for row, err := range scanFrom(tx, TableEntities, nil, appendEntityKey(nil, later+1)) {
			var r Record
			if err == nil {
				r, err = rowRecord(tx, row)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// rowRecord reads a row of TableEntities.
func rowRecord(tx Tx, row Row) (Record, error) {
	e, ok := ordered(row.Key)
	if !ok || e == 0 {
		return Record{}, fmt.Errorf("the key of an entity can not be read: %w", ErrCorrupt)
	}
	return decodeRecord(tx, EntityID(e), row.Value)
}
