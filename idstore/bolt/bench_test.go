package bolt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"postern/idstore"
	"postern/idstore/bolt"
)

// entities is how many the budget rows speak of.
const entities = 1_000_000

var scope = idstore.Scope{Type: "User", Externals: "okta"}

// randomAnchor has the shape of an objectGUID.
func randomAnchor(r *rand.ChaCha8) idstore.Anchor {
	var key [16]byte
	_, _ = r.Read(key[:])
	return idstore.Anchor{Backend: "ad", Key: string(key[:])}
}

func adopt(tb testing.TB, s idstore.Store, anchors []idstore.Anchor) (records []idstore.Record) {
	tb.Helper()
	err := s.Update(context.Background(), func(tx idstore.Tx) (err error) {
		records, err = idstore.Adopt(tx, scope, anchors)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return records
}

// BenchmarkTable measures the budget rows of the identity table at a million entities, each with one link, one public id
// and one externalId.
func BenchmarkTable(b *testing.B) {
	path := filepath.Join(b.TempDir(), "ids.db")
	s, err := bolt.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()

	const batch = 1000
	source := rand.NewChaCha8([32]byte{1})
	anchors := make([]idstore.Anchor, entities)
	ids := make([]idstore.PublicID, 0, entities)
	for i := range anchors {
		anchors[i] = randomAnchor(source)
	}
	var adopting time.Duration
	for i := 0; i < entities; i += batch {
		began := time.Now()
		records := adopt(b, s, anchors[i:i+batch])
		adopting += time.Since(began)
		for _, r := range records {
			id, _ := r.PublicID("")
			ids = append(ids, id)
		}
	}
	b.Logf("first sight in batches of %d: %.0f entities/s", batch, float64(entities)/adopting.Seconds())
	report(b, path, "before externalIds")
	// What the first View learns of the names holds from then on.
	if err := s.View(context.Background(), func(tx idstore.Tx) error {
		_, err := idstore.Resolve(tx, scope, ids[0])
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for i := 0; i < entities; i += batch {
		err := s.Update(context.Background(), func(tx idstore.Tx) error {
			for j := range batch {
				if _, err := idstore.SetExternalID(tx, scope, idstore.EntityID(i+j+1), fmt.Sprintf("00u%017x", i+j)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	report(b, path, "with externalIds")

	if os.Getenv("X") != "" {
		return
	}
	b.Run("View", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if err := s.View(context.Background(), func(idstore.Tx) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Resolve", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			id := ids[rand.IntN(len(ids))]
			err := s.View(context.Background(), func(tx idstore.Tx) error {
				_, err := idstore.Resolve(tx, scope, id)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ByAnchors1", func(b *testing.B) {
		b.ReportAllocs()
		one := make([]idstore.Anchor, 1)
		for range b.N {
			one[0] = anchors[rand.IntN(len(anchors))]
			err := s.View(context.Background(), func(tx idstore.Tx) error {
				_, missing, err := idstore.ByAnchors(tx, scope, one)
				if len(missing) > 0 {
					b.Fatal("missing")
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	const group = 1000
	b.Run("ByAnchors1000", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			at := rand.IntN(len(anchors) - group)
			err := s.View(context.Background(), func(tx idstore.Tx) error {
				_, _, err := idstore.ByAnchors(tx, scope, anchors[at:at+group])
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ByExternalID", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			value := fmt.Sprintf("00u%017x", rand.IntN(entities))
			err := s.View(context.Background(), func(tx idstore.Tx) error {
				r, err := idstore.ByExternalID(tx, scope, value)
				if len(r) != 1 {
					b.Fatal("missing")
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("Open", func(b *testing.B) {
		for range b.N {
			s, err := bolt.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func report(b *testing.B, path, when string) {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%s: %.0f bytes per entity", when, float64(info.Size())/entities)
}
