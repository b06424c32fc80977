//go:build unix

package bolt_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"postern/idstore"
	"postern/idstore/bolt"
)

// killVariable makes the test binary a writer that waits to be killed, on the file that it names.
const killVariable = "IDSTORE_KILL_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(killVariable); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled gives out ids and prints each only when it is promised: when Update has returned.
func writeUntilKilled(path string) error {
	s, err := bolt.Open(path)
	if err != nil {
		return err
	}
	failed := make(chan error)
	var printing sync.Mutex
	for worker := range 4 {
		go func() {
			source := rand.NewChaCha8([32]byte{byte(worker), byte(os.Getpid()), byte(os.Getpid() >> 8)})
			for {
				records, err := giveOut(s, source)
				if err != nil {
					failed <- err
					return
				}
				printing.Lock()
				for _, r := range records {
					id, _ := r.PublicID("")
					fmt.Println(id, hex.EncodeToString([]byte(r.Anchor().Key)))
				}
				printing.Unlock()
			}
		}()
	}
	return <-failed
}

// giveOut adopts some objects and creates one.
func giveOut(s *bolt.Store, source *rand.ChaCha8) ([]idstore.Record, error) {
	ctx := context.Background()
	var anchors []idstore.Anchor
	for range 1 + source.Uint64()%200 {
		anchors = append(anchors, randomAnchor(source))
	}
	var records []idstore.Record
	err := s.Update(ctx, func(tx idstore.Tx) (err error) {
		records, err = idstore.Adopt(tx, scope, anchors)
		return err
	})
	if err != nil {
		return nil, err
	}
	var in idstore.Intent
	err = s.Update(ctx, func(tx idstore.Tx) (err error) {
		in, err = idstore.Begin(tx, idstore.Intent{Kind: idstore.Create, Scope: scope, Backend: "ad", Name: "n"})
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.Update(ctx, func(tx idstore.Tx) error {
		r, err := idstore.Bind(tx, in.ID, randomAnchor(source))
		records = append(records, r)
		return err
	})
	return records, err
}

// TestKill kills a process in the midst of its writes, again and again, and looks for what it had promised.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.db")
	promised := map[idstore.PublicID]string{}
	for round := range 4 {
		for id, key := range runAndKill(t, path, 1000*(round+1)) {
			if promised[id] != "" {
				t.Fatalf("id %s was given out twice", id)
			}
			promised[id] = key
		}
		checkPromises(t, path, promised)
	}
}

// runAndKill starts a writer, kills it after it has made at least n promises, and returns those.
func runAndKill(t *testing.T, path string, n int) map[idstore.PublicID]string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), killVariable+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	promised := map[idstore.PublicID]string{}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line without an end was no promise
		}
		text, key, _ := strings.Cut(strings.TrimSpace(line), " ")
		id, ok := idstore.ParsePublicID(text)
		raw, err := hex.DecodeString(key)
		if !ok || err != nil {
			t.Fatalf("the writer printed %q", line)
		}
		promised[id] = string(raw)
		if len(promised) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed
	if len(promised) < n {
		t.Fatalf("the writer made %d promises and ended", len(promised))
	}
	return promised
}

func checkPromises(t *testing.T, path string, promised map[idstore.PublicID]string) {
	t.Helper()
	s := open(t, path)
	err := s.View(t.Context(), func(tx idstore.Tx) error {
		entities := map[idstore.EntityID]bool{}
		for id, key := range promised {
			r, err := idstore.Resolve(tx, scope, id)
			if err != nil {
				return err
			}
			if entities[r.Entity] || r.Anchor().Key != key {
				t.Fatalf("id %s leads to entity %d with anchor %x, want %x", id, r.Entity, r.Anchor().Key, key)
			}
			entities[r.Entity] = true
			seen, missing, err := idstore.ByAnchors(tx, scope, []idstore.Anchor{r.Anchor()})
			if err != nil || len(missing) > 0 || seen[0].Entity != r.Entity {
				t.Fatalf("anchor %x leads to %+v, %v", key, seen, err)
			}
		}
		for _, err := range idstore.Intents(tx) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
