package servertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Lock is an exclusive lock across processes. The kernel gives it back when
// its holder ends, so a killed holder leaves nothing behind but the file.
type Lock struct{ file *os.File }

// Release gives the lock back. Of nil it does nothing.
func (l *Lock) Release() {
	if l != nil {
		_ = l.file.Close()
	}
}

// TryLock takes the lock called path, or answers nil if another has it.
func TryLock(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	taken, err := flock(file)
	if !taken || err != nil {
		_ = file.Close()
		return nil, err
	}
	return &Lock{file}, nil
}

// WaitLock takes the lock called path, waiting for it as long as ctx lasts.
func WaitLock(ctx context.Context, path string) (*Lock, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := TryLock(path)
		if l != nil || err != nil {
			return l, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock %q: %w", path, context.Cause(ctx))
		}
	}
}

// privateDir makes the folder dir for this user alone, and refuses one that
// somebody else made first (dir may be in a folder that everybody may write to).
func privateDir(dir string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || !OwnedByUs(info) {
		return "", fmt.Errorf("%q is not a folder that belongs to this user alone", dir)
	}
	return dir, nil
}

// UserDir is the folder called postern-servertest for this user under parent.
func UserDir(parent string) (string, error) {
	return privateDir(filepath.Join(parent, fmt.Sprintf("postern-servertest-%d", os.Geteuid())))
}

// Scratch makes a folder for one server, with the lock that shows its owner
// lives. It is made under parent, or if that is empty, in memory where there
// is room for it, and otherwise among the temporary files. Folders whose owner
// was killed are removed on the way, with whatever still ran in them.
func Scratch(ctx context.Context, parent string, kind string) (string, *Lock, error) {
	const room = 512 << 20
	if parent == "" {
		parent = os.TempDir()
		if freeBytes("/dev/shm") > room {
			parent = "/dev/shm"
		}
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", nil, err
	}
	root, err := UserDir(parent)
	if err != nil {
		return "", nil, err
	}
	whole, err := WaitLock(ctx, filepath.Join(root, "lock"))
	if err != nil {
		return "", nil, err
	}
	defer whole.Release()
	sweep(root)
	dir, err := os.MkdirTemp(root, kind+"-")
	if err != nil {
		return "", nil, err
	}
	owner, err := TryLock(filepath.Join(dir, "owner"))
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, owner, nil
}

// sweep removes the folders under root that have no living owner.
func sweep(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.Contains(e.Name(), "-") {
			continue
		}
		dir := filepath.Join(root, e.Name())
		l, err := TryLock(filepath.Join(dir, "owner"))
		if err != nil || l == nil {
			continue
		}
		KillStrays(dir)
		_ = os.RemoveAll(dir)
		l.Release()
	}
}
