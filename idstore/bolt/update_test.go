package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"postern/idstore"
)

var users = idstore.Scope{Type: "User"}

// transactions tells how many transactions have become durable.
func (s *Store) transactions(t *testing.T) int {
	t.Helper()
	tx, err := s.db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	return tx.ID()
}

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "ids.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func adoptOne(s *Store, t *testing.T, key string, then error) error {
	return s.Update(t.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Adopt(tx, users, []idstore.Anchor{{Backend: "ad", Key: key}})
		return errors.Join(err, then)
	})
}

// TestGroup makes many updates wait behind one, so that all of them become durable together, but for those that fail.
func TestGroup(t *testing.T) {
	const n = 40
	purpose := errors.New("on purpose")
	for _, test := range []struct {
		name  string
		first error
	}{{"first succeeds", nil}, {"first fails", purpose}} {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t)
			before := s.transactions(t)
			inside, release := make(chan struct{}), make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() {
				err := s.Update(t.Context(), func(tx idstore.Tx) error {
					close(inside)
					<-release
					_, err := idstore.Adopt(tx, users, []idstore.Anchor{{Backend: "ad", Key: "first"}})
					return errors.Join(err, test.first)
				})
				if !errors.Is(err, test.first) {
					t.Error(err)
				}
			})
			<-inside
			for i := range n {
				all.Go(func() {
					var then error
					if i%4 == 0 {
						then = purpose
					}
					if err := adoptOne(s, t, fmt.Sprint(i), then); !errors.Is(err, then) {
						t.Errorf("update %d: %v", i, err)
					}
				})
			}
			for s.waiting.Load() < n {
				runtime.Gosched()
			}
			close(release)
			all.Wait()
			if got := s.transactions(t) - before; got != 1 {
				t.Errorf("%d updates took %d transactions, want 1", n+1, got)
			}
			err := s.View(t.Context(), func(tx idstore.Tx) error {
				for i := range n {
					_, missing, err := idstore.ByAnchors(tx, users, []idstore.Anchor{{Backend: "ad", Key: fmt.Sprint(i)}})
					if err != nil {
						return err
					}
					if (len(missing) > 0) != (i%4 == 0) {
						t.Errorf("update %d: missing %v", i, missing)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNothingWritten: an update that changes nothing costs no transaction.
func TestNothingWritten(t *testing.T) {
	s := newStore(t)
	if err := adoptOne(s, t, "a", nil); err != nil {
		t.Fatal(err)
	}
	before := s.transactions(t)
	if err := adoptOne(s, t, "a", nil); err != nil {
		t.Fatal(err)
	}
	if got := s.transactions(t) - before; got != 0 {
		t.Errorf("%d transactions", got)
	}
}

// TestDiskFull lets the file not grow, as a full disk does, and then grow again.
func TestDiskFull(t *testing.T) {
	s := newStore(t)
	if err := adoptOne(s, t, "early", nil); err != nil {
		t.Fatal(err)
	}
	batch := func(n int) error {
		return s.Update(t.Context(), func(tx idstore.Tx) error {
			var anchors []idstore.Anchor
			for i := range 1000 {
				anchors = append(anchors, idstore.Anchor{Backend: "ad", Key: fmt.Sprint(n, " ", i)})
			}
			_, err := idstore.Adopt(tx, users, anchors)
			return err
		})
	}
	s.db.MaxSize = 1
	var full error
	n := 0
	for ; full == nil; n++ {
		full = batch(n)
	}
	if !errors.Is(full, idstore.ErrUnwritable) {
		t.Fatalf("update: %v, want %v", full, idstore.ErrUnwritable)
	}
	view := func(want int) {
		t.Helper()
		err := s.View(t.Context(), func(tx idstore.Tx) error {
			last := fmt.Sprint(n-1, " 0")
			_, missing, err := idstore.ByAnchors(tx, users, []idstore.Anchor{{Backend: "ad", Key: "early"}, {Backend: "ad", Key: last}})
			if len(missing) != want {
				t.Errorf("missing %v", missing)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	view(1)
	if err := batch(n - 1); !errors.Is(err, idstore.ErrUnwritable) {
		t.Errorf("update: %v, want %v", err, idstore.ErrUnwritable)
	}
	s.db.MaxSize = 0
	if err := batch(n - 1); err != nil {
		t.Fatal(err)
	}
	view(0)
}

// BenchmarkCreate measures the two updates of a create, for one client and for many at once.
func BenchmarkCreate(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "ids.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(clients, " clients"), func(b *testing.B) {
			work := make(chan int)
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := range work {
						if err := createOne(s, b, fmt.Sprint(b.Name(), b.N, i)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for i := range b.N {
				work <- i
			}
			close(work)
			all.Wait()
		})
	}
}

func createOne(s *Store, b *testing.B, key string) error {
	var in idstore.Intent
	err := s.Update(b.Context(), func(tx idstore.Tx) (err error) {
		in, err = idstore.Begin(tx, idstore.Intent{Kind: idstore.Create, Scope: users, Backend: "ad", Name: key, ExternalID: key})
		return err
	})
	if err != nil {
		return err
	}
	return s.Update(b.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Bind(tx, in.ID, idstore.Anchor{Backend: "ad", Key: key})
		return err
	})
}
