package idstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"postern/idstore"
)

// table is where the tests of the driver itself write; nothing else is in it.
const table = idstore.TableIntentKeys

var errOnPurpose = errors.New("on purpose")

func testTables(t *testing.T, open Open) {
	put := func(key, value string) func(idstore.Tx) error {
		return func(tx idstore.Tx) error { return tx.Put(table, []byte(key), []byte(value)) }
	}
	want := func(t testing.TB, tx idstore.Tx, key, value string) {
		t.Helper()
		got, err := tx.Get(table, []byte(key))
		if err != nil || string(got) != value || (got == nil) != (value == "") {
			t.Errorf("get %q: %q, %v, want %q", key, got, err, value)
		}
	}

	t.Run("get put delete", func(t *testing.T) {
		s, _ := open(t)
		update(t, s, func(tx idstore.Tx) error {
			want(t, tx, "a", "")
			key := []byte("a")
			if err := tx.Put(table, key, []byte("1")); err != nil {
				return err
			}
			key[0] = 'b' // the store has its own copy
			want(t, tx, "a", "1")
			want(t, tx, "b", "")
			if err := put("a", "2")(tx); err != nil {
				return err
			}
			want(t, tx, "a", "2")
			return tx.Delete(table, []byte("missing"))
		})
		view(t, s, func(tx idstore.Tx) error { want(t, tx, "a", "2"); return nil })
		update(t, s, func(tx idstore.Tx) error {
			err := tx.Delete(table, []byte("a"))
			want(t, tx, "a", "")
			return err
		})
		view(t, s, func(tx idstore.Tx) error { want(t, tx, "a", ""); return nil })
	})

	t.Run("tables are apart", func(t *testing.T) {
		s, _ := open(t)
		update(t, s, put("m", "1"))
		view(t, s, func(tx idstore.Tx) error {
			for other := range idstore.Table(idstore.TableCount) {
				if other == table {
					continue
				}
				if value, err := tx.Get(other, []byte("m")); value != nil || err != nil {
					t.Errorf("table %v: %q, %v", other, value, err)
				}
				if row, err := tx.Seek(other, []byte("l")); err != nil || string(row.Key) == "m" {
					t.Errorf("table %v: seek found %q, %v", other, row.Key, err)
				}
			}
			return nil
		})
	})

	t.Run("a failed update leaves nothing", func(t *testing.T) {
		s, _ := open(t)
		update(t, s, put("kept", "1"))
		err := s.Update(context.Background(), func(tx idstore.Tx) error {
			return errors.Join(put("kept", "2")(tx), put("new", "1")(tx), errOnPurpose)
		})
		wantErr(t, "update", err, errOnPurpose)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = s.Update(context.Background(), func(tx idstore.Tx) error {
				if err := put("panicked", "1")(tx); err != nil {
					return err
				}
				panic("on purpose")
			})
		}()
		update(t, s, put("after", "1"))
		view(t, s, func(tx idstore.Tx) error {
			want(t, tx, "kept", "1")
			want(t, tx, "new", "")
			want(t, tx, "panicked", "")
			want(t, tx, "after", "1")
			return nil
		})
	})

	t.Run("a view is a snapshot", func(t *testing.T) {
		s, _ := open(t)
		update(t, s, put("a", "old"))
		view(t, s, func(tx idstore.Tx) error {
			done := make(chan error)
			go func() {
				done <- s.Update(context.Background(), func(tx idstore.Tx) error {
					return errors.Join(put("a", "new")(tx), put("b", "new")(tx))
				})
			}()
			if err := <-done; err != nil {
				t.Error(err)
			}
			want(t, tx, "a", "old")
			want(t, tx, "b", "")
			return nil
		})
		view(t, s, func(tx idstore.Tx) error { want(t, tx, "a", "new"); return nil })
	})

	t.Run("a view can not write", func(t *testing.T) {
		s, _ := open(t)
		view(t, s, func(tx idstore.Tx) error {
			wantErr(t, "put", put("a", "1")(tx), idstore.ErrReadOnly)
			wantErr(t, "delete", tx.Delete(table, []byte("a")), idstore.ErrReadOnly)
			if tx.Writable() {
				t.Error("a view is writable")
			}
			return nil
		})
	})

	t.Run("over is over", func(t *testing.T) {
		s, _ := open(t)
		var leaked idstore.Tx
		update(t, s, func(tx idstore.Tx) error { leaked = tx; return nil })
		_, err := leaked.Get(table, []byte("a"))
		wantErr(t, "get", err, idstore.ErrClosed)
		wantErr(t, "put", put("a", "1")(leaked), idstore.ErrClosed)
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		never := func(idstore.Tx) error { t.Error("ran"); return nil }
		wantErr(t, "cancelled view", s.View(cancelled, never), context.Canceled)
		wantErr(t, "cancelled update", s.Update(cancelled, never), context.Canceled)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "view", s.View(context.Background(), never), idstore.ErrClosed)
		wantErr(t, "update", s.Update(context.Background(), never), idstore.ErrClosed)
		if err := s.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})

	t.Run("byte order", func(t *testing.T) {
		s, _ := open(t)
		rapid.Check(t, func(r *rapid.T) { checkOrder(r, s) })
	})
}

