package idstore

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// The first byte of the row of an intent.
const (
	intentPlain = 1
	intentNoted = 2 // who wants it and why follow at the end; only where something is said
)

// Intents yields the open intents, oldest first. They must not be ended during the walk.
func Intents(tx Tx) iter.Seq2[Intent, error] {
	return func(yield func(Intent, error) bool) {
		for row, err := range tx.Scan(TableIntents, nil) {
			var in Intent
			if err == nil {
				in, err = decodeIntent(tx, row)
			}
			if !yield(in, err) || err != nil {
				return
			}
		}
	}
}

// IntentsForName returns the open intents for a naming key of a backend, oldest first.
func IntentsForName(tx Tx, backend, name string) ([]Intent, error) {
	number, err := tx.Names().number(tx, kindBackend, backend)
	if err != nil || number == 0 {
		return nil, err
	}
	return intentsUnder(tx, appendIntentName(nil, number, name))
}

// IntentsForEntity returns the open intents that concern an entity, oldest first.
func IntentsForEntity(tx Tx, e EntityID) ([]Intent, error) {
	return intentsUnder(tx, appendIntentEntity(nil, e))
}

// intentsUnder reads the intents whose keys in TableIntentKeys begin with prefix.
func intentsUnder(tx Tx, prefix []byte) ([]Intent, error) {
	var found []Intent
	for row, err := range tx.Scan(TableIntentKeys, prefix) {
		if err != nil {
			return nil, err
		}
		id, ok := ordered(row.Key[len(prefix):])
		if !ok {
			return nil, fmt.Errorf("the key of an intent can not be read: %w", ErrCorrupt)
		}
		in, err := intent(tx, IntentID(id))
		if err != nil {
			return nil, err
		}
		found = append(found, in)
	}
	return found, nil
}

// intent reads an open intent.
func intent(tx Tx, id IntentID) (Intent, error) {
	key := appendOrdered(nil, uint64(id))
	value, err := tx.Get(TableIntents, key)
	if err != nil {
		return Intent{}, err
	}
	if value == nil {
		return Intent{}, fmt.Errorf("intent: %w", ErrNotFound)
	}
	return decodeIntent(tx, Row{Key: key, Value: value})
}

// appendIntentName and appendIntentEntity begin a key of TableIntentKeys; the intent follows.
func appendIntentName(b []byte, backend uint64, name string) []byte {
	return appendKeyText(binary.AppendUvarint(append(b, 'n'), backend), name)
}

func appendIntentEntity(b []byte, e EntityID) []byte {
	return appendOrdered(append(b, 'e'), uint64(e))
}

// intentKeys returns the keys of an intent in TableIntentKeys.
func intentKeys(tx Tx, in Intent) ([][]byte, error) {
	keys := [][]byte{appendOrdered(appendIntentEntity(nil, in.Entity), uint64(in.ID))}
	if in.Backend != "" && in.Name != "" {
		backend, err := tx.Names().intern(tx, kindBackend, in.Backend)
		if err != nil {
			return nil, err
		}
		keys = append(keys, appendOrdered(appendIntentName(nil, backend, in.Name), uint64(in.ID)))
	}
	return keys, nil
}

func putIntent(tx Tx, in Intent) error {
	keys, err := intentKeys(tx, in)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.Put(TableIntentKeys, key, marker); err != nil {
			return err
		}
	}
	value, err := encodeIntent(tx, in)
	if err != nil {
		return err
	}
	return tx.Put(TableIntents, appendOrdered(nil, uint64(in.ID)), value)
}

func deleteIntent(tx Tx, in Intent) error {
	keys, err := intentKeys(tx, in)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.Delete(TableIntentKeys, key); err != nil {
			return err
		}
	}
	return tx.Delete(TableIntents, appendOrdered(nil, uint64(in.ID)))
}

// encodeIntent writes the fields in the order of the struct, names as numbers.
func encodeIntent(tx Tx, in Intent) ([]byte, error) {
	names := tx.Names()
	form := byte(intentPlain)
	if in.Who != "" || in.Why != "" {
		form = intentNoted
	}
	b := []byte{form, byte(in.Kind)}
	name := func(kind nameKind, text string) error {
		number, err := names.intern(tx, kind, text)
		b = binary.AppendUvarint(b, number)
		return err
	}
	if err := name(kindType, in.Scope.Type); err != nil {
		return nil, err
	}
	if err := name(kindDomain, string(in.Scope.IDs)); err != nil {
		return nil, err
	}
	if err := name(kindDomain, string(in.Scope.Externals)); err != nil {
		return nil, err
	}
	b = binary.AppendUvarint(b, uint64(in.Entity))
	b = append(b, in.Public[:]...)
	if err := name(kindBackend, in.Backend); err != nil {
		return nil, err
	}
	b = binary.AppendUvarint(b, uint64(len(in.Anchors)))
	for _, a := range in.Anchors {
		if err := name(kindBackend, a.Backend); err != nil {
			return nil, err
		}
		b = appendText(b, a.Key)
	}
	b = appendText(b, in.Name)
	b = appendText(b, in.ExternalID)
	b = appendTime(b, in.Begun)
	if form == intentNoted {
		b = appendText(appendText(b, in.Who), in.Why)
	}
	return b, nil
}

func decodeIntent(tx Tx, row Row) (Intent, error) {
	id, ok := ordered(row.Key)
	c := cursor{rest: row.Value, broken: !ok}
	form := c.uint()
	if form != intentPlain && form != intentNoted {
		c.broken = true
		return Intent{}, c.err("an intent")
	}
	names := tx.Names()
	var failed error
	name := func(kind nameKind) string {
		text, err := names.text(tx, kind, c.uint())
		if failed == nil {
			failed = err
		}
		return text
	}
	in := Intent{ID: IntentID(id), Kind: IntentKind(c.uint())}
	in.Scope.Type = name(kindType)
	in.Scope.IDs = Domain(name(kindDomain))
	in.Scope.Externals = Domain(name(kindDomain))
	in.Entity = EntityID(c.uint())
	in.Public = c.publicID()
	in.Backend = name(kindBackend)
	if n := c.count(); n > 0 {
		in.Anchors = make([]Anchor, n)
	}
	for i := range in.Anchors {
		in.Anchors[i] = Anchor{Backend: name(kindBackend), Key: c.text()}
	}
	in.Name = c.text()
	in.ExternalID = c.text()
	in.Begun = c.time()
	if form == intentNoted {
		in.Who, in.Why = c.text(), c.text()
	}
	if err := c.err("an intent"); err != nil {
		return Intent{}, err
	}
	return in, failed
}
