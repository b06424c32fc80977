package idstore

import (
	"encoding/binary"
	"fmt"
	"time"
)

// What a row of TableSpentIDs begins with.
const (
	spentReserved = 1 // an intent to create holds the id
	spentGone     = 2 // a tombstone: the type and the domain that the id had, and when it was deleted
)

// reserveID keeps an id for an intent.
func reserveID(tx Tx, id PublicID) error {
	return tx.Put(TableSpentIDs, id[:], []byte{spentReserved})
}

// releaseID ends a reservation.
func releaseID(tx Tx, id PublicID) error {
	return tx.Delete(TableSpentIDs, id[:])
}

// buryID leaves a tombstone for an id of an entity of some type.
func buryID(tx Tx, resourceType string, id ID, when time.Time) error {
	names := tx.Names()
	typeNumber, err := names.intern(tx, kindType, resourceType)
	if err != nil {
		return err
	}
	domain, err := names.intern(tx, kindDomain, string(id.Domain))
	if err != nil {
		return err
	}
	value := binary.AppendUvarint([]byte{spentGone}, typeNumber)
	value = appendTime(binary.AppendUvarint(value, domain), when)
	return tx.Put(TableSpentIDs, id.Public[:], value)
}

// spent tells whether an id that names no entity was given out or is reserved, and for a tombstone the type and the domain
// that it had.
func spent(tx Tx, id PublicID) (grave Scope, ok bool, err error) {
	value, err := tx.Get(TableSpentIDs, id[:])
	if err != nil || value == nil {
		return Scope{}, false, err
	}
	grave, _, err = decodeSpent(tx, value)
	return grave, true, err
}

// decodeSpent reads the row of a spent id: for a tombstone the type and the domain that it had, and when it was deleted.
func decodeSpent(tx Tx, value []byte) (grave Scope, deleted time.Time, err error) {
	c := cursor{rest: value}
	switch c.uint() {
	case spentReserved:
	case spentGone:
		if grave.Type, err = tx.Names().text(tx, kindType, c.uint()); err != nil {
			return Scope{}, time.Time{}, err
		}
		domain, err := tx.Names().text(tx, kindDomain, c.uint())
		if err != nil {
			return Scope{}, time.Time{}, err
		}
		grave.IDs = Domain(domain)
		deleted = c.time()
	default:
		c.broken = true
	}
	return grave, deleted, c.err("a spent id")
}

// known tells whether an id was ever given out or is reserved.
func known(tx Tx, id PublicID) (bool, error) {
	if r, err := byID(tx, id); err != nil || r.Entity != 0 {
		return true, err
	}
	_, ok, err := spent(tx, id)
	return ok, err
}

// freshID returns a random id (RFC 9562 §5.4) that was never given out and is not reserved.
func freshID(tx Tx) (PublicID, error) {
	const tries = 8 // one collision in 2^122 is unlikely, eight are a broken source of randomness
	for range tries {
		id := randomID()
		if taken, err := known(tx, id); err != nil || !taken {
			return id, err
		}
	}
	return PublicID{}, fmt.Errorf("the source of randomness repeats itself: %w", ErrTaken)
}

// freshIDs returns n random ids. It looks up the first alone, which would show a source that repeats what it gave before,
// as after the return of a virtual machine to an earlier state; a collision by chance is not to be expected.
func freshIDs(tx Tx, n int) ([]PublicID, error) {
	ids := make([]PublicID, n)
	for i := range ids {
		ids[i] = randomID()
	}
	var err error
	ids[0], err = freshID(tx)
	return ids, err
}
