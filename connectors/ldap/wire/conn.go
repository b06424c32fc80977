package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// A Conn is a connection to one server. Whoever sends a request writes it,
// together with what others have queued meanwhile, and one of those who wait
// reads for all of them (see reader.go). All methods may be called from many
// goroutines.
type Conn struct {
	nc         net.Conn
	in         stream // of the one who has the role of reading
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
	reading    bool // somebody has the role
	idle       *time.Timer
	armed      bool  // idle is running
	seenID     int32 // lastID when it was started
}

// A call is one request under way. Its fields are guarded by Conn.mu until it is
// over. wake tells that it is, or that it is its turn to read.
type call struct {
	over     bool
	want     byte // tag of the final response
	end      uint64
	received uint64
	size     int
	entries  []string
	streamed bool // entries are taken as they come: see Stream
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
	c := &Conn{nc: nc, in: newStream(nc, maxMessage), done: make(chan struct{}), calls: map[int32]*call{}}
	c.idle, c.armed = time.NewTimer(idleAfter), true
	c.goroutines.Go(c.watcher)
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
	id, cl, err := c.begin(ctx, body, false)
	if err != nil {
		return Reply{}, err
	}
	defer c.load.Add(-1)
	for {
		c.mu.Lock()
		if cl.over {
			c.mu.Unlock()
			return c.finish(cl)
		}
		if err := c.await(ctx, id, cl, start); err != nil {
			return Reply{}, err
		}
	}
}

// await reads for a call, or waits while somebody else reads. It is called with c.mu
// held, which it gives back. An error says that ctx has ended, and the call with it.
func (c *Conn) await(ctx context.Context, id int32, cl *call, start time.Time) error {
	if !c.reading {
		c.reading = true
		c.mu.Unlock()
		c.readFor(ctx, cl)
	} else {
		c.mu.Unlock()
		select {
		case <-cl.wake:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil && c.forget(id, cl, start) {
		return &Error{Err: context.Cause(ctx)}
	}
	return nil
}

// begin sends a request. The caller takes its load away when it is over.
func (c *Conn) begin(ctx context.Context, body []byte, streamed bool) (int32, *call, error) {
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return 0, nil, &Error{Unsent: true, Broken: true, Err: c.err}
	}
	id := c.nextID()
	cl := c.newCall(answers(body[0]))
	cl.streamed = streamed
	c.calls[id] = cl
	c.load.Add(1)
	c.enqueue(id, body)
	cl.end = c.queued
	if c.flushing {
		c.mu.Unlock()
	} else {
		c.flush(ctx)
	}
	return id, cl, nil
}

// Stream is Do for a search without an end: it gives each entry and each intermediate
// response (RFC 4511 §4.13) as it comes to yield, until that returns false; then, and when ctx
// ends, the server is told to abandon the search. What is not taken holds up nothing but the
// connection, so it should have one of its own. The result is that of a search which the
// server ended.
func (c *Conn) Stream(ctx context.Context, body []byte, yield func(message string) bool) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, &Error{Unsent: true, Err: context.Cause(ctx)}
	}
	start := time.Now()
	id, cl, err := c.begin(ctx, body, true)
	if err != nil {
		return Result{}, err
	}
	defer c.load.Add(-1)
	for {
		c.mu.Lock()
		messages := cl.entries
		cl.entries, cl.size = nil, 0
		switch {
		case len(messages) > 0:
			c.mu.Unlock()
			for _, m := range messages {
				if yield(m) {
					continue
				}
				if !c.forget(id, cl, start) {
					c.finish(cl) // it ended meanwhile, which is of no interest
				}
				return Result{}, nil
			}
			continue
		case cl.over:
			c.mu.Unlock()
			reply, err := c.finish(cl)
			return reply.Result, err
		}
		if err := c.await(ctx, id, cl, start); err != nil {
			return Result{}, err
		}
	}
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
	c.handOver()
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
	select {
	case <-cl.wake:
	default:
	}
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
		cl.finish()
	}
}

// finish ends a call. It is called with the connection's mu held.
func (cl *call) finish() {
	cl.over = true
	cl.signal()
}

// signal wakes the one who waits, if it has not been done already.
func (cl *call) signal() {
	select {
	case cl.wake <- struct{}{}:
	default:
	}
}
