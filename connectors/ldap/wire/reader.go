package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// The role of reading is held by one goroutine at a time. While requests are
// under way that is one of those who wait for an answer: it reads for all until
// it has its own, then passes the role on. A goroutine for reading alone would
// cost every request two more switches, a third of what a request costs here.
// While nothing is under way the role is vacant for a moment, and then the
// watcher has it, so that the end of the connection is noticed.

const (
	readBuffer = 32 << 10
	idleAfter  = 200 * time.Millisecond
	// believed is how much room is made for a message on its header's word alone.
	believed = 1 << 20
)

// readFor reads with the role until the call is over, or has something to be taken, ctx has
// ended or the connection has broken, and gives the role up.
func (c *Conn) readFor(ctx context.Context, cl *call) {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.nc.SetReadDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	err := c.readWhile(func() bool { return !cl.over && !(cl.streamed && len(cl.entries) > 0) })
	if !stop() {
		<-interrupted
		c.nc.SetReadDeadline(time.Time{}) // an error shows in the next read
	}
	c.giveUp(err)
}

// watcher watches the connection whenever it has been idle for a while.
func (c *Conn) watcher() {
	defer c.idle.Stop()
	for {
		select {
		case <-c.idle.C:
			c.watch()
		case <-c.done:
			return
		}
	}
}

// watch reads with the role while nothing is under way, and whatever comes up
// meanwhile.
func (c *Conn) watch() {
	c.mu.Lock()
	c.armed = false
	if c.err != nil || c.reading {
		c.mu.Unlock()
		return
	}
	if c.lastID != c.seenID { // there was something, but it is over
		c.arm()
		c.mu.Unlock()
		return
	}
	c.reading = true
	c.mu.Unlock()
	first := true
	c.giveUp(c.readWhile(func() bool {
		wait := first || len(c.calls) > 0
		first = false
		return wait
	}))
}

// readWhile reads messages as long as more holds, which is asked with c.mu held.
func (c *Conn) readWhile(more func() bool) error {
	for {
		c.mu.Lock()
		ok := c.err == nil && more()
		c.mu.Unlock()
		if !ok {
			return nil
		}
		message, err := c.in.next()
		if err != nil {
			return err
		}
		c.received.Add(1)
		if err := c.deliver(message); err != nil {
			return err
		}
	}
}

// giveUp gives the role back after err, which is nil or why reading ended. The
// end of the reader's own patience is no end of the connection.
func (c *Conn) giveUp(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.fail(fmt.Errorf("read: %w", err))
		return
	}
	c.handOver()
}

// handOver finds somebody for the role if it is vacant: one who waits, else the
// watcher, after a while. It is called with c.mu held.
func (c *Conn) handOver() {
	if c.reading || c.err != nil {
		return
	}
	for _, cl := range c.calls {
		cl.signal()
		return
	}
	if !c.armed {
		c.arm()
	}
}

// arm starts the idle timer. It is called with c.mu held.
func (c *Conn) arm() {
	c.armed, c.seenID = true, c.lastID
	c.idle.Reset(idleAfter)
}

// deliver gives a message to the call it belongs to.
func (c *Conn) deliver(message string) error {
	r := NewReader(message)
	id := r.Int(TagInteger)
	rest := r.rest
	tag, content := r.Any()
	if r.Err() != nil || id < 0 || id > maxID {
		return errBER
	}
	if id == 0 { // RFC 4511 §4.4
		if res, err := parseResult(rest); err == nil && tag == opExtendedResponse {
			return fmt.Errorf("the server disconnects: result code %d: %q", res.Code, res.Text)
		}
		return errors.New("unsolicited message")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cl, ok := c.calls[int32(id)]
	if !ok {
		if int32(id) > c.lastID {
			return fmt.Errorf("message id %d was never used", id)
		}
		return nil // late, of an abandoned request
	}
	switch {
	case tag == opSearchReference, tag == opIntermediate && !cl.streamed:
	case tag == opSearchEntry, tag == opIntermediate:
		cl.size += len(content)
		if cl.size > maxReply {
			return fmt.Errorf("an answer of more than %d bytes", maxReply)
		}
		cl.entries = append(cl.entries, rest)
		if cl.streamed {
			cl.signal()
		}
	default:
		cl.final = rest
		delete(c.calls, int32(id))
		cl.finish()
	}
	return nil
}

// A stream cuts what a server sends into messages. A message whose reading was
// interrupted goes on where it was.
type stream struct {
	br      *bufio.Reader
	limit   int
	partial strings.Builder
	missing int // bytes of the message in partial that are still to come
}

func newStream(r io.Reader, limit int) stream {
	return stream{br: bufio.NewReaderSize(r, readBuffer), limit: limit}
}

// next returns the content of the next LDAPMessage.
func (s *stream) next() (string, error) {
	if s.missing == 0 {
		if err := s.begin(); err != nil {
			return "", err
		}
	}
	for s.missing > 0 {
		if _, err := s.br.Peek(1); err != nil {
			return "", err
		}
		chunk, _ := s.br.Peek(min(s.missing, s.br.Buffered()))
		if s.partial.Cap()-s.partial.Len() < len(chunk) {
			s.partial.Grow(s.missing) // so much has come that the rest is believed in
		}
		s.partial.Write(chunk)
		s.br.Discard(len(chunk)) // just peeked
		s.missing -= len(chunk)
	}
	message := s.partial.String()
	s.partial.Reset()
	return message, nil
}

// begin reads the header of a message.
func (s *stream) begin() error {
	head, err := s.br.Peek(2)
	if err != nil {
		return err
	}
	if head[1] > 0x80 && head[1] <= 0x84 {
		if head, err = s.br.Peek(2 + int(head[1]&0x7f)); err != nil {
			return err
		}
	}
	tag, n, size, ok := header(string(head))
	if !ok || tag != TagSequence || n == 0 {
		return errBER
	}
	if n > s.limit {
		return fmt.Errorf("a message of %d bytes, more than %d", n, s.limit)
	}
	s.br.Discard(size) // just peeked
	s.missing = n
	s.partial.Grow(min(n, believed))
	return nil
}
