package idstore

import (
	"encoding/binary"
	"fmt"
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

// What the row of a public id says when it names no entity; the entity is then 0.
const (
	idTombstone = 1 // type, domain and time of the deletion follow
	idReserved  = 2 // an intent to create holds it
)

// Resolve returns the entity that id names in the scope, as its id or as an alias. It returns ErrGone where the entity
// was deleted, and ErrNotFound where the id was never given out, is of another type, or belongs to another domain.
func Resolve(tx Tx, s Scope, id PublicID) (Record, error) {
	value, err := tx.Get(TablePublicIDs, id[:])
	if err != nil {
		return Record{}, err
	}
	if value == nil {
		return Record{}, fmt.Errorf("id %q: %w", id.String(), ErrNotFound)
	}
	c := cursor{rest: value}
	e := EntityID(c.uint())
	if e == 0 {
		return Record{}, unresolved(tx, s, id, c)
	}
	if err := c.err("a public id"); err != nil {
		return Record{}, err
	}
	r, err := indexedRecord(tx, e)
	if err != nil {
		return Record{}, err
	}
	if r.Type != s.Type || !r.hasID(s.IDs, id) {
		return Record{}, fmt.Errorf("id %q: %w", id.String(), ErrNotFound)
	}
	return r, nil
}

// unresolved tells what becomes of an id whose row, read up to the entity, names none.
func unresolved(tx Tx, s Scope, id PublicID, c cursor) error {
	switch c.uint() {
	case idTombstone:
		resourceType, domain := c.uint(), c.uint()
		c.time()
		if err := c.err("a public id"); err != nil {
			return err
		}
		typeNumber, err := tx.Names().number(tx, kindType, s.Type)
		if err != nil {
			return err
		}
		domainNumber, err := tx.Names().number(tx, kindDomain, string(s.IDs))
		if err != nil {
			return err
		}
		if resourceType == typeNumber && domain == domainNumber && (domain != 0 || s.IDs == "") {
			return fmt.Errorf("id %q: %w", id.String(), ErrGone)
		}
	case idReserved:
	default:
		c.broken = true
		return c.err("a public id")
	}
	return fmt.Errorf("id %q: %w", id.String(), ErrNotFound)
}

// indexedRecord reads the record of an entity that an index names, so that must be there.
func indexedRecord(tx Tx, e EntityID) (Record, error) {
	r, err := entityRecord(tx, e)
	if err == nil && r.Entity == 0 {
		err = fmt.Errorf("an index names an entity that is missing: %w", ErrCorrupt)
	}
	return r, err
}

// ByAnchors returns, for each anchor, the entity that it is linked to, and the indexes of those that Adopt has to be
// asked for: where there is no entity (its record is zero), or one of the scope's type without an id in s.IDs. An entity
// of another type is returned as it is: how ids of that type are scoped is not for this scope to say.
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
	err = index.each(textHash(backend, a.Key), func(r Record) bool {
		if r.linked(a) {
			found = r
		}
		return found.Entity != 0
	})
	return found, err
}

// lacksID tells whether the entity is of the scope's type and the scope's clients have no id for it yet.
func (r Record) lacksID(s Scope) bool {
	if r.Type != s.Type {
		return false
	}
	_, ok := r.ownID(s.IDs)
	return !ok
}

// entityIndexValue is the row of an anchor or a public id that names an entity.
func entityIndexValue(e EntityID) []byte {
	return binary.AppendUvarint(nil, uint64(e))
}
