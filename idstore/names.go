package idstore

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// maxName bounds the names of backends, resource types and domains, in bytes.
const maxName = 255

// nameKind keeps the numbers of unlike names apart.
type nameKind byte

const (
	kindType nameKind = iota
	kindBackend
	kindDomain
	kindCount
)

// Names interns the names of resource types, backends and domains as small numbers, which is how records and keys hold
// them. The table is the truth; this is a cache of it, and the zero value is an empty one. A number, once durable, never
// changes its meaning, so a cached one is right for every snapshot; one that is not yet durable is never cached.
type Names struct {
	known atomic.Pointer[nameSet]
}

// nameSet is immutable once published.
type nameSet [kindCount]struct {
	numbers map[string]uint64
	texts   []string // by number; "" where there is none
}

// number returns the number of text, or 0 where it has none. The shared domain is "" and has the number 0.
func (n *Names) number(tx Tx, kind nameKind, text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	if set := n.known.Load(); set != nil {
		if number, ok := set[kind].numbers[text]; ok {
			return number, nil
		}
	}
	value, err := tx.Get(TableNames, nameKey(kind, text))
	if err != nil || value == nil {
		return 0, err
	}
	return nameNumber(value)
}

// text returns the name behind a number that a record holds.
func (n *Names) text(tx Tx, kind nameKind, number uint64) (string, error) {
	if number == 0 {
		return "", nil
	}
	if set := n.known.Load(); set != nil {
		if texts := set[kind].texts; number < uint64(len(texts)) && texts[number] != "" {
			return texts[number], nil
		}
	}
	set, err := readNames(tx)
	if err != nil {
		return "", err
	}
	texts := set[kind].texts
	if number >= uint64(len(texts)) || texts[number] == "" {
		return "", fmt.Errorf("a record holds the number of an unknown name: %w", ErrCorrupt)
	}
	// What an Update reads may be its own and may yet be undone.
	if !tx.Writable() {
		n.known.Store(set)
	}
	return texts[number], nil
}

// intern returns the number of text and gives it one where it has none.
func (n *Names) intern(tx Tx, kind nameKind, text string) (uint64, error) {
	number, err := n.number(tx, kind, text)
	if err != nil || number != 0 || text == "" {
		return number, err
	}
	if len(text) > maxName {
		return 0, fmt.Errorf("a name of %d bytes, the limit is %d: %w", len(text), maxName, ErrInvalid)
	}
	set, err := readNames(tx)
	if err != nil {
		return 0, err
	}
	number = max(1, uint64(len(set[kind].texts)))
	return number, tx.Put(TableNames, nameKey(kind, text), binary.AppendUvarint(nil, number))
}

// readNames reads the whole table, which is as small as the configuration is.
func readNames(tx Tx) (*nameSet, error) {
	set := new(nameSet)
	for kind := range kindCount {
		set[kind].numbers = map[string]uint64{}
		for row, err := range tx.Scan(TableNames, []byte{byte(kind)}) {
			if err != nil {
				return nil, err
			}
			number, err := nameNumber(row.Value)
			if err != nil {
				return nil, err
			}
			text := string(row.Key[1:])
			set[kind].numbers[text] = number
			for uint64(len(set[kind].texts)) <= number {
				set[kind].texts = append(set[kind].texts, "")
			}
			set[kind].texts[number] = text
		}
	}
	return set, nil
}

func nameKey(kind nameKind, text string) []byte {
	return append([]byte{byte(kind)}, text...)
}

func nameNumber(value []byte) (uint64, error) {
	number, size := binary.Uvarint(value)
	if size != len(value) || number == 0 || number > 1<<20 {
		return 0, fmt.Errorf("a name has no sound number: %w", ErrCorrupt)
	}
	return number, nil
}
