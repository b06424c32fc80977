package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultMaxMessage bounds one received message. A group of 500,000 members
	// is some 40 MiB.
	DefaultMaxMessage = 64 << 20
	// maxReply bounds all messages of one answer together.
	maxReply = 256 << 20

	readBuffer   = 32 << 10
	largeWrite   = 16 << 10
	writeTimeout = 30 * time.Second
	// silence is how long a request must have gone without a single byte from
	// the server for its time-out to condemn the connection.
	silence = 5 * time.Second
	maxID   = 1<<31 - 1
)

// ErrClosed is what Close leaves on a connection.
var ErrClosed = errors.New("connection closed")

// An Error is a request that got no answer.
type Error struct {
	// Unsent says that the server can not have received the whole request.
	Unsent bool
	// Broken says that the connection is of no use any more. Otherwise the
	// request's context ended.
	Broken bool
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// A Conn is a connection to one server. One goroutine reads; whoever sends a
// request writes it, together with what others have queued meanwhile. All
// methods may be called from many goroutines.
type Conn struct {
	nc         net.Conn
	maxMessage int
	load       atomic.Int32
	received   atomic.Uint64 // messages
	done       chan struct{}
	goroutines sync.WaitGroup

	mu         sync.Mutex
	err        error // why the connection is broken; nil while it works
	calls      map[int32]*call
	free       []*call
	lastID     int32
	out, spare []byte // messages to be written
	flushing   bool
	queued     uint64 // bytes ever put into out
	sent       uint64 // bytes that may have reached the server
	writeUntil time.Time
}

// A call is one request under way. Its fields are guarded by Conn.mu until wake
// has been signalled.
type call struct {
	want     byte // tag of the final response
	end      uint64
	received uint64
	size     int
	entries  []string
	final    string
	err      *Error
	wake     chan struct{}
}

// New speaks LDAP on nc, which it owns from now on. A message longer than
// maxMessage bytes breaks the connection; 0 is DefaultMaxMessage.
func New(nc net.Conn, maxMessage int) *Conn {
	if maxMessage <= 0 {
		maxMessage = DefaultMaxMessage
	}
	c := &Conn{nc: nc, maxMessage: maxMessage, done: make(chan struct{}), calls: map[int32]*call{}}
	c.goroutines.Go(c.read)
	return c
}

// Done is closed when the connection has broken or was closed.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Load returns how many requests are under way.
func (c *Conn) Load() int { return int(c.load.Load()) }

// Err says why the connection is of no use any more, or nil.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close says good-bye (RFC 4511 §4.3), breaks off what is under way, and waits
// until no goroutine of the connection is left.
func (c *Conn) Close() {
	c.mu.Lock()
	if c.err == nil && !c.flushing {
		c.nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		b, m := Begin(nil, TagSequence)
		b = AppendInt(b, TagInteger, int64(c.nextID()))
		b = append(b, opUnbind, 0)
		c.nc.Write(End(b, m)) // a courtesy: whether it arrives does not matter
	}
	c.fail(ErrClosed)
	c.mu.Unlock()
	c.goroutines.Wait()
}

// Do sends a request, an encoded protocolOp with its controls, and waits for
// its final response or for ctx to end; then the server is told to abandon it.
// The error, if any, is an *Error. body may be reused when Do has returned.
func (c *Conn) Do(ctx context.Context, body []byte) (Reply, error) {
	if err := ctx.Err(); err != nil {
		return Reply{}, &Error{Unsent: true, Err: context.Cause(ctx)}
	}
	start := time.Now()
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return Reply{}, &Error{Unsent: true, Broken: true, Err: c.err}
	}
	id := c.nextID()
	cl := c.newCall(answers(body[0]))
	c.calls[id] = cl
	c.load.Add(1)
	defer c.load.Add(-1)
	c.enqueue(id, body)
	cl.end = c.queued
	if c.flushing {
		c.mu.Unlock()
	} else {
		c.flush(ctx)
	}

	select {
	case <-cl.wake:
	case <-ctx.Done():
		if c.forget(id, cl, start) {
			return Reply{}, &Error{Err: context.Cause(ctx)}
		}
		<-cl.wake // the answer came at the same moment
	}
	return c.finish(cl)
}

// finish takes what a call that was woken has got.
func (c *Conn) finish(cl *call) (Reply, error) {
	want, final, failure := cl.want, cl.final, cl.err
	reply := Reply{Entries: cl.entries}
	c.mu.Lock()
	c.release(cl)
	c.mu.Unlock()
	if failure != nil {
		return Reply{}, failure
	}
	var err error
	// Samba refuses some requests with an ExtendedResponse, whatever they were.
	if final[0] != want && final[0] != opExtendedResponse {
		err = fmt.Errorf("response %#x to a request that is answered by %#x", final[0], want)
	} else {
		reply.Result, err = parseResult(final)
	}
	if err != nil {
		c.mu.Lock()
		c.fail(err)
		c.mu.Unlock()
		return Reply{}, &Error{Broken: true, Err: err}
	}
	return reply, nil
}

