package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSearch(t *testing.T) {
	c := fake(t, func(r request) []byte {
		return bytes.Join([][]byte{
			message(r.id, entry("cn=a", "cn", "a", "A")),
			message(r.id, AppendString(nil, opSearchReference, "")),
			message(r.id, entry("cn=b", "CN", strings.Repeat("b", 100_000))),
			message(r.id, result(opSearchDone, Success, "")),
		}, nil)
	})
	reply, err := c.Do(t.Context(), search())
	if err != nil {
		t.Fatal(err)
	}
	if reply.Code != Success || len(reply.Entries) != 2 {
		t.Fatalf("code %d, %d entries", reply.Code, len(reply.Entries))
	}
	e, err := ParseEntry(reply.Entries[0])
	if err != nil || e.DN != "cn=a" {
		t.Fatalf("%q, %v", e.DN, err)
	}
	for name, values := range e.Attributes() {
		if name != "cn" || values.Len() != 2 || values.First() != "a" {
			t.Errorf("%q has %d values, the first %q", name, values.Len(), values.First())
		}
	}
	if e, err = ParseEntry(reply.Entries[1]); err != nil {
		t.Fatal(err)
	}
	for _, values := range e.Attributes() {
		if len(values.First()) != 100_000 {
			t.Errorf("a long value has %d bytes", len(values.First()))
		}
	}
}

// TestInterleaved has many requests under way whose answers come in reverse.
func TestInterleaved(t *testing.T) {
	const n = 50
	var held []request
	c := fake(t, func(r request) []byte {
		if held = append(held, r); len(held) < n {
			return []byte{}
		}
		var out []byte
		for i := len(held) - 1; i >= 0; i-- {
			out = append(out, message(held[i].id, result(opDeleteResponse, Success, held[i].body))...)
		}
		return out
	})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			name := fmt.Sprintf("cn=%d", i)
			reply, err := c.Do(t.Context(), AppendDelete(nil, name))
			if err != nil || reply.Text != name {
				t.Errorf("%q is answered for %q: %v", reply.Text, name, err)
			}
		})
	}
	group.Wait()
	if c.Load() != 0 {
		t.Errorf("%d requests are under way", c.Load())
	}
}

