package ldap

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"postern/connectors/ldap/wire"
)

const (
	// perConn bounds the requests under way on one connection. slapd closes a
	// connection with more than 1,000 pending, 389-DS serves them one by one.
	perConn = 32
	// A server that could not be reached is left alone for firstPause, then for
	// twice as long after every further failure, up to longestPause.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

var errNoServer = errors.New("no server can be reached")

// A pool holds connections to several servers with the same content. It sends
// each request on the least loaded connection of the first server that works.
type pool struct {
	servers []*server
	size    int // connections to one server
	slots   chan struct{}
	timeout time.Duration // of a request whose context has no deadline
	log     zerolog.Logger
	// begin starts the context of a dial, which outlives the request that
	// wanted it and ends with the pool.
	begin      func() (context.Context, context.CancelFunc)
	stop       context.CancelFunc
	background sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	changed  chan struct{} // closed and replaced when waiting may be over
	using    *server
	switched time.Time // when using last changed from another server
}

// A server is one of the pool's servers. The pool's mu guards it.
type server struct {
	*dialer
	conns    []*conn
	dialing  int
	failures int
	paused   time.Time // not to be dialled before
	err      error     // the last dial's
}

// A conn is a pooled connection.
type conn struct {
	*wire.Conn
	born   time.Time
	cursor bool // a paged search is under way: slapd allows one a connection
}

func newPool(c Config, log zerolog.Logger) (*pool, error) {
	ds, err := dialers(c)
	if err != nil {
		return nil, err
	}
	base, stop := context.WithCancel(context.Background())
	patience := min(max(c.Timeout/3, time.Second), 5*time.Second)
	p := &pool{
		size:    c.PoolSize,
		slots:   make(chan struct{}, c.PoolSize*perConn),
		timeout: c.Timeout,
		log:     log,
		stop:    stop,
		changed: make(chan struct{}),
		begin: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(base, patience)
		},
	}
	for _, d := range ds {
		p.servers = append(p.servers, &server{dialer: d})
	}
	return p, nil
}

// close breaks off everything and waits until nothing is left.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	var conns []*conn
	for _, s := range p.servers {
		conns = append(conns, s.conns...)
		s.conns = nil
	}
	p.broadcast()
	p.mu.Unlock()
	p.stop()
	for _, c := range conns {
		c.Close()
	}
	p.background.Wait()
}

// read sends a request that changes nothing. It is tried again when the
// connection breaks, until that has happened on one made for it.
func (p *pool) read(ctx context.Context, body []byte) (wire.Reply, error) {
	return p.do(ctx, body, func(*wire.Error) bool { return true })
}

// write sends a request that changes something. It is tried again only if the
// server can not have received it.
func (p *pool) write(ctx context.Context, body []byte) (wire.Reply, error) {
	return p.do(ctx, body, func(e *wire.Error) bool { return e.Unsent })
}

func (p *pool) do(ctx context.Context, body []byte, again func(*wire.Error) bool) (wire.Reply, error) {
	ctx, cancel := p.limit(ctx)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return wire.Reply{}, &wire.Error{Unsent: true, Err: context.Cause(ctx)}
		}
	}
	defer func() { <-p.slots }()

	var start time.Time
	for {
		c, err := p.acquire(ctx, false)
		if err != nil {
			return wire.Reply{}, err
		}
		reply, err := c.Do(ctx, body)
		if err == nil {
			return reply, nil
		}
		if start.IsZero() {
			start = time.Now()
		}
		e, ok := errors.AsType[*wire.Error](err)
		if !ok || !e.Broken || !again(e) || !c.born.Before(start) {
			return wire.Reply{}, err
		}
	}
}

// limit gives a context without a deadline the configured one.
func (p *pool) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, p.timeout)
}