// checkOrder compares the table with a sorted list: random writes, then a scan of a random prefix and a seek.
func checkOrder(t *rapid.T, s idstore.Store) {
	// Few different bytes make prefixes that meet.
	key := rapid.Custom(func(t *rapid.T) []byte {
		return rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0x7f, 0x80, 0xff}), 1, 4).Draw(t, "key")
	})
	model := map[string]string{}
	err := s.Update(context.Background(), func(tx idstore.Tx) error {
		var old [][]byte
		for row, err := range tx.Scan(table, nil) {
			if err != nil {
				return err
			}
			old = append(old, bytes.Clone(row.Key))
		}
		for _, key := range old {
			if err := tx.Delete(table, key); err != nil {
				return err
			}
		}
		for i := range rapid.IntRange(0, 40).Draw(t, "writes") {
			k := key.Draw(t, "key")
			if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
				delete(model, string(k))
				if err := tx.Delete(table, k); err != nil {
					return err
				}
				continue
			}
			model[string(k)] = fmt.Sprint(i)
			if err := tx.Put(table, k, []byte(fmt.Sprint(i))); err != nil {
				return err
			}
		}
		return compareOrder(t, tx, model, key)
	})
	if err == nil {
		err = s.View(context.Background(), func(tx idstore.Tx) error { return compareOrder(t, tx, model, key) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func compareOrder(t *rapid.T, tx idstore.Tx, model map[string]string, key *rapid.Generator[[]byte]) error {
	prefix := key.Draw(t, "prefix")[1:]
	var want []string
	seek := ""
	for k, v := range model {
		if bytes.HasPrefix([]byte(k), prefix) {
			want = append(want, k+"="+v)
		}
		if k >= string(prefix) && (seek == "" || k < seek) {
			seek = k
		}
	}
	slices.SortFunc(want, func(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) })
	// The separator sorts among the keys, so the order of the scan is checked by itself.
	var got []string
	var last []byte
	for row, err := range tx.Scan(table, prefix) {
		if err != nil {
			return err
		}
		if last != nil && bytes.Compare(last, row.Key) >= 0 {
			t.Fatalf("scan: %q after %q", row.Key, last)
		}
		last = bytes.Clone(row.Key)
		got = append(got, string(row.Key)+"="+string(row.Value))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("scan %q: %q, want %q", prefix, got, want)
	}
	row, err := tx.Seek(table, prefix)
	if string(row.Key) != seek || string(row.Value) != model[seek] {
		t.Fatalf("seek %q: %q=%q, want %q=%q", prefix, row.Key, row.Value, seek, model[seek])
	}
	for range tx.Scan(table, nil) {
		break // a walk may end early
	}
	return err
}
