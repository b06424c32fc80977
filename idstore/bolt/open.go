package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"postern/idstore"
)

const (
	// fileMode lets nobody but the gateway's user read the file.
	fileMode fs.FileMode = 0o600

	// lockWait is how long Open waits for another process to let go of the file: long enough for a restart.
	lockWait = time.Second

	// mapSize is how much of the address space is set aside for the file at once. Only when the file outgrows it does a
	// writer have to wait for all readers to map it anew.
	mapSize = 1 << 30

	// fillPercent is how full bbolt leaves a page that it splits. Half would be best for rows in random order and nearly
	// all for rows in sequence; this leaves room for records to grow, and was measured to take the least in the worst case.
	fillPercent = 0.7

	// growth is by how much a file that has become too small is made longer.
	growth = 4 << 20
)

// Open opens the identity table in the file at path and makes it where there is none. The error wraps
// idstore.ErrLocked, ErrCorrupt, ErrNewer or ErrUnwritable.
func Open(path string) (*Store, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("identity table %q: %w", path, err)
	}
	return s, nil
}

func open(path string) (*Store, error) {
	_, missing := os.Lstat(path)
	if err := checkSize(path); err != nil {
		return nil, err
	}
	db, err := openFile(path, &bbolt.Options{InitialMmapSize: initialMap()})
	if err != nil {
		if errors.Is(missing, fs.ErrNotExist) && errors.Is(err, idstore.ErrUnwritable) {
			_ = os.Remove(path) // what was made of it, so that it is not taken for a table that was emptied
		}
		return nil, err
	}
	db.AllocSize = growth
	s := &Store{db: db}
	err = s.prepare()
	if err == nil && errors.Is(missing, fs.ErrNotExist) {
		err = SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		_ = guarded(db.Close)
		return nil, err
	}
	return s, nil
}

// SyncFolder makes the names in a folder durable, such as that of a new file, on systems that have that: without it the file may be gone after a power cut,
// whatever was flushed to it.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", idstore.ErrUnwritable, err)
	}
	return nil
}

// initialMap is mapSize where the address space is large and mapping more than the file holds does not make the file
// longer.
func initialMap() int {
	if runtime.GOOS == "windows" || strconv.IntSize < 64 {
		return 0
	}
	return mapSize
}

// checkSize finds a file that is shorter than it says: bbolt would map it all the same and fail on the first page that
// is missing. An empty one may have been a table, whose ids would be given out anew.
func checkSize(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", idstore.ErrUnwritable, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: not a regular file", idstore.ErrCorrupt)
	case info.Size() == 0:
		return fmt.Errorf("%w: it is empty; delete it if it never was a table", idstore.ErrCorrupt)
	}
	db, err := openFile(path, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return guarded(func() error {
		defer func() { _ = db.Close() }()
		tx, err := db.Begin(false)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if info, err = os.Stat(path); err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: cut off at %d of %d bytes", idstore.ErrCorrupt, info.Size(), tx.Size())
		}
		return nil
	})
}

// openFile opens the file with the options that matter in every case.
func openFile(path string, options *bbolt.Options) (*bbolt.DB, error) {
	options.Timeout = lockWait
	options.NoStatistics = true
	// A hash map finds free pages in constant time. The list of free pages is stored: without it, opening a file means
	// reading all of it.
	options.FreelistType = bbolt.FreelistMapType
	var file *os.File
	options.OpenFile = func(name string, flag int, mode fs.FileMode) (*os.File, error) {
		var err error
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	var db *bbolt.DB
	err := guarded(func() (err error) {
		db, err = bbolt.Open(path, fileMode, options)
		return err
	})
	if errors.Is(err, idstore.ErrCorrupt) && file != nil {
		// bbolt gave up half-way and would keep the file locked.
		_ = file.Close()
	}
	return db, classifyOpen(err)
}

func classifyOpen(err error) error {
	switch {
	case err == nil, errors.Is(err, idstore.ErrCorrupt):
		return err
	case errors.Is(err, bolterrors.ErrTimeout):
		return idstore.ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", idstore.ErrCorrupt, err)
	case isPathError(err):
		return fmt.Errorf("%w: %w", idstore.ErrUnwritable, err)
	}
	// What is left is a file too short for the first pages.
	return fmt.Errorf("%w: %w", idstore.ErrCorrupt, err)
}

func isPathError(err error) bool {
	var path *fs.PathError
	var call *os.SyscallError
	return errors.As(err, &path) || errors.As(err, &call)
}

// prepare makes the bucket of a new file and checks that of another.
func (s *Store) prepare() error {
	var first []byte
	err := guarded(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			first, _ = tx.Cursor().First()
			return nil
		})
	})
	if err == nil && first == nil {
		err = guarded(func() error {
			return s.db.Update(func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket(bucketName)
				return err
			})
		})
	}
	if err != nil {
		return classify(err)
	}
	return s.Update(context.Background(), idstore.Prepare)
}

// guarded calls fn, which is bbolt's or does nothing but call bbolt, and turns a panic in it into an error.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(p)
		}
	}()
	return fn()
}
