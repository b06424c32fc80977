package idstore

import (
	"fmt"
	"slices"
)

// spentIDs checks that each reservation is that of an open intent.
func (c *check) spentIDs() error {
	reserved := map[PublicID]bool{} // no more than there are open intents
	for in, err := range Intents(c.tx) {
		if err != nil {
			break // found by intents
		}
		reserved[in.Public] = in.Kind == Create || reserved[in.Public]
	}
	for row, err := range scanFrom(c.tx, TableSpentIDs, nil, nil) {
		if err != nil {
			return err
		}
		c.sum.SpentIDs++
		if len(row.Key) != len(PublicID{}) {
			err = c.damage(TableSpentIDs, row.Key, "the key is no public id")
		} else {
			id := PublicID(row.Key)
			grave, _, failed := spent(c.tx, id)
			if err = failed; err == nil && grave.Type == "" && !reserved[id] {
				err = c.damage(TableSpentIDs, row.Key, "id %q is reserved for no intent", id.String())
			}
		}
		if err = c.unread(TableSpentIDs, row.Key, err); err != nil {
			return err
		}
	}
	return nil
}

// intents checks the intents against their keys and back.
func (c *check) intents() error {
	for row, err := range scanFrom(c.tx, TableIntents, nil, nil) {
		if err != nil {
			return err
		}
		c.sum.Intents++
		in, err := decodeIntent(c.tx, row)
		if err == nil {
			err = c.counted(metaIntent, TableIntents, row.Key, uint64(in.ID))
		}
		if err == nil && in.Kind == Create {
			if _, ok, failed := spent(c.tx, in.Public); failed == nil && !ok {
				err = c.damage(TableIntents, row.Key, "its id %q is not reserved", in.Public.String())
			}
		}
		if err == nil {
			keys, failed := intentKeys(c.tx, in)
			if err = failed; err == nil {
				err = c.keys(TableIntents, row, TableIntentKeys, keys)
			}
		}
		if err = c.unread(TableIntents, row.Key, err); err != nil {
			return err
		}
	}
	return c.named(TableIntentKeys, 0, func(id uint64, key []byte) (bool, error) {
		in, err := intent(c.tx, IntentID(id))
		if err != nil {
			return false, err
		}
		keys, err := intentKeys(c.tx, in)
		return has(keys, key), err
	})
}

// operations checks the history against its keys and back.
func (c *check) operations() error {
	for row, err := range scanFrom(c.tx, TableHistory, nil, nil) {
		if err != nil {
			return err
		}
		c.sum.Operations++
		o, err := decodeOperation(c.tx, row)
		if err == nil {
			err = c.counted(metaHistory, TableHistory, row.Key, uint64(o.ID))
		}
		if err == nil {
			err = c.keys(TableHistory, row, TableHistoryKeys, operationKeys(o))
		}
		for _, other := range []struct {
			id  OperationID
			its func(Operation) OperationID
		}{{o.Undoes, func(o Operation) OperationID { return o.UndoneBy }}, {o.UndoneBy, func(o Operation) OperationID { return o.Undoes }}} {
			if err == nil && other.id != 0 {
				if twin, failed := OperationByID(c.tx, other.id); failed != nil || other.its(twin) != o.ID {
					err = c.damage(TableHistory, row.Key, "operation %d does not know that %d goes with it", other.id, o.ID)
				}
			}
		}
		for _, l := range o.Leftovers {
			if err == nil && l.State == LeftoverPending {
				if w, ok, failed := WorkFor(c.tx, l.Anchor); failed != nil || !ok || w.Operation != o.ID {
					err = c.damage(TableHistory, row.Key, "no work is queued for the object %s", l.words())
				}
			}
		}
		if err = c.unread(TableHistory, row.Key, err); err != nil {
			return err
		}
	}
	return c.named(TableHistoryKeys, 8, func(id uint64, key []byte) (bool, error) {
		o, err := OperationByID(c.tx, OperationID(^id))
		return has(operationKeys(o), key), err
	})
}

// work checks the queue against its keys and back.
func (c *check) work() error {
	for row, err := range scanFrom(c.tx, TableWork, nil, nil) {
		if err != nil {
			return err
		}
		c.sum.Work++
		w, err := decodeWork(c.tx, row)
		if err == nil {
			err = c.counted(metaWork, TableWork, row.Key, uint64(w.ID))
		}
		if err == nil {
			keys, failed := workKeys(c.tx, w)
			if err = failed; err == nil {
				err = c.keys(TableWork, row, TableWorkKeys, keys)
			}
		}
		if err == nil {
			r, failed := FindAnchor(c.tx, w.Anchor)
			if err = failed; err == nil && r.Entity == 0 {
				err = c.damage(TableWork, row.Key, "no entity is linked to the object %s", w.Anchor.words())
			}
		}
		if err = c.unread(TableWork, row.Key, err); err != nil {
			return err
		}
	}
	return c.named(TableWorkKeys, 0, func(id uint64, key []byte) (bool, error) {
		w, err := WorkByID(c.tx, WorkID(id))
		if err != nil {
			return false, err
		}
		keys, err := workKeys(c.tx, w)
		return has(keys, key), err
	})
}

// keys checks that all keys of a row are there.
func (c *check) keys(t Table, row Row, in Table, keys [][]byte) error {
	for _, key := range keys {
		value, err := c.tx.Get(in, key)
		if err == nil && value == nil {
			err = c.damage(t, row.Key, "its key %x is missing in %s", key, in)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named checks that each key names a row that has such a key. The number at the end of a key takes size bytes; 0 where
// it is one that appendOrdered wrote.
func (c *check) named(t Table, size int, has func(id uint64, key []byte) (bool, error)) error {
	for row, err := range scanFrom(c.tx, t, nil, nil) {
		if err != nil {
			return err
		}
		sound := false
		for _, id := range lastNumbers(row.Key, size) {
			// What can not be read is found where the rows are.
			if ok, err := has(id, row.Key); err == nil && ok {
				sound = true
			}
		}
		if !sound {
			if err := c.damage(t, row.Key, "the key %x leads to nothing that has it", row.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastNumbers returns what the number at the end of a key may be: where it begins can not be seen from there.
func lastNumbers(key []byte, size int) (all []uint64) {
	if size > 0 {
		if len(key) < size {
			return nil
		}
		var n uint64
		for _, c := range key[len(key)-size:] {
			n = n<<8 | uint64(c)
		}
		return []uint64{n}
	}
	for i := max(0, len(key)-9); i < len(key); i++ {
		if n, ok := ordered(key[i:]); ok {
			all = append(all, n)
		}
	}
	return all
}

func has(keys [][]byte, key []byte) bool {
	return slices.ContainsFunc(keys, func(k []byte) bool { return string(k) == string(key) })
}

// operationKeys returns the keys of an operation in TableHistoryKeys.
func operationKeys(o Operation) (keys [][]byte) {
	for _, c := range o.Changes {
		keys = append(keys, appendOperation(appendEntityKey(nil, c.Entity()), o.ID))
	}
	return keys
}

// String is the damage in one line, for an administrator.
func (d Damage) String() string {
	return fmt.Sprintf("%s %x: %s", d.Table, d.Key, d.What)
}
