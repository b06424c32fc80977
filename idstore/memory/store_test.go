package memory_test

import (
	"testing"

	"postern/idstore"
	"postern/idstore/idstoretest"
	"postern/idstore/memory"
)

func TestSuite(t *testing.T) {
	idstoretest.Run(t, func(t testing.TB) (idstore.Store, func() idstore.Store) {
		s, err := memory.Open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s, nil
	})
}