// acquire returns a connection to send on. With cursor it is one that has no
// cursor, and has it from now on, until release.
func (p *pool) acquire(ctx context.Context, cursor bool) (*conn, error) {
	for {
		p.mu.Lock()
		c, err := p.pick(cursor)
		changed := p.changed
		p.mu.Unlock()
		if c != nil || err != nil {
			return c, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, &wire.Error{Unsent: true, Err: context.Cause(ctx)}
		}
	}
}

// release ends a connection's cursor.
func (p *pool) release(c *conn) {
	p.mu.Lock()
	c.cursor = false
	p.broadcast()
	p.mu.Unlock()
}

// failedOver reports whether the pool went over to another server within d:
// replication may not have brought there yet what was read or written before.
func (p *pool) failedOver(d time.Duration) bool {
	if len(p.servers) == 1 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.switched.IsZero() && time.Since(p.switched) < d
}

// pick chooses a connection, starts to dial where that is due, or says with
// neither that one has to wait. It is called with p.mu held.
func (p *pool) pick(cursor bool) (*conn, error) {
	if p.closed {
		return nil, &wire.Error{Unsent: true, Broken: true, Err: wire.ErrClosed}
	}
	waiting := false
	var last error
	for _, s := range p.servers {
		best := s.best(cursor)
		room := len(s.conns)+s.dialing < p.size
		switch {
		case best != nil:
			if room && best.Load() > 0 && s.dialing == 0 && !time.Now().Before(s.paused) {
				p.dial(s)
			}
			p.use(s)
			best.cursor = best.cursor || cursor
			return best, nil
		case len(s.conns) > 0: // all have cursors
			if room {
				p.dial(s)
			}
			return nil, nil
		case s.dialing > 0:
			waiting = true
		case waiting:
			// An earlier server may yet answer.
		case time.Now().Before(s.paused):
			last = s.err
		default:
			p.dial(s)
			waiting = true
		}
	}
	if waiting {
		return nil, nil
	}
	return nil, &wire.Error{Unsent: true, Broken: true, Err: fmt.Errorf("%w: %w", errNoServer, last)}
}

// use notes which server is in use.
func (p *pool) use(s *server) {
	if p.using == s {
		return
	}
	if p.using != nil {
		p.switched = time.Now()
		p.log.Warn().Str("from", p.using.url).Str("to", s.url).Msg("another directory server is used")
	}
	p.using = s
}

// best returns the least loaded connection, and forgets the broken ones.
func (s *server) best(cursor bool) *conn {
	var best *conn
	for i := 0; i < len(s.conns); i++ {
		c := s.conns[i]
		select {
		case <-c.Done():
			s.conns = slices.Delete(s.conns, i, i+1)
			i--
			continue
		default:
		}
		if cursor && c.cursor {
			continue
		}
		if best == nil || c.Load() < best.Load() {
			best = c
		}
	}
	return best
}

// dial adds a connection in the background. It is called with p.mu held.
func (p *pool) dial(s *server) {
	s.dialing++
	p.background.Go(func() {
		ctx, cancel := p.begin()
		defer cancel()
		wc, err := s.dial(ctx)

		p.mu.Lock()
		s.dialing--
		closed := p.closed
		switch {
		case err != nil && !closed:
			s.err = fmt.Errorf("server %q: %w", s.url, err)
			pause := min(firstPause<<min(s.failures, 10), longestPause)
			pause += time.Duration(rand.Int64N(int64(pause)/2)) - pause/4
			s.failures++
			s.paused = time.Now().Add(pause)
			p.log.Warn().Str("server", s.url).Err(err).Dur("pause", pause).Msg("directory server can not be used")
		case err == nil && !closed:
			s.failures, s.err, s.paused = 0, nil, time.Time{}
			s.conns = append(s.conns, &conn{Conn: wc, born: time.Now()})
		}
		p.broadcast()
		p.mu.Unlock()
		if err == nil && closed {
			wc.Close()
		}
	})
}

func (p *pool) broadcast() {
	close(p.changed)
	p.changed = make(chan struct{})
}
