package idstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
)

// Public ids, anchors and externalIds come in no order, and a table with one row for each would have nearly every page of a large
// file rewritten for each batch of first sights. So their indexes hold a posting, 11 bytes, for each, in chunks of some
// dozens of neighbours; and an index has generations, of which each but the last is small. New postings go to the first.
// As many as overfill a generation leave it for the next, neighbours first, so that they meet few chunks there. A posting
// is in one generation only.
//
// With the generations ten times as large as each other at a million postings, a batch of a thousand rewrites about 150
// pages, where it would be 1000.
const (
	generations = 3
	chunkLimit  = 128 // postings in a chunk before it is divided
	hashSize    = 6
	postingSize = hashSize + 5
)

// generationLimits are the most postings that the generations hold; the last holds any number.
var generationLimits = [generations - 1]uint64{8 << 10, 96 << 10}

// posting is a hash of what was made known and the entity that it may lead to, both big-endian. It proves nothing: the
// record of the entity does.
type posting [postingSize]byte

// lastPosting is where the last chunk of a generation ends.
var lastPosting = posting(bytes.Repeat([]byte{0xff}, postingSize))

func newPosting(hash uint64, e EntityID) (p posting) {
	binary.BigEndian.PutUint64(p[:], hash<<16|uint64(e>>24)&0xffff)
	p[8], p[9], p[10] = byte(e>>16), byte(e>>8), byte(e)
	return p
}

func (p posting) compare(q posting) int { return bytes.Compare(p[:], q[:]) }

// textHash is FNV-1a over the number of some name and a text, stirred so that every bit depends on all of them, and cut to
// hashSize bytes. It is part of the layout.
func textHash(number uint64, text string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for ; number > 0; number >>= 8 {
		h = (h ^ number&0xff) * prime
	}
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return (h ^ h>>33) >> (64 - 8*hashSize)
}

// chunk is the value of a row of an index: postings in order.
type chunk []byte

func (c chunk) len() int { return len(c) / postingSize }

func (c chunk) at(i int) []byte { return c[i*postingSize : (i+1)*postingSize] }

func (c chunk) entity(i int) EntityID {
	p := c.at(i)
	return EntityID(p[6])<<32 | EntityID(binary.BigEndian.Uint32(p[7:]))
}

// search returns where the first posting that is not less than p is.
func (c chunk) search(p []byte) int {
	// The first eight bytes nearly always decide, and compare as a number.
	head, tail := binary.BigEndian.Uint64(p), p[8:]
	low, high := 0, c.len()
	for low < high {
		middle := int(uint(low+high) / 2)
		at := c.at(middle)
		if n := binary.BigEndian.Uint64(at); n < head || n == head && bytes.Compare(at[8:], tail) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// merge appends the postings of the chunk and those of more, which are in order too.
func (c chunk) merge(all, more []posting) []posting {
	for i := range c.len() {
		p := posting(c.at(i))
		for len(more) > 0 && more[0].compare(p) < 0 {
			all, more = append(all, more[0]), more[1:]
		}
		all = append(all, p)
	}
	return append(all, more...)
}

// postings reads and writes one index in one transaction.
type postings struct {
	tx    Tx
	table Table
	key   [1 + postingSize]byte
}

// chunkFor returns the chunk where a posting is or belongs, and where that chunk ends: its row has the last posting that
// belongs there as its key. The chunk is empty where there is none.
func (x *postings) chunkFor(generation int, p posting) (end posting, c chunk, err error) {
	row, err := x.tx.Seek(x.table, x.rowKey(generation, p))
	if err != nil || row.Key == nil || row.Key[0] != byte(generation) {
		return lastPosting, nil, err
	}
	if len(row.Key) != len(x.key) || len(row.Value) == 0 || len(row.Value)%postingSize != 0 {
		return end, nil, fmt.Errorf("the row of an index can not be read: %w", ErrCorrupt)
	}
	return posting(row.Key[1:]), row.Value, nil
}

// rowKey is the key of the chunk that ends at a posting.
func (x *postings) rowKey(generation int, end posting) []byte {
	x.key[0] = byte(generation)
	copy(x.key[1:], end[:])
	return x.key[:]
}

// each calls visit with every entity that a hash leads to, right or wrong, until it returns true.
func (x *postings) each(hash uint64, visit func(EntityID) (done bool, err error)) error {
	first := newPosting(hash, 0)
	// Most are in the last.
	for generation := generations - 1; generation >= 0; generation-- {
		for from := first; ; {
			end, c, err := x.chunkFor(generation, from)
			if err != nil {
				return err
			}
			i := c.search(from[:])
			for ; i < c.len() && bytes.Equal(c.at(i)[:hashSize], first[:hashSize]); i++ {
				if done, err := visit(c.entity(i)); done || err != nil {
					return err
				}
			}
			if i < c.len() || end == lastPosting || !bytes.Equal(end[:hashSize], first[:hashSize]) {
				break
			}
			from = end.next()
		}
	}
	return nil
}

// next is the posting after p; after the last comes the first.
func (p posting) next() posting {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i]++; p[i] != 0 {
			break
		}
	}
	return p
}

