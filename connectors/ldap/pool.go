package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"postern/connectors/ldap/wire"
)

// perConn bounds the requests under way on one connection. slapd closes a
// connection with more than 1,000 pending, 389-DS serves them one by one.
const perConn = 32

var errNoServer = errors.New("no server can be reached")

// A pool holds connections to several servers with the same content. All
// requests go to one of them, the active server, on the least loaded of its
// connections: whoever writes reads what was written. The active server is the
// first of the configuration that works; a later one takes over while the
// earlier are down. Reads that allow it go to a replica.
type pool struct {
	servers  []*server // in order of preference
	replicas []*server
	size     int // connections to one server
	slots    chan struct{}
	timeout  time.Duration // of a request whose context has no deadline
	pin      time.Duration // how long replication may take
	returns  time.Duration // how long a better server must be well
	health   Health
	log      zerolog.Logger
	// begin starts the context of a dial, which outlives the request that
	// wanted it and ends with the pool.
	begin      func() (context.Context, context.CancelFunc)
	stop       context.CancelFunc
	ended      <-chan struct{} // closed by stop
	background sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	changed   chan struct{} // closed and replaced when waiting may be over
	order     []*server     // the active server, then the others as configured
	active    *server       // nil before the first contact
	switched  time.Time     // when active last changed from another server
	suffix    string        // where the servers' marks are; "" is unknown or none
	sightings []sighting    // of the active server's marks, oldest first
	turn      int           // whose turn it is among equally loaded replicas
}

func newPool(c Config, log zerolog.Logger) (*pool, error) {
	primaries, err := dialers(c, c.Servers)
	if err != nil {
		return nil, err
	}
	replicas, err := dialers(c, c.Replicas)
	if err != nil {
		return nil, err
	}
	if len(primaries) == 0 {
		return nil, errors.New("no server is configured that can be written to")
	}
	base, stop := context.WithCancel(context.Background())
	patience := min(max(c.Timeout/3, time.Second), 5*time.Second)
	p := &pool{
		size:    c.PoolSize,
		slots:   make(chan struct{}, c.PoolSize*perConn),
		timeout: c.Timeout,
		pin:     c.Pin,
		returns: c.ReturnAfter,
		health:  c.Health,
		log:     log,
		stop:    stop,
		ended:   base.Done(),
		changed: make(chan struct{}),
		begin: func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(base, patience)
		},
	}
	for _, d := range primaries {
		p.servers = append(p.servers, &server{dialer: d})
	}
	for _, d := range replicas {
		p.replicas = append(p.replicas, &server{dialer: d, replica: true})
	}
	p.order = slices.Clone(p.servers)
	if p.several() {
		for _, s := range p.all() {
			p.background.Go(func() { p.watch(base, s) })
		}
	}
	return p, nil
}

// all returns every server.
func (p *pool) all() []*server { return slices.Concat(p.servers, p.replicas) }

// several reports whether there is more than one server.
func (p *pool) several() bool { return len(p.servers)+len(p.replicas) > 1 }

