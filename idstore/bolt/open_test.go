package bolt_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"postern/idstore"
	"postern/idstore/bolt"
)

// used tells how much of a file its pages take; the rest waits for more.
func used(t *testing.T, file []byte) (size int64) {
	t.Helper()
	db, err := bbolt.Open(write(t, file), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return size
}

// filled makes a table with some thousand entities and returns the bytes of its file and one of its records.
func filled(t *testing.T) ([]byte, idstore.Record) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ids.db")
	s := open(t, path)
	var anchors []idstore.Anchor
	for i := range 5000 {
		anchors = append(anchors, idstore.Anchor{Backend: "ad", Key: string(binary.BigEndian.AppendUint32(nil, uint32(i)))})
	}
	records := adopt(t, s, anchors)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, records[2500]
}

func write(t *testing.T, file []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ids.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	file, _ := filled(t)
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	db, err := bbolt.Open(foreign, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("something"))
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	held := filepath.Join(t.TempDir(), "held.db")
	open(t, held)

	for _, test := range []struct {
		name string
		path string
		want error
	}{
		{"in use", held, idstore.ErrLocked},
		{"another kind of file", write(t, []byte(strings.Repeat("not a table\n", 2000))), idstore.ErrCorrupt},
		{"an empty file", write(t, nil), idstore.ErrCorrupt},
		{"a short file", write(t, []byte("x")), idstore.ErrCorrupt},
		{"zeros", write(t, make([]byte, 1<<16)), idstore.ErrCorrupt},
		{"another bbolt file", foreign, idstore.ErrCorrupt},
		{"cut off after the meta pages", write(t, file[:8192]), idstore.ErrCorrupt},
		{"cut off in the middle", write(t, file[:len(file)/8]), idstore.ErrCorrupt},
		{"cut off before the last page", write(t, file[:used(t, file)-4096]), idstore.ErrCorrupt},
		{"both meta pages damaged", write(t, append(make([]byte, 8192), file[8192:]...)), idstore.ErrCorrupt},
		{"all but the meta pages damaged", write(t, append(append([]byte(nil), file[:8192]...), make([]byte, len(file)-8192)...)), idstore.ErrCorrupt},
		{"a directory", t.TempDir(), idstore.ErrCorrupt},
		{"no directory", filepath.Join(t.TempDir(), "missing", "ids.db"), idstore.ErrUnwritable},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := bolt.Open(test.path)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if err == nil {
				_ = s.Close()
				return
			}
			if !strings.Contains(err.Error(), test.path) {
				t.Errorf("%q does not name the file", err)
			}
			if short := strings.HasPrefix(test.name, "cut off"); short != strings.Contains(err.Error(), "cut off at") {
				t.Errorf("%q", err)
			}
		})
	}
}

func TestOpenReadOnlyFile(t *testing.T) {
	file, _ := filled(t)
	path := write(t, file)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		_ = f.Close()
		t.Skip("this user may write every file")
	}
	if _, err := bolt.Open(path); !errors.Is(err, idstore.ErrUnwritable) {
		t.Errorf("error %v, want %v", err, idstore.ErrUnwritable)
	}
}

func TestOpenNewer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	s := open(t, path)
	err := s.Update(t.Context(), func(tx idstore.Tx) error {
		return tx.Put(idstore.TableMeta, []byte("schema"), []byte{99})
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path); !errors.Is(err, idstore.ErrNewer) || !strings.Contains(err.Error(), "99") {
		t.Errorf("error %v, want %v", err, idstore.ErrNewer)
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestDamagedPages changes one page of the file at a time. Whatever that hits, there is an answer or an error, and no panic,
// and the table can be closed.
func TestDamagedPages(t *testing.T) {
	file, r := filled(t)
	id, _ := r.PublicID("")
	const page = 4096
	noticed := 0
	for at := 2 * page; at < len(file); at += 7 * page {
		damaged := append([]byte(nil), file...)
		for i := range page {
			damaged[at+i] ^= byte(0xa5 + i)
		}
		s, err := bolt.Open(write(t, damaged))
		if err == nil {
			err = s.View(t.Context(), func(tx idstore.Tx) error {
				for table := range idstore.Table(idstore.TableCount) {
					for _, err := range tx.Scan(table, nil) {
						if err != nil {
							return err
						}
					}
				}
				_, err := idstore.Resolve(tx, scope, id)
				return err
			})
			update := s.Update(t.Context(), func(tx idstore.Tx) error {
				_, err := idstore.Adopt(tx, scope, []idstore.Anchor{r.Anchor(), {Backend: "ad", Key: "new"}})
				return err
			})
			err = errors.Join(err, update)
			_ = s.Close()
		}
		if errors.Is(err, idstore.ErrCorrupt) {
			noticed++
		}
	}
	if noticed == 0 {
		t.Error("no damage was noticed")
	}
}

// TestTruncatedWhileOpen: the operating system answers a read beyond the end of a mapped file with a signal.
func TestTruncatedWhileOpen(t *testing.T) {
	file, r := filled(t)
	path := write(t, file)
	s := open(t, path)
	var first byte
	err := s.View(t.Context(), func(tx idstore.Tx) error {
		row, err := tx.Seek(idstore.TableEntities, []byte{2})
		if err != nil {
			return err
		}
		if err := os.Truncate(path, 2*4096); err != nil {
			t.Fatal(err)
		}
		first = row.Value[0]
		return nil
	})
	if !errors.Is(err, idstore.ErrCorrupt) {
		t.Errorf("a value at hand: %d, %v, want %v", first, err, idstore.ErrCorrupt)
	}
	id, _ := r.PublicID("")
	err = s.View(t.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Resolve(tx, scope, id)
		return err
	})
	if !errors.Is(err, idstore.ErrCorrupt) {
		t.Errorf("view: %v, want %v", err, idstore.ErrCorrupt)
	}
	err = s.Update(t.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Adopt(tx, scope, []idstore.Anchor{{Backend: "ad", Key: "new"}})
		return err
	})
	if !errors.Is(err, idstore.ErrCorrupt) {
		t.Errorf("update: %v, want %v", err, idstore.ErrCorrupt)
	}
}

// A panic of the caller's own is the caller's own.
func TestPanicOfCaller(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ids.db"))
	defer func() {
		if p := recover(); p == nil || errors.Is(p.(error), idstore.ErrCorrupt) {
			t.Errorf("recovered %v", p)
		}
	}()
	_ = s.View(t.Context(), func(tx idstore.Tx) error {
		var none *idstore.Record
		_ = none.Type
		return nil
	})
}
