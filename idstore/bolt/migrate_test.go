package bolt_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"testing"

	"postern/idstore"
)

// TestMigrate opens a file that the program wrote when the layout was version 1: three entities, one that was deleted,
// and a creation under way.
func TestMigrate(t *testing.T) {
	path := write(t, unpack(t, "testdata/schema1.db.gz"))
	for range 2 {
		s := open(t, path)
		err := s.View(t.Context(), func(tx idstore.Tx) error {
			version, err := tx.Get(idstore.TableMeta, []byte("schema"))
			if err != nil || !bytes.Equal(version, []byte{3}) {
				t.Errorf("schema version %v, %v", version, err)
			}
			for _, test := range []struct {
				scope    idstore.Scope
				id       string
				key      string
				external string
				want     error
			}{
				{idstore.Scope{Type: "User", Externals: "okta"}, "11111111-1111-4111-8111-111111111111", "ann", "x-ann", nil},
				{idstore.Scope{Type: "User", IDs: "lab", Externals: "lab"}, "22222222-2222-4222-8222-222222222222", "bob", "x-bob", nil},
				{idstore.Scope{Type: "Group"}, "33333333-3333-4333-8333-333333333333", "staff", "", nil},
				{idstore.Scope{Type: "User"}, "44444444-4444-4444-8444-444444444444", "", "", idstore.ErrGone},
				{idstore.Scope{Type: "User"}, "55555555-5555-4555-8555-555555555555", "", "", idstore.ErrNotFound},
			} {
				id, _ := idstore.ParsePublicID(test.id)
				r, err := idstore.Resolve(tx, test.scope, id)
				if !errors.Is(err, test.want) || r.Anchor().Key != test.key || r.ExternalID(test.scope.Externals) != test.external {
					t.Errorf("%s: %+v, %v", test.id, r, err)
				}
			}
			open, err := idstore.IntentsForName(tx, "directory", "uid=eve")
			if len(open) != 1 || open[0].ExternalID != "x-eve" || open[0].Public.String() != "55555555-5555-4555-8555-555555555555" {
				t.Errorf("intents %+v", open)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func unpack(t *testing.T, path string) []byte {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
