package ldaptest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	if unsupported != "" {
		t.Skip(unsupported)
	}
	path := filepath.Join(t.TempDir(), "lock")
	first, err := tryLock(path)
	if first == nil || err != nil {
		t.Fatalf("the first: %v, %v", first, err)
	}
	if second, err := tryLock(path); second != nil || err != nil {
		t.Errorf("the second while the first is held: %v, %v; want none", second, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if l, err := waitLock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with an ended context: %v, %v", l, err)
	}
	got := make(chan *lock)
	go func() {
		l, _ := waitLock(t.Context(), path)
		got <- l
	}()
	first.release()
	l := <-got
	if l == nil {
		t.Fatal("waiting got no lock")
	}
	l.release()
}

func TestPrivateDir(t *testing.T) {
	if unsupported != "" {
		t.Skip(unsupported)
	}
	root := t.TempDir()
	for name, prepare := range map[string]func(dir string) error{
		"open to others": func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) },
		"a link":         func(dir string) error { return os.Symlink(root, dir) },
		"a file":         func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	} {
		dir := filepath.Join(root, name)
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		if got, err := privateDir(dir); err == nil {
			t.Errorf("%s: it was taken as %q", name, got)
		}
	}
	dir := filepath.Join(root, "a", "new")
	for range 2 {
		if _, err := privateDir(dir); err != nil {
			t.Error(err)
		}
	}
}

func TestScratchSweeps(t *testing.T) {
	if unsupported != "" {
		t.Skip(unsupported)
	}
	parent := t.TempDir()
	dead, owner, err := scratch(t.Context(), parent, OpenLDAP)
	if err != nil {
		t.Fatal(err)
	}
	living, livingOwner, err := scratch(t.Context(), parent, OpenLDAP)
	if err != nil {
		t.Fatal(err)
	}
	defer livingOwner.release()
	owner.release() // As if its process had been killed.
	if _, last, err := scratch(t.Context(), parent, OpenLDAP); err != nil {
		t.Fatal(err)
	} else {
		defer last.release()
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder without an owner: %v, want none", err)
	}
	if _, err := os.Stat(living); err != nil {
		t.Errorf("the folder with an owner: %v", err)
	}
}

func TestAddressIsHeld(t *testing.T) {
	if unsupported != "" {
		t.Skip(unsupported)
	}
	a, err := freePorts()
	if err != nil {
		t.Fatal(err)
	}
	b, err := freePorts()
	if err != nil {
		t.Fatal(err)
	}
	defer b.held.release()
	if a.url() == b.url() {
		t.Errorf("%s was given out twice", a.url())
	}
	a.held.release()
	again, err := take(a.host, a.plain, a.tls)
	if again == nil || err != nil {
		t.Fatalf("%s could not be taken again: %v", a.url(), err)
	}
	again.held.release()
}
