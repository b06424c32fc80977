package idstore

// What the tests reach into.

const (
	PostingSize   = postingSize
	Generations   = generations
	SchemaVersion = schemaVersion
)

type Posting = posting

func NewPosting(hash uint64, e EntityID) Posting { return newPosting(hash, e) }

func AddPostings(tx Tx, t Table, fresh []Posting) error {
	x := postings{tx: tx, table: t}
	return x.add(fresh)
}

func RemovePosting(tx Tx, t Table, gone Posting) error {
	x := postings{tx: tx, table: t}
	return x.remove(gone)
}

// Fullness returns how many postings the generations but the last are said to hold.
func Fullness(tx Tx, t Table) ([]uint64, error) {
	x := postings{tx: tx, table: t}
	full, err := x.fullness()
	var counts []uint64
	for _, f := range full {
		counts = append(counts, f.count)
	}
	return counts, err
}

// PutRecord stores a record of a shape that no operation makes yet, and finds it by its first link and all its ids.
func PutRecord(tx Tx, r Record) error {
	if err := putRecord(tx, r); err != nil {
		return err
	}
	backend, err := tx.Names().intern(tx, kindBackend, r.Links[0].Backend)
	if err != nil {
		return err
	}
	if err := AddPostings(tx, TableAnchors, []posting{newPosting(textHash(backend, r.Links[0].Key), r.Entity)}); err != nil {
		return err
	}
	for _, id := range r.IDs {
		if err := AddPostings(tx, TablePublicIDs, []posting{idPosting(id.Public, r.Entity)}); err != nil {
			return err
		}
	}
	return nil
}

func EncodeRecord(tx Tx, r Record) ([]byte, error) { return encodeRecord(tx, nil, r) }

func DecodeRecord(tx Tx, e EntityID, value []byte) (Record, error) { return decodeRecord(tx, e, value) }

func DecodeIntent(tx Tx, row Row) (Intent, error) { return decodeIntent(tx, row) }

func EncodeIntent(tx Tx, in Intent) ([]byte, error) { return encodeIntent(tx, in) }

func AppendOrdered(b []byte, n uint64) []byte { return appendOrdered(b, n) }

func Ordered(b []byte) (uint64, bool) { return ordered(b) }

func AppendText(b []byte, s string) []byte { return appendText(b, s) }

func ReadText(b []byte) (string, error) {
	c := cursor{rest: b}
	s := c.text()
	return s, c.err("a text")
}

// RewriteRecord stores a record and leaves the indexes as they are.
func RewriteRecord(tx Tx, r Record) error { return putRecord(tx, r) }

func OperationKey(id OperationID) []byte { return appendOperation(nil, id) }
