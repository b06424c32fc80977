package idstore

import (
	"fmt"
	"slices"
)

// Scope says for whom an operation looks: which resource type, and which provisioning domains.
type Scope struct {
	Type      string // the resource type
	IDs       Domain // where public ids are: "" where they are shared, the client's domain where they are pairwise
	Externals Domain // where externalIds are: the client's domain
}

func (s Scope) check() error {
	if s.Type == "" {
		return fmt.Errorf("a scope needs a resource type: %w", ErrInvalid)
	}
	return nil
}

// Resolve returns the entity that id names in the scope, as its id or as an alias. It returns ErrGone where the entity
// was deleted, and ErrNotFound where the id was never given out, is of another type, or belongs to another domain.
func Resolve(tx Tx, s Scope, id PublicID) (Record, error) {
	r, err := byID(tx, id)
	if err != nil {
		return Record{}, err
	}
	if r.Entity == 0 {
		return Record{}, unresolved(tx, s, id)
	}
	if r.Type != s.Type || !r.hasID(s.IDs, id) {
		return Record{}, fmt.Errorf("id %q: %w", id.String(), ErrNotFound)
	}
	return r, nil
}

// byID returns the entity that id names in any scope, or the zero record.
func byID(tx Tx, id PublicID) (found Record, err error) {
	index := postings{tx: tx, table: TablePublicIDs}
	err = index.each(idHash(id), func(e EntityID) (bool, error) {
		r, err := indexedRecord(tx, e)
		if slices.ContainsFunc(r.IDs, func(own ID) bool { return own.Public == id }) {
			found = r
		}
		return found.Entity != 0, err
	})
	return found, err
}

func idHash(id PublicID) uint64 { return textHash(0, string(id[:])) }

func idPosting(id PublicID, e EntityID) posting { return newPosting(idHash(id), e) }

// unresolved tells why an id names no entity.
func unresolved(tx Tx, s Scope, id PublicID) error {
	grave, ok, err := spent(tx, id)
	if err != nil {
		return err
	}
	if ok && grave == (Scope{Type: s.Type, IDs: s.IDs}) {
		return fmt.Errorf("id %q: %w", id.String(), ErrGone)
	}
	return fmt.Errorf("id %q: %w", id.String(), ErrNotFound)
}

// indexedRecord reads the record of an entity that an index names.
func indexedRecord(tx Tx, e EntityID) (Record, error) {
	r, err := entityRecord(tx, e)
	if err == nil && r.Entity == 0 {
		err = errMissing()
	}
	return r, err
}

// errMissing says that the row of an entity that an index names is not there.
func errMissing() error {
	return fmt.Errorf("an index names an entity that is missing: %w", ErrCorrupt)
}

// ByAnchors returns, for each anchor, the entity that it is linked to, and the indexes of those that Adopt has to be
// asked for: where there is no entity (its record is zero), or one of the scope's type without an id in s.IDs. An entity
// of another type is returned as it is: how ids of that type are scoped is not for this scope to say. So is a retired one, which
// gets no id.
func ByAnchors(tx Tx, s Scope, anchors []Anchor) (records []Record, missing []int, err error) {
	records = make([]Record, len(anchors))
	for i, a := range anchors {
		backend, err := tx.Names().number(tx, kindBackend, a.Backend)
		if err != nil {
			return nil, nil, err
		}
		if backend != 0 {
			if records[i], err = byAnchor(tx, backend, a); err != nil {
				return nil, nil, err
			}
		}
		if records[i].Entity == 0 || records[i].lacksID(s) {
			missing = append(missing, i)
		}
	}
	return records, missing, nil
}

// byAnchor returns the entity that an anchor is linked to, or the zero record.
func byAnchor(tx Tx, backend uint64, a Anchor) (found Record, err error) {
	index := postings{tx: tx, table: TableAnchors}
	err = index.each(textHash(backend, a.Key), func(e EntityID) (bool, error) {
		r, err := indexedRecord(tx, e)
		if r.linked(a) {
			found = r
		}
		return found.Entity != 0, err
	})
	return found, err
}

// lacksID tells whether the entity is of the scope's type and the scope's clients have no id for it yet.
func (r Record) lacksID(s Scope) bool {
	if r.Type != s.Type || r.Retired {
		return false
	}
	_, ok := r.ownID(s.IDs)
	return !ok
}
