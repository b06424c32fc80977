package ldaptest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"postern/connectors/servertest"
)

// counted is a template of one file and one folder that counts how often it is made.
func counted(made *atomic.Int32) template {
	return template{
		kind: "fake", source: []byte("1"), programs: []string{"sh"},
		build: func(_ context.Context, dir string) error {
			made.Add(1)
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o750); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("content"), 0o640)
		},
	}
}

func cachedFile(t *testing.T) string {
	t.Helper()
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "fake-*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("the cache holds %q (%v), want one file", names, err)
	}
	return names[0]
}

func checkClone(t *testing.T, tmpl template) {
	t.Helper()
	dir := t.TempDir()
	if err := cloneTemplate(t.Context(), dir, tmpl); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "sub", "file")
	content, err := os.ReadFile(name)
	if err != nil || string(content) != "content" {
		t.Fatalf("the copy holds %q (%v)", content, err)
	}
	for path, want := range map[string]os.FileMode{name: 0o640, filepath.Dir(name): 0o750} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("the mode of %q is %v (%v), want %v", path, info.Mode(), err, want)
		}
	}
}

func TestTemplate(t *testing.T) {
	if servertest.Unsupported != "" {
		t.Skip(servertest.Unsupported)
	}
	tests := []struct {
		name   string
		change func(t *testing.T, tmpl *template)
		made   int32 // in all
	}{
		{"kept", func(*testing.T, *template) {}, 1},
		{"truncated", func(t *testing.T, _ *template) {
			if err := os.Truncate(cachedFile(t), 700); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"empty", func(t *testing.T, _ *template) {
			if err := os.Truncate(cachedFile(t), 0); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"changed", func(t *testing.T, _ *template) {
			name := cachedFile(t)
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, bytes.Replace(content, []byte("content"), []byte("CONTENT"), 1), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"open to others", func(t *testing.T, _ *template) {
			if err := os.Chmod(cachedFile(t), 0o666); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"another setup", func(_ *testing.T, tmpl *template) { tmpl.source = []byte("2") }, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			var made atomic.Int32
			tmpl := counted(&made)
			checkClone(t, tmpl)
			test.change(t, &tmpl)
			checkClone(t, tmpl)
			if made.Load() != test.made {
				t.Errorf("it was made %d times, want %d", made.Load(), test.made)
			}
			cachedFile(t) // Only one is kept.
		})
	}
}

func TestTemplateIsMadeOnce(t *testing.T) {
	if servertest.Unsupported != "" {
		t.Skip(servertest.Unsupported)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var (
		made atomic.Int32
		wg   sync.WaitGroup
	)
	for range 8 {
		dir := t.TempDir()
		wg.Go(func() {
			if err := cloneTemplate(t.Context(), dir, counted(&made)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("it was made %d times, want once", made.Load())
	}
}

func TestTemplateFails(t *testing.T) {
	if servertest.Unsupported != "" {
		t.Skip(servertest.Unsupported)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	failure := errors.New("no room")
	var made atomic.Int32
	tmpl := counted(&made)
	build := tmpl.build
	tmpl.build = func(ctx context.Context, dir string) error { return errors.Join(build(ctx, dir), failure) }
	if err := cloneTemplate(t.Context(), t.TempDir(), tmpl); !errors.Is(err, failure) {
		t.Errorf("cloning: %v, want %v", err, failure)
	}
	tmpl.build = build
	checkClone(t, tmpl)
}