// forget gives up a call whose context has ended. It reports false if the call
// was finished meanwhile.
func (c *Conn) forget(id int32, cl *call, start time.Time) bool {
	c.mu.Lock()
	if c.calls[id] != cl {
		c.mu.Unlock()
		return false
	}
	delete(c.calls, id)
	mute := c.received.Load() == cl.received && time.Since(start) >= silence
	c.release(cl)
	if mute {
		c.fail(errors.New("no answer to anything in time"))
		c.mu.Unlock()
		return true
	}
	c.enqueue(c.nextID(), AppendInt(nil, opAbandon, int64(id)))
	if !c.flushing {
		c.flushing = true
		c.goroutines.Go(func() {
			c.mu.Lock()
			c.flush(context.Background())
		})
	}
	c.mu.Unlock()
	return true
}

func (c *Conn) newCall(want byte) *call {
	var cl *call
	if n := len(c.free); n > 0 {
		cl, c.free = c.free[n-1], c.free[:n-1]
	} else {
		cl = &call{wake: make(chan struct{}, 1)}
	}
	cl.want, cl.received = want, c.received.Load()
	return cl
}

// release keeps a call for reuse. Nobody else may still know it.
func (c *Conn) release(cl *call) {
	*cl = call{wake: cl.wake}
	if len(c.free) < 64 {
		c.free = append(c.free, cl)
	}
}

// nextID returns a message id that no request under way has.
func (c *Conn) nextID() int32 {
	for {
		if c.lastID == maxID {
			c.lastID = 0
		}
		c.lastID++
		if _, taken := c.calls[c.lastID]; !taken {
			return c.lastID
		}
	}
}

// enqueue puts a message into the output.
func (c *Conn) enqueue(id int32, body []byte) {
	var buf [6]byte
	head := AppendInt(buf[:0], TagInteger, int64(id))
	before := len(c.out)
	c.out = appendHeader(c.out, TagSequence, len(head)+len(body))
	c.out = append(c.out, head...)
	c.out = append(c.out, body...)
	c.queued += uint64(len(c.out) - before)
}

// flush writes the output until there is none. It is called with c.mu held and
// releases it. A small message never blocks in practice, because the kernel's
// buffer is larger than all the requests a connection is given at once; a large
// one that blocks is given up, with the connection, when ctx ends.
func (c *Conn) flush(ctx context.Context) {
	c.flushing = true
	for round := 0; len(c.out) > 0 && c.err == nil; round++ {
		if round == 4 { // others keep it busy: the caller has an answer to wait for
			c.goroutines.Go(func() {
				c.mu.Lock()
				c.flush(context.Background())
			})
			c.mu.Unlock()
			return
		}
		batch, before := c.out, c.sent
		c.out, c.sent = c.spare[:0], c.queued
		c.spare = nil
		if now := time.Now(); c.writeUntil.Sub(now) < writeTimeout/2 {
			c.writeUntil = now.Add(writeTimeout)
			c.nc.SetWriteDeadline(c.writeUntil) // an error shows in the write
		}
		c.mu.Unlock()

		stop := func() bool { return true }
		if len(batch) > largeWrite {
			stop = context.AfterFunc(ctx, func() { c.nc.Close() })
		}
		n, err := c.nc.Write(batch)
		stop()

		c.mu.Lock()
		if err != nil {
			c.sent = before + uint64(n)
			c.fail(fmt.Errorf("write: %w", err))
		}
		if cap(batch) <= 64<<10 {
			c.spare = batch
		}
	}
	c.flushing = false
	c.mu.Unlock()
}

// fail breaks the connection and every call on it. It is called with c.mu held.
func (c *Conn) fail(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.nc.Close() // nothing is left to be lost
	close(c.done)
	for id, cl := range c.calls {
		cl.err = &Error{Broken: true, Unsent: cl.end > c.sent, Err: err}
		delete(c.calls, id)
		cl.wake <- struct{}{}
	}
}

// read receives messages until the connection breaks.
func (c *Conn) read() {
	br := bufio.NewReaderSize(c.nc, readBuffer)
	for {
		message, err := readMessage(br, c.maxMessage)
		if err == nil {
			c.received.Add(1)
			err = c.deliver(message)
		}
		if err != nil {
			c.mu.Lock()
			c.fail(fmt.Errorf("read: %w", err))
			c.mu.Unlock()
			return
		}
	}
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
	switch tag {
	case opSearchReference, opIntermediate:
		return nil
	case opSearchEntry:
		cl.size += len(content)
		if cl.size > maxReply {
			return fmt.Errorf("an answer of more than %d bytes", maxReply)
		}
		cl.entries = append(cl.entries, rest)
		return nil
	default:
		cl.final = rest
		delete(c.calls, int32(id))
		cl.wake <- struct{}{}
		return nil
	}
}

// readMessage reads one LDAPMessage and returns its content.
func readMessage(br *bufio.Reader, limit int) (string, error) {
	head, err := br.Peek(2)
	if err != nil {
		return "", err
	}
	if head[1] > 0x80 && head[1] <= 0x84 {
		if head, err = br.Peek(2 + int(head[1]&0x7f)); err != nil {
			return "", err
		}
	}
	tag, n, size, ok := header(string(head))
	if !ok || tag != TagSequence {
		return "", errBER
	}
	if n > limit {
		return "", fmt.Errorf("a message of %d bytes, more than %d", n, limit)
	}
	br.Discard(size) // just peeked
	var b strings.Builder
	b.Grow(min(n, 1<<20))
	for n > 0 {
		if _, err := br.Peek(1); err != nil {
			return "", err
		}
		chunk, _ := br.Peek(min(n, br.Buffered()))
		b.Write(chunk)
		br.Discard(len(chunk))
		n -= len(chunk)
	}
	return b.String(), nil
}
