package bolt_test

import (
	"path/filepath"
	"testing"

	"postern/idstore"
	"postern/idstore/bolt"
	"postern/idstore/idstoretest"
)

func open(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	idstoretest.Run(t, func(t testing.TB) (idstore.Store, func() idstore.Store) {
		path := filepath.Join(t.TempDir(), "ids.db")
		s := open(t, path)
		return s, func() idstore.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path)
			return s
		}
	})
}