// close breaks off everything and waits until nothing is left.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	var conns []*conn
	for _, s := range p.all() {
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
// connection breaks, until that has happened on one made for it, with several
// servers on as many.
func (p *pool) read(ctx context.Context, body []byte) (wire.Reply, error) {
	return p.do(ctx, body, false)
}

// write sends a request that changes something. It is tried again only if the
// server can not have received it.
func (p *pool) write(ctx context.Context, body []byte) (wire.Reply, error) {
	return p.do(ctx, body, true)
}

func (p *pool) do(ctx context.Context, body []byte, write bool) (wire.Reply, error) {
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

	r := routeOf(ctx)
	var start time.Time
	fresh := 0        // connections made for this request that broke
	followed := false // a referral
	for {
		c, err := p.acquire(ctx, false, write)
		if err != nil {
			return wire.Reply{}, err
		}
		reply, err := p.send(ctx, c, body)
		e, failed := errors.AsType[*wire.Error](err)
		if write && !(failed && e.Unsent) && reply.Code != wire.Referral {
			p.wrote(r, c.server)
		}
		if err == nil {
			if to := p.referred(c.server, body, reply.Result, write); to != nil && !followed {
				followed, r = true, p.goTo(r, to, write)
				ctx = context.WithValue(ctx, routeKey{}, r)
				continue
			}
			r.answered(c.server)
			return reply, nil
		}
		if start.IsZero() {
			start = time.Now()
		}
		if !c.born.Before(start) {
			fresh++
		}
		if !failed || !e.Broken || write && !e.Unsent || fresh == len(p.servers) {
			return wire.Reply{}, err
		}
	}
}

// send sends a request on a connection. A server whose connection breaks before
// it has answered anything is left alone for a while, if there is another.
func (p *pool) send(ctx context.Context, c *conn, body []byte) (wire.Reply, error) {
	reply, err := c.Do(ctx, body)
	if err == nil {
		c.used.Store(true)
		return reply, nil
	}
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Broken && !c.used.Load() && p.several() {
		p.mu.Lock()
		p.pause(c.server, err)
		p.mu.Unlock()
	}
	return reply, err
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
func (p *pool) acquire(ctx context.Context, cursor, write bool) (*conn, error) {
	r := routeOf(ctx)
	for {
		p.mu.Lock()
		c, err := p.pick(r, cursor, write)
		if c != nil && write {
			c.server.written = time.Now() // from now on no other server is gone back to
		}
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

// pick chooses a connection, starts to dial where that is due, or says with
// neither that one has to wait. It is called with p.mu held.
func (p *pool) pick(r *route, cursor, write bool) (*conn, error) {
	if p.closed {
		return nil, &wire.Error{Unsent: true, Broken: true, Err: wire.ErrClosed}
	}
	if s := r.bound(); s != nil {
		return p.pickOf([]*server{s}, cursor)
	}
	if r.mayRelax() && !write {
		if c := p.pickReplica(cursor); c != nil {
			return c, nil
		}
	}
	c, err := p.pickOf(p.order, cursor)
	if c != nil {
		p.use(c.server)
	}
	return c, err
}

// pickOf chooses a connection to the first server that works. A server that is
// being dialled is waited for, but no longer than patience for one that does
// not answer.
func (p *pool) pickOf(servers []*server, cursor bool) (*conn, error) {
	waiting, hold := false, false
	var last error
	for _, s := range servers {
		best := s.best(cursor)
		room := len(s.conns)+s.dialing < p.size
		switch {
		case hold:
			// An earlier server may yet answer.
		case best != nil:
			if room && best.Load() > 0 && s.dialing == 0 && !time.Now().Before(s.paused) {
				p.dial(s)
			}
			best.cursor = best.cursor || cursor
			return best, nil
		case len(s.conns) > 0: // all have cursors
			if room {
				p.dial(s)
			}
			return nil, nil
		case s.dialing > 0:
			waiting, hold = true, time.Since(s.began) < stagger
		case time.Now().Before(s.paused):
			last = s.err
		default:
			p.dial(s)
			waiting, hold = true, true
		}
	}
	if waiting {
		return nil, nil
	}
	return nil, &wire.Error{Unsent: true, Broken: true, Err: fmt.Errorf("%w: %w", errNoServer, last)}
}

// use makes a server the active one. It is called with p.mu held.
func (p *pool) use(s *server) {
	if p.active == s {
		return
	}
	if p.active != nil {
		p.switched = time.Now()
		p.log.Warn().Str("from", p.active.url).Str("to", s.url).Msg("another directory server is used")
	}
	p.active = s
	p.order = append([]*server{s}, slices.DeleteFunc(slices.Clone(p.servers), func(o *server) bool { return o == s })...)
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

func (p *pool) broadcast() {
	close(p.changed)
	p.changed = make(chan struct{})
}
