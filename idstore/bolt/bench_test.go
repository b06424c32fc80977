package bolt_test

import (
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
	err := s.Update(tb.Context(), func(tx idstore.Tx) (err error) {
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
	if err := s.View(b.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Resolve(tx, scope, ids[0])
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for i := 0; i < entities; i += batch {
		err := s.Update(b.Context(), func(tx idstore.Tx) error {
			for j := range batch {
				if _, err := idstore.SetExternalID(tx, scope, idstore.EntityID(i+j+1), externalID(i+j)); err != nil {
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

	// Each look-up is in a View of its own, as a request's would be.
	const group = 5000
	for _, look := range []struct {
		name string
		up   func(tx idstore.Tx, i int) error
	}{
		{"View", func(idstore.Tx, int) error { return nil }},
		{"Resolve", func(tx idstore.Tx, i int) error {
			_, err := idstore.Resolve(tx, scope, ids[i])
			return err
		}},
		{"ByAnchors", func(tx idstore.Tx, i int) error {
			_, missing, err := idstore.ByAnchors(tx, scope, anchors[i:i+1])
			return complete(missing, err)
		}},
		{"ByExternalID", func(tx idstore.Tx, i int) error {
			_, err := idstore.ByExternalID(tx, scope, externalID(i))
			return err
		}},
		{"References5000", func(tx idstore.Tx, i int) error {
			_, missing, err := idstore.References(tx, scope, anchors[min(i, entities-group):][:group])
			return complete(missing, err)
		}},
	} {
		b.Run(look.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i := rand.IntN(entities)
				if err := s.View(b.Context(), func(tx idstore.Tx) error { return look.up(tx, i) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
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

// externalID has the shape of an Okta user's id.
func externalID(i int) string { return fmt.Sprintf("00u%017x", i) }

// complete makes an error of what is missing.
func complete(missing []int, err error) error {
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%d anchors without an entity", len(missing))
	}
	return err
}

// report logs the size of the file.
func report(b *testing.B, path, when string) {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%s: %.0f bytes per entity", when, float64(info.Size())/entities)
}