// add puts postings that are in the index nowhere yet. It sorts them.
func (x *postings) add(fresh []posting) error {
	slices.SortFunc(fresh, posting.compare)
	full, err := x.fullness()
	if err != nil {
		return err
	}
	for generation, limit := range generationLimits {
		if err := x.insert(generation, fresh); err != nil {
			return err
		}
		full[generation].count += uint64(len(fresh))
		if fresh, err = x.overflow(generation, limit, &full[generation]); err != nil {
			return err
		}
	}
	if err := x.insert(generations-1, fresh); err != nil {
		return err
	}
	return x.setFullness(full)
}

// insert merges postings, which are in order, into a generation, all at once that meet the same chunk.
func (x *postings) insert(generation int, fresh []posting) error {
	var merged []posting
	for len(fresh) > 0 {
		end, c, err := x.chunkFor(generation, fresh[0])
		if err != nil {
			return err
		}
		n := sort.Search(len(fresh), func(i int) bool { return fresh[i].compare(end) > 0 })
		merged = c.merge(merged[:0], fresh[:n])
		if err := x.write(generation, end, merged); err != nil {
			return err
		}
		fresh = fresh[n:]
	}
	return nil
}

// write stores the postings of a chunk, and divides it where they are too many.
func (x *postings) write(generation int, end posting, all []posting) error {
	size := len(all)
	if size > chunkLimit {
		pieces := 1 + size/(chunkLimit*3/4)
		size = (size + pieces - 1) / pieces
	}
	for piece := range slices.Chunk(all, size) {
		value := make([]byte, 0, len(piece)*postingSize)
		for _, p := range piece {
			value = append(value, p[:]...)
		}
		last := piece[len(piece)-1]
		if last == all[len(all)-1] {
			last = end
		}
		if err := x.tx.Put(x.table, x.rowKey(generation, last), value); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a posting out of the index, if it is there.
func (x *postings) remove(gone posting) error {
	for generation := range generations {
		end, c, err := x.chunkFor(generation, gone)
		if err != nil {
			return err
		}
		i := c.search(gone[:])
		switch {
		case i == c.len() || !bytes.Equal(c.at(i), gone[:]):
			continue
		case c.len() == 1:
			err = x.tx.Delete(x.table, x.rowKey(generation, end))
		default:
			err = x.tx.Put(x.table, x.rowKey(generation, end), slices.Concat(c[:i*postingSize], c[(i+1)*postingSize:]))
		}
		if err != nil || generation == generations-1 {
			return err
		}
		full, err := x.fullness()
		if err != nil {
			return err
		}
		full[generation].count--
		return x.setFullness(full)
	}
	return nil
}

// hash is what the posting was made of.
func (p posting) hash() uint64 { return binary.BigEndian.Uint64(p[:]) >> 16 }
