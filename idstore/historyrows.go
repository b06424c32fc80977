package idstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
)

// operationVersion is the first byte of the row of an operation.
const operationVersion = 1

// appendOperation appends an operation so that the bytes of later ones sort first.
func appendOperation(b []byte, id OperationID) []byte {
	return binary.BigEndian.AppendUint64(b, ^uint64(id))
}

// operationID reads what appendOperation wrote.
func operationID(b []byte) (OperationID, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("the key of an operation can not be read: %w", ErrCorrupt)
	}
	return OperationID(^binary.BigEndian.Uint64(b)), nil
}

// scanFrom is Scan from a key on, which begins with prefix.
func scanFrom(tx Tx, t Table, prefix, key []byte) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			row, err := tx.Seek(t, key)
			if err != nil {
				yield(Row{}, err)
				return
			}
			if row.Key == nil || !bytes.HasPrefix(row.Key, prefix) || !yield(row, nil) {
				return
			}
			key = append(append(key[:0], row.Key...), 0)
		}
	}
}

// record writes a new operation down and returns it with its number.
func (o Operation) record(tx Tx) (Operation, error) {
	id, err := next(tx, metaHistory, 1)
	if err != nil {
		return Operation{}, err
	}
	o.ID = OperationID(id)
	for _, key := range operationKeys(o) {
		if err := tx.Put(TableHistoryKeys, key, marker); err != nil {
			return Operation{}, err
		}
	}
	return o, putOperation(tx, o)
}

// putOperation writes the row of an operation alone.
func putOperation(tx Tx, o Operation) error {
	value, err := encodeOperation(tx, o)
	if err != nil {
		return err
	}
	return tx.Put(TableHistory, appendOperation(nil, o.ID), value)
}

// encodeOperation writes the fields in the order of the struct. A record is the length and the bytes of its row, none where
// there was none.
func encodeOperation(tx Tx, o Operation) ([]byte, error) {
	b := []byte{operationVersion, byte(o.Kind)}
	b = appendText(b, o.Who)
	b = appendText(b, o.Why)
	b = appendTime(b, o.When)
	b = binary.AppendUvarint(b, uint64(len(o.Changes)))
	for _, c := range o.Changes {
		b = binary.AppendUvarint(b, uint64(c.Entity()))
		for _, r := range []Record{c.Before, c.After} {
			var row []byte
			if r.Entity != 0 {
				var err error
				if row, err = encodeRecord(tx, nil, r); err != nil {
					return nil, err
				}
			}
			b = append(binary.AppendUvarint(b, uint64(len(row))), row...)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(o.Leftovers)))
	for _, l := range o.Leftovers {
		backend, err := tx.Names().intern(tx, kindBackend, l.Backend)
		if err != nil {
			return nil, err
		}
		b = appendText(binary.AppendUvarint(b, backend), l.Key)
		b = append(b, byte(l.Action), byte(l.State))
		b = appendTime(b, l.At)
	}
	b = binary.AppendUvarint(b, uint64(o.Undoes))
	return binary.AppendUvarint(b, uint64(o.UndoneBy)), nil
}

// decodeOperation reads what encodeOperation wrote.
func decodeOperation(tx Tx, row Row) (Operation, error) {
	id, err := operationID(row.Key)
	if err != nil {
		return Operation{}, err
	}
	c := cursor{rest: row.Value}
	if c.uint() != operationVersion {
		c.broken = true
		return Operation{}, c.err("an operation")
	}
	o := Operation{ID: id, Kind: OperationKind(c.uint())}
	o.Who, o.Why, o.When = c.text(), c.text(), c.time()
	for range c.count() {
		entity := EntityID(c.uint())
		var both [2]Record
		for i := range both {
			if row := c.bytes(c.uint()); len(row) > 0 {
				if both[i], err = decodeRecord(tx, entity, row); err != nil {
					return Operation{}, err
				}
			}
		}
		o.Changes = append(o.Changes, Change{Before: both[0], After: both[1]})
	}
	for range c.count() {
		backend, err := tx.Names().text(tx, kindBackend, c.uint())
		if err != nil {
			return Operation{}, err
		}
		l := Leftover{Anchor: Anchor{Backend: backend, Key: c.text()}, Action: Action(c.uint()), State: LeftoverState(c.uint())}
		l.At = c.optionalTime()
		o.Leftovers = append(o.Leftovers, l)
	}
	o.Undoes, o.UndoneBy = OperationID(c.uint()), OperationID(c.uint())
	return o, c.err("an operation")
}
