package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/connectors"
	"postern/connectors/memory"
	"postern/gateway"
	"postern/idstore"
	"postern/scim"

	"github.com/rs/zerolog"
)

// told are the lines of a log.
type told chan string

func (c told) Write(line []byte) (int, error) {
	c <- string(line)
	return len(line), nil
}

// until waits for a line with the text and returns all up to it.
func (c told) until(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for {
		select {
		case line := <-c:
			if lines = append(lines, line); strings.Contains(line, text) {
				return lines
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing is told of %q, only %q", text, lines)
		}
	}
}

// following follows users until the returned function is called, which returns why it ended.
func (b *bench) following() (end func() error) {
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Follow(ctx, "User") }()
	return func() error {
		cancel()
		return <-ended
	}
}

// behind deletes a user past the gateway and returns what the log calls it.
func (b *bench) behind(id string) string {
	b.t.Helper()
	a := b.record(id).Anchor()
	if err := b.backend.Collection("User").Delete(b.t.Context(), connectors.Anchor(a.Key), connectors.Guard{}); err != nil {
		b.t.Fatal(err)
	}
	text, _ := json.Marshal(gateway.SpellAlone(a))
	return `"object":` + string(text)
}

// followed is a bench whose log is read.
func followed(t *testing.T, o memory.Options) (*bench, told) {
	b, lines := newBench(t, o), make(told, 1000)
	b.log = zerolog.New(lines)
	b.Gateway = b.again()
	return b, lines
}

const begun = "it is followed from here on"

// TestFollow deletes objects past the gateway, while it follows, while it does not, and
// while nobody can look for them.
func TestFollow(t *testing.T) {
	b, lines := followed(t, memory.Options{})
	var users []string
	for _, name := range []string{"one", "two", "three", "own"} {
		users = append(users, b.mustCreate(name))
	}
	if !b.Followed("User") || b.Followed("Device") {
		t.Error("what is followed is not what can be")
	}
	end := b.following()
	lines.until(t, begun)
	lines.until(t, b.behind(users[0]))
	if err := end(); kindOf(err) != gateway.Timeout && kindOf(err) != gateway.Unavailable {
		t.Error(err)
	}
	// In the next process.
	second := b.behind(users[1])
	b.Gateway = b.again()
	end = b.following()
	if before := lines.until(t, second); len(before) != 1 {
		t.Errorf("before what happened meanwhile came %q", before)
	}
	// A look that fails says nothing.
	var looked sync.WaitGroup
	looked.Add(1)
	fail := sync.OnceFunc(looked.Done)
	b.backend.Fail(func(o memory.Op, done bool) error {
		if o == memory.OpGet {
			fail()
			return errors.New("no route to host")
		}
		return nil
	})
	third := b.behind(users[2])
	looked.Wait()
	_ = end()
	b.backend.Fail(nil)
	end = b.following()
	if before := lines.until(t, third); len(before) != 1 {
		t.Errorf("before what could not be looked at came %q", before)
	}
	// What is deleted by the gateway is nothing to be told of.
	if err := b.Delete(t.Context(), caller, "User", users[3], scim.Precondition{}); err != nil {
		t.Fatal(err)
	}
	last := b.behind(b.mustCreate("last"))
	if before := lines.until(t, last); len(before) != 1 {
		t.Errorf("after a deletion by the gateway itself came %q", before)
	}
	_ = end()
	for i, gone := range []bool{false, false, false, true} {
		id, _ := idstore.ParsePublicID(users[i])
		err := b.store.View(t.Context(), func(tx idstore.Tx) error { _, err := idstore.FindID(tx, id); return err })
		if errors.Is(err, idstore.ErrGone) != gone || err != nil && !gone {
			t.Errorf("id %d: %v", i, err)
		}
		if _, err := b.Read(t.Context(), caller, "User", users[i], gateway.ReadOptions{}); kindOf(err) != gateway.NotFound {
			t.Errorf("read %d: %v", i, err)
		}
	}
}

// TestFollowFromTooLongAgo follows a backend that remembers little, and one that tells
// nothing.
func TestFollowFromTooLongAgo(t *testing.T) {
	b, lines := followed(t, memory.Options{Remember: 3})
	end := b.following()
	lines.until(t, begun)
	_ = end()
	for _, name := range []string{"a", "b", "c", "d"} {
		b.mustCreate(name)
	}
	end = b.following()
	lines.until(t, begun)
	_ = end()

	b, _ = followed(t, memory.Options{Remember: -1})
	if b.Followed("User") {
		t.Error("a backend that tells nothing is said to be followed")
	}
	if err := b.Follow(t.Context(), "User"); kindOf(err) != gateway.Unsupported {
		t.Error(err)
	}
}

// TestNotGoneAfterAll is told that an object is gone which is there.
func TestNotGoneAfterAll(t *testing.T) {
	b, lines := followed(t, memory.Options{})
	users := b.backend.Collection("User")
	there := b.mustCreate("there")
	gone := connectors.Event{Kind: connectors.Gone, Anchor: connectors.Anchor(b.record(there).Anchor().Key), Cursor: "x"}
	b.over = func(c connectors.Connector) connectors.Connector { return liar{c, []connectors.Event{gone, gone}} }
	b.Gateway = b.again()
	if err := b.Follow(t.Context(), "User"); err != nil {
		t.Error(err)
	}
	if len(lines) > 0 {
		t.Errorf("told: %q", <-lines)
	}
	if _, err := users.Get(t.Context(), gone.Anchor, nil); err != nil {
		t.Error(err)
	}
	if _, err := b.Read(t.Context(), caller, "User", there, gateway.ReadOptions{}); err != nil {
		t.Error(err)
	}
}

// A liar tells these events alone.
type liar struct {
	connectors.Connector
	events []connectors.Event
}

func (l liar) Watch(context.Context, connectors.Cursor) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		for _, e := range l.events {
			if !yield(e, nil) {
				return
			}
		}
	}
}