// TestBroken sends what no server should. Every time the request fails, the
// connection is of no use any more.
func TestBroken(t *testing.T) {
	huge := []byte{TagSequence, 0x84, 0x7f, 0xff, 0xff, 0xff, 2, 1, 1}
	tests := map[string]func(r request) []byte{
		"cut after the request": func(request) []byte { return nil },
		"garbage":               func(request) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") },
		"a huge message":        func(request) []byte { return huge },
		"an indefinite length":  func(request) []byte { return []byte{TagSequence, 0x80, 2, 1, 1, 0, 0} },
		"a length of lengths":   func(request) []byte { return []byte{TagSequence, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1} },
		"no message id":         func(request) []byte { return []byte{TagSequence, 0} },
		"a negative message id": func(request) []byte { return message(-1, result(opSearchDone, 0, "")) },
		"an id never used":      func(r request) []byte { return message(r.id+100, result(opSearchDone, 0, "")) },
		"another operation's response": func(r request) []byte {
			return message(r.id, result(opModifyResponse, 0, ""))
		},
		"a truncated result": func(r request) []byte { return message(r.id, []byte{opSearchDone, 3, TagEnumerated, 1, 0}) },
		"lying inner length": func(r request) []byte { return message(r.id, []byte{opSearchDone, 0x50, TagEnumerated, 1, 0}) },
		"notice of disconnection": func(request) []byte {
			return message(0, result(opExtendedResponse, Unavailable, "going down"))
		},
		"unsolicited nonsense": func(request) []byte { return message(0, result(opSearchDone, 0, "")) },
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			c := fake(t, script)
			_, err := c.Do(t.Context(), search())
			e, ok := errors.AsType[*Error](err)
			if !ok || !e.Broken || e.Unsent {
				t.Fatalf("got %#v", err)
			}
			<-c.Done()
			_, err = c.Do(t.Context(), search())
			if e, ok := errors.AsType[*Error](err); !ok || !e.Broken || !e.Unsent {
				t.Errorf("the next request: %#v", err)
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	whole := bytes.Join([][]byte{message(1, entry("cn=a", "cn", "a")), message(1, result(opSearchDone, Success, ""))}, nil)
	for n := range len(whole) {
		sent := false
		c := fake(t, func(request) []byte {
			if sent {
				return nil
			}
			sent = true
			return whole[:n:n]
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := c.Do(ctx, search())
			done <- err
		}()
		cancel()
		if err := <-done; err == nil {
			t.Errorf("%d of %d bytes are an answer", n, len(whole))
		}
	}
}

// TestCancel ends a request's context: it returns at once, the server is told to
// abandon, the late answer is ignored and the connection goes on working.
func TestCancel(t *testing.T) {
	asked := make(chan int64, 1)
	abandoned := make(chan string, 1)
	var late int64
	c := fake(t, func(r request) []byte {
		switch {
		case r.op == opAbandon:
			abandoned <- r.body
			return message(late, result(opSearchDone, Success, "late"))
		case late == 0:
			late = r.id
			asked <- r.id
			return []byte{}
		default:
			return message(r.id, result(opSearchDone, Success, "in time"))
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(ctx, search())
		done <- err
	}()
	id := <-asked
	cancel()
	err := <-done
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Broken || e.Unsent || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %#v", err)
	}
	if got := <-abandoned; got != string([]byte{byte(id)}) {
		t.Errorf("abandoned %q, want %d", got, id)
	}
	reply, err := c.Do(t.Context(), search())
	if err != nil || reply.Text != "in time" {
		t.Errorf("afterwards: %q, %v", reply.Text, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err = c.Do(ctx, search()); err == nil {
		t.Fatal("a request under an ended context succeeded")
	}
	if e, ok := errors.AsType[*Error](err); !ok || !e.Unsent || e.Broken {
		t.Errorf("before it was sent: %#v", err)
	}
}

// TestClose breaks off what is under way and leaves nothing.
func TestClose(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := fake(t, func(request) []byte {
		asked <- struct{}{}
		return []byte{}
	})
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(t.Context(), search())
		done <- err
	}()
	<-asked
	c.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	c.Close()
	if !errors.Is(c.Err(), ErrClosed) {
		t.Errorf("the connection says %v", c.Err())
	}
}

// TestLargeWriteCancelled has a server that does not read: a request that fills
// the kernel's buffers is given up with its context.
func TestLargeWriteCancelled(t *testing.T) {
	stuck := make(chan struct{})
	c := fake(t, func(request) []byte { <-stuck; return nil })
	defer close(stuck)
	first, cancelFirst := context.WithCancel(t.Context())
	defer cancelFirst()
	go c.Do(first, search())
	body := AppendDelete(nil, strings.Repeat("x", 64<<20))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, body)
	if e, ok := errors.AsType[*Error](err); !ok {
		t.Errorf("got %#v", e)
	}
	<-c.Done()
}

// TestSambaRefusal takes an ExtendedResponse for an answer to anything.
func TestSambaRefusal(t *testing.T) {
	c := fake(t, func(r request) []byte { return message(r.id, result(opExtendedResponse, UnavailableCritical, "")) })
	reply, err := c.Do(t.Context(), AppendDelete(nil, "cn=x"))
	if err != nil || reply.Code != UnavailableCritical {
		t.Errorf("code %d, %v", reply.Code, err)
	}
}

func TestIDsWrap(t *testing.T) {
	c := fake(t, func(r request) []byte { return message(r.id, result(opDeleteResponse, 0, fmt.Sprint(r.id))) })
	c.mu.Lock()
	c.lastID = maxID - 1
	c.mu.Unlock()
	for _, want := range []string{fmt.Sprint(maxID), "1", "2"} {
		reply, err := c.Do(t.Context(), AppendDelete(nil, "cn=x"))
		if err != nil || reply.Text != want {
			t.Errorf("id %q, want %q: %v", reply.Text, want, err)
		}
	}
}

// TestReaderCancelled cancels the request whose turn it is to read, in the middle
// of a message: another request goes on reading where it stopped.
func TestReaderCancelled(t *testing.T) {
	answer := make(chan []byte)
	var first int64
	c := fake(t, func(r request) []byte {
		switch {
		case r.op == opAbandon:
			return []byte{}
		case first == 0:
			first = r.id
			whole := message(r.id, result(opSearchDone, Success, "late"))
			go func() { answer <- whole[:len(whole)/2]; answer <- whole[len(whole)/2:] }()
			return <-answer
		default:
			return append(<-answer, message(r.id, result(opSearchDone, Success, "in time"))...)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(ctx, search())
		done <- err
	}()
	for !partly(c) {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	reply, err := c.Do(t.Context(), search())
	if err != nil || reply.Text != "in time" {
		t.Errorf("the other: %q, %v", reply.Text, err)
	}
}

// partly reports whether a part of a message has arrived: there is a reader that
// waits for the rest, and nothing else tells so.
func partly(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading && len(c.calls) == 1
}

// TestFollowers cancels whoever reads, again and again; the others get their
// answers.
func TestFollowers(t *testing.T) {
	c := fake(t, func(r request) []byte {
		if r.op == opAbandon {
			return []byte{}
		}
		return message(r.id, result(opDeleteResponse, Success, r.body))
	})
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			name := fmt.Sprintf("cn=%d", i)
			if i%3 == 0 {
				go cancel()
			}
			reply, err := c.Do(ctx, AppendDelete(nil, name))
			if i%3 != 0 && (err != nil || reply.Text != name) {
				t.Errorf("%q is answered for %q: %v", reply.Text, name, err)
			}
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%q: %v", name, err)
			}
		})
	}
	group.Wait()
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

// TestIdle: the end of a connection on which nothing is under way is noticed,
// both of a new one and of one that was used.
func TestIdle(t *testing.T) {
	for _, used := range []bool{false, true} {
		client, server := net.Pipe()
		c := New(client, 0)
		if used {
			go func() {
				server.Read(make([]byte, 1000))
				server.Write(message(1, result(opDeleteResponse, Success, "")))
			}()
			if _, err := c.Do(t.Context(), AppendDelete(nil, "cn=x")); err != nil {
				t.Fatal(err)
			}
		}
		server.Close()
		<-c.Done()
		c.Close()
	}
}

// TestWatcherServes: a request that comes while the watcher reads is answered,
// and so is the next.
func TestWatcherServes(t *testing.T) {
	c := fake(t, func(r request) []byte { return message(r.id, result(opDeleteResponse, Success, "")) })
	for range 3 {
		for watching := false; !watching; time.Sleep(time.Millisecond) {
			c.mu.Lock()
			watching = c.reading
			c.mu.Unlock()
		}
		for range 3 {
			if _, err := c.Do(t.Context(), AppendDelete(nil, "cn=x")); err != nil {
				t.Fatal(err)
			}
		}
	}
}
