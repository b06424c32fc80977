package idstore_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"postern/idstore"
	"postern/idstore/memory"
)

// inTx runs fn in an update of a store that forgets.
func inTx(t testing.TB, fn func(idstore.Tx) error) {
	t.Helper()
	s, err := memory.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// checkPostings compares the whole index with a set, and every row with the rules: chunks are in order, end where they say, and
// the generations hold what is counted.
func checkPostings(tx idstore.Tx, want map[idstore.Posting]bool) error {
	counts := make([]uint64, idstore.Generations)
	seen := 0
	var last []byte
	for row, err := range tx.Scan(idstore.TableAnchors, nil) {
		if err != nil {
			return err
		}
		generation := row.Key[0]
		if len(last) > 0 && last[0] != generation {
			last = nil
		}
		for at := 0; at < len(row.Value); at += idstore.PostingSize {
			p := row.Value[at : at+idstore.PostingSize]
			if len(last) > 0 && bytes.Compare(last[1:], p) >= 0 {
				return fmt.Errorf("%x follows %x", p, last)
			}
			if bytes.Compare(p, row.Key[1:]) > 0 {
				return fmt.Errorf("%x is in the chunk that ends at %x", p, row.Key)
			}
			if !want[idstore.Posting(p)] {
				return fmt.Errorf("%x should not be there", p)
			}
			last = append([]byte{generation}, p...)
			counts[generation]++
			seen++
		}
	}
	if seen != len(want) {
		return fmt.Errorf("%d postings, want %d", seen, len(want))
	}
	full, err := idstore.Fullness(tx, idstore.TableAnchors)
	if err == nil && fmt.Sprint(full) != fmt.Sprint(counts[:len(full)]) {
		return fmt.Errorf("counted %v, there are %v", full, counts)
	}
	return err
}

// TestPostingsOverflow fills all generations, by batches and one at a time, and empties them again.
func TestPostingsOverflow(t *testing.T) {
	inTx(t, func(tx idstore.Tx) error {
		random := rand.New(rand.NewPCG(1, 2))
		want := map[idstore.Posting]bool{}
		var all []idstore.Posting
		add := func(n int) error {
			var batch []idstore.Posting
			for range n {
				p := idstore.NewPosting(random.Uint64()>>16, idstore.EntityID(len(want)+1))
				want[p] = true
				batch = append(batch, p)
			}
			all = append(all, batch...)
			return idstore.AddPostings(tx, idstore.TableAnchors, batch)
		}
		for i := range 60 {
			if err := add(2000); err != nil {
				return err
			}
			if i%20 == 0 {
				if err := checkPostings(tx, want); err != nil {
					t.Fatalf("after batch %d: %v", i, err)
				}
			}
		}
		for range 1000 {
			if err := add(1); err != nil {
				return err
			}
		}
		if err := checkPostings(tx, want); err != nil {
			t.Fatalf("full: %v", err)
		}
		full, err := idstore.Fullness(tx, idstore.TableAnchors)
		if err != nil {
			return err
		}
		if last := uint64(len(want)); full[0]+full[1] >= last {
			t.Errorf("%v of %d: the last generation is empty", full, last)
		}
		for i, p := range all {
			if i%3 == 0 {
				continue
			}
			delete(want, p)
			if err := idstore.RemovePosting(tx, idstore.TableAnchors, p); err != nil {
				return err
			}
		}
		if err := checkPostings(tx, want); err != nil {
			t.Fatalf("thinned: %v", err)
		}
		return nil
	})
}

// TestPostingsAlike adds and removes postings of which many have one hash, against a set.
func TestPostingsAlike(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		inTx(t, func(tx idstore.Tx) error {
			want := map[idstore.Posting]bool{}
			for e := range rapid.IntRange(1, 20).Draw(r, "batches") {
				var batch []idstore.Posting
				for i := range rapid.IntRange(0, 300).Draw(r, "size") {
					p := idstore.NewPosting(rapid.SampledFrom([]uint64{0, 7, 1<<48 - 1}).Draw(r, "hash"), idstore.EntityID(e*1000+i))
					want[p] = true
					batch = append(batch, p)
				}
				if err := idstore.AddPostings(tx, idstore.TableAnchors, batch); err != nil {
					return err
				}
				for _, p := range batch {
					if rapid.IntRange(0, 2).Draw(r, "keep") == 0 {
						delete(want, p)
						if err := idstore.RemovePosting(tx, idstore.TableAnchors, p); err != nil {
							return err
						}
					}
				}
				if err := checkPostings(tx, want); err != nil {
					r.Fatal(err)
				}
			}
			return nil
		})
	})
}
