package idstore

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// fullness is what has to be known about a generation that overflows.
type fullness struct {
	count uint64  // of its postings
	next  posting // the chunk of this posting leaves next, then those after it
}

// overflow takes whole chunks out of a generation until it is within its limit, and returns their postings in order.
func (x *postings) overflow(generation int, limit uint64, full *fullness) ([]posting, error) {
	var leaving []posting
	for full.count > limit {
		end, c, err := x.chunkFor(generation, full.next)
		if err != nil {
			return nil, err
		}
		switch {
		case c.len() > 0:
			leaving = c.merge(leaving, nil)
			if err := x.tx.Delete(x.table, x.rowKey(generation, end)); err != nil {
				return nil, err
			}
			full.count -= min(full.count, uint64(c.len()))
			// After the last chunk comes the first one again.
			full.next = end.next()
		case full.next != posting{}:
			full.next = posting{}
		default:
			return nil, fmt.Errorf("an index is miscounted: %w", ErrCorrupt)
		}
	}
	slices.SortFunc(leaving, posting.compare)
	return leaving, nil
}

// fullness reads the row of TableMeta that is named like the index.
func (x *postings) fullness() (full [generations - 1]fullness, err error) {
	value, err := x.tx.Get(TableMeta, []byte(x.table.String()))
	if err != nil || value == nil {
		return full, err
	}
	c := cursor{rest: value}
	for i := range full {
		full[i].count = c.uint()
		copy(full[i].next[:], c.bytes(postingSize))
	}
	return full, c.err("an index")
}

func (x *postings) setFullness(full [generations - 1]fullness) error {
	var value []byte
	for _, f := range full {
		value = append(binary.AppendUvarint(value, f.count), f.next[:]...)
	}
	return x.tx.Put(TableMeta, []byte(x.table.String()), value)
}
