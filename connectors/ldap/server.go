package ldap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"postern/connectors/ldap/wire"
)

const (
	// A server that could not be reached is left alone for firstPause, then for
	// twice as long after every further failure, up to longestPause.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	// stagger is how long a server may be silent while it is being connected to
	// before the next one is tried beside it.
	stagger = 500 * time.Millisecond
)

// A server is one of the pool's servers, with the connections to it. The pool's
// mu guards it.
type server struct {
	*dialer
	replica  bool
	conns    []*conn
	dialing  int
	began    time.Time // when the oldest dial that is under way began
	failures int
	paused   time.Time // not to be dialled before
	err      error     // the last dial's
	well     time.Time // since when it has answered every probe; zero if it did not answer the last
	marked   bool      // it shows marks
	current  time.Time // until when it has everything, as far as its marks tell
	stale    bool      // it lacks what was on the active server long ago
	lost     time.Time // when it last stopped to be well
	written  time.Time // when it last took a write
}

// A conn is a pooled connection.
type conn struct {
	*wire.Conn
	server *server
	born   time.Time
	used   atomic.Bool // something was answered on it
	cursor bool        // a paged search is under way: slapd allows one a connection
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
	if s.dialing == 0 {
		s.began = time.Now()
	}
	s.dialing++
	p.background.Go(func() {
		ctx, cancel := p.begin()
		defer cancel()
		if p.several() { // those who wait for this one look at the next
			defer time.AfterFunc(stagger, func() {
				p.mu.Lock()
				p.broadcast()
				p.mu.Unlock()
			}).Stop()
		}
		wc, err := s.dial(ctx)

		p.mu.Lock()
		s.dialing--
		closed := p.closed
		switch {
		case err != nil && !closed:
			p.pause(s, fmt.Errorf("server %q: %w", s.url, err))
		case err == nil && !closed:
			s.failures, s.err, s.paused = 0, nil, time.Time{}
			s.conns = append(s.conns, &conn{Conn: wc, server: s, born: time.Now()})
		}
		p.broadcast()
		p.mu.Unlock()
		if err == nil && closed {
			wc.Close()
		}
	})
}

// pause leaves a server alone for a while. It is called with p.mu held.
func (p *pool) pause(s *server, err error) {
	s.err = err
	pause := min(firstPause<<min(s.failures, 10), longestPause)
	pause += time.Duration(rand.Int64N(int64(pause)/2)) - pause/4
	s.failures++
	s.paused = time.Now().Add(pause)
	p.log.Warn().Str("server", s.url).Err(err).Dur("pause", pause).Msg("directory server can not be used")
}
