package servertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	if Unsupported != "" {
		t.Skip(Unsupported)
	}
	path := filepath.Join(t.TempDir(), "lock")
	first, err := TryLock(path)
	if first == nil || err != nil {
		t.Fatalf("the first: %v, %v", first, err)
	}
	if second, err := TryLock(path); second != nil || err != nil {
		t.Errorf("the second while the first is held: %v, %v; want none", second, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if l, err := WaitLock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with an ended context: %v, %v", l, err)
	}
	got := make(chan *Lock)
	go func() {
		l, _ := WaitLock(t.Context(), path)
		got <- l
	}()
	first.Release()
	l := <-got
	if l == nil {
		t.Fatal("waiting got no lock")
	}
	l.Release()
}

func TestPrivateDir(t *testing.T) {
	if Unsupported != "" {
		t.Skip(Unsupported)
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
	if Unsupported != "" {
		t.Skip(Unsupported)
	}
	parent := t.TempDir()
	dead, owner, err := Scratch(t.Context(), parent, "some-kind")
	if err != nil {
		t.Fatal(err)
	}
	living, livingOwner, err := Scratch(t.Context(), parent, "some-kind")
	if err != nil {
		t.Fatal(err)
	}
	defer livingOwner.Release()
	owner.Release() // As if its process had been killed.
	if _, last, err := Scratch(t.Context(), parent, "some-kind"); err != nil {
		t.Fatal(err)
	} else {
		defer last.Release()
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder without an owner: %v, want none", err)
	}
	if _, err := os.Stat(living); err != nil {
		t.Errorf("the folder with an owner: %v", err)
	}
}

func TestAddressIsHeld(t *testing.T) {
	if Unsupported != "" {
		t.Skip(Unsupported)
	}
	a, err := FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	b, err := FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	if a.Host == b.Host && a.Plain == b.Plain {
		t.Errorf("%v was given out twice", a)
	}
	a.Release()
	again, err := Take(a.Host, a.Plain, a.TLS)
	if again == nil || err != nil {
		t.Fatalf("%v could not be taken again: %v", a, err)
	}
	again.Release()
}
