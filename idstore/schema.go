package idstore

import (
	"encoding/binary"
	"fmt"
)

// schemaVersion is the layout that this package writes. Version 3 brought retired entities and intents to retire; version 2 brought the tables of history and of work, other externalIds of
// an entity in one domain, and who wanted a deletion. All rows of an earlier version are rows of a later one too, so that migrating a
// store is to write the number down, which keeps an earlier program from reading what it does not know.
const schemaVersion = 3

// The rows of TableMeta. There is one more for each index of postings, and for each cursor.
const (
	metaSchema  = "schema"
	metaEntity  = "entity"  // the greatest entity so far
	metaIntent  = "intent"  // the greatest intent so far
	metaHistory = "history" // the greatest operation so far
	metaWork    = "work"    // the greatest piece of work so far
	metaCursor  = "cursor/" // and a name: see SetCursor
	metaMerged  = "merged"  // how many entities have more than one link, or an alias, or are retired
)

// Prepare makes an empty store ready, migrates one of an earlier layout, and checks that another one has a layout that this package
// understands. A driver calls it in an Update before it hands the store out. It returns ErrNewer or ErrCorrupt.
func Prepare(tx Tx) error {
	version, err := counter(tx, metaSchema)
	if err != nil {
		return err
	}
	if version == 0 {
		for _, err := range tx.Scan(TableMeta, nil) {
			if err != nil {
				return err
			}
			return fmt.Errorf("the schema version is missing: %w", ErrCorrupt)
		}
		return setCounter(tx, metaSchema, schemaVersion)
	}
	if version > schemaVersion {
		return fmt.Errorf("the identity table has schema version %d, this program knows up to %d: %w", version, schemaVersion, ErrNewer)
	}
	if version < schemaVersion {
		return setCounter(tx, metaSchema, schemaVersion)
	}
	return nil
}

func counter(tx Tx, name string) (uint64, error) {
	value, err := tx.Get(TableMeta, []byte(name))
	if err != nil || value == nil {
		return 0, err
	}
	c := cursor{rest: value}
	n := c.uint()
	return n, c.err("a counter")
}

func setCounter(tx Tx, name string, n uint64) error {
	return tx.Put(TableMeta, []byte(name), binary.AppendUvarint(nil, n))
}

// next takes n fresh numbers from a counter and returns the first.
func next(tx Tx, name string, n int) (uint64, error) {
	last, err := counter(tx, name)
	if err != nil {
		return 0, err
	}
	return last + 1, setCounter(tx, name, last+uint64(n))
}
