package ldap

import (
	"context"
	"errors"
	"time"

	"postern/connectors/ldap/wire"
)

// overdue is how many times the replication time a better server waits for a
// pause between writes before it is used again in spite of them.
const overdue = 4

var errMute = errors.New("it does not answer")

// watch probes one server until ctx ends. Only where there are several: a lone
// server that is slow is better than none.
func (p *pool) watch(ctx context.Context, s *server) {
	tick := time.NewTicker(p.health.Interval)
	defer tick.Stop()
	for {
		p.examine(ctx, s)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// examine probes a server once, on a connection that it is given if it has
// none, and goes over to it or away from it as that is due.
func (p *pool) examine(ctx context.Context, s *server) {
	began := time.Now()
	answer, at := p.probe(ctx, s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer == answered && s == p.active {
		p.sight(at, began)
	}
	switch {
	case p.closed:
	case answer == answered:
		if s.well.IsZero() {
			s.well = time.Now()
		}
		s.marked, s.current = len(at) > 0, p.current(at)
		if stale := s != p.active && p.behind(at); stale != s.stale {
			s.stale = stale
			p.log.Info().Str("server", s.url).Msg(map[bool]string{true: "a directory server lags behind", false: "a directory server has caught up"}[stale])
		}
		if p.returnTo(s) {
			p.use(s)
			p.broadcast()
		}
	default:
		if !s.well.IsZero() {
			s.lost = time.Now()
		}
		s.well = time.Time{}
		if answer == mute && p.dispensable(s) {
			p.condemn(s, errMute)
		}
	}
}

// What a probe found.
type probed int

const (
	answered    probed = iota
	unreachable        // there is no connection, and nothing to be given up
	mute               // there are connections, but no answer
)

// probe asks a server for its root DSE, which costs it nothing, or where there
// are marks for these.
func (p *pool) probe(ctx context.Context, s *server) (probed, marks) {
	ctx, cancel := context.WithTimeout(ctx, p.health.Timeout)
	defer cancel()
	ctx, _ = followOnly(ctx, s)
	c, err := p.acquire(ctx, false, false)
	if err != nil {
		return unreachable, nil
	}
	p.mu.Lock()
	suffix := p.suffix
	p.mu.Unlock()
	reply, err := p.send(ctx, c, wire.AppendSearch(nil, wire.Search{Base: suffix, Filter: appendEverything(nil)}, []string{"contextCSN"}))
	e, failed := errors.AsType[*wire.Error](err)
	switch {
	case failed && e.Broken:
		return unreachable, nil
	case failed, reply.Code == wire.Busy, reply.Code == wire.Unavailable:
		return mute, nil
	}
	return answered, marksOf(reply)
}

// dispensable reports whether there is a server to use instead of s that is
// well. It is called with p.mu held.
func (p *pool) dispensable(s *server) bool {
	if s.replica {
		return true
	}
	for _, o := range p.servers {
		if o != s && o.best(false) != nil && !o.well.IsZero() {
			return true
		}
	}
	return false
}

// condemn breaks all connections to a server: whoever waits for it goes on
// elsewhere. It is called with p.mu held.
func (p *pool) condemn(s *server, err error) {
	conns := s.conns
	s.conns = nil
	p.pause(s, err)
	p.broadcast()
	for _, c := range conns {
		p.background.Go(c.Close)
	}
}

// returnTo reports whether s shall be used instead of the active server: it is
// preferred and has been well for long enough. It is also up to date, and nothing
// was written for as long as replication may take, or that has not come about for
// very long. It is called with p.mu held.
func (p *pool) returnTo(s *server) bool {
	if s.replica || p.active == nil || s == p.active || s.best(false) == nil {
		return false
	}
	for _, o := range p.servers {
		if o == p.active {
			return false
		}
		if o == s {
			break
		}
	}
	since := time.Since(s.well)
	return since >= p.returns && (p.quiet(p.pin) && !s.stale || since >= p.returns+overdue*p.pin)
}

// quiet reports whether no server has taken a write for so long. It is called
// with p.mu held.
func (p *pool) quiet(d time.Duration) bool {
	for _, s := range p.servers {
		if time.Since(s.written) < d {
			return false
		}
	}
	return true
}

// pickReplica returns a connection to the least loaded replica that may answer,
// or nil. It is called with p.mu held.
func (p *pool) pickReplica(cursor bool) *conn {
	var best *conn
	for i := range p.replicas {
		s := p.replicas[(p.turn+i)%len(p.replicas)]
		if !p.fit(s) {
			continue
		}
		c := s.best(cursor)
		if c != nil && c.Load() > 0 && len(s.conns)+s.dialing < p.size && s.dialing == 0 {
			p.dial(s)
		}
		if c != nil && (best == nil || c.Load() < best.Load()) {
			best = c
		}
	}
	if best != nil {
		best.cursor = best.cursor || cursor
		p.turn++
	}
	return best
}
