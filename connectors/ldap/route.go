package ldap

import (
	"context"
	"sync"
	"time"
)

// A route says which servers the requests of one operation may go to, and which
// they went to. Once an operation has written, all that follows of it goes to
// the same server: another might say that what was written is not there. A nil
// route is that of a request that goes to the active server.
type route struct {
	relaxed bool // a replica may answer

	mu     sync.Mutex
	only   *server // all requests go there
	served *server // who answered last
}

type routeKey struct{}

func routeOf(ctx context.Context) *route {
	r, _ := ctx.Value(routeKey{}).(*route)
	return r
}

// follow gives a context a route of its own.
func follow(ctx context.Context, relaxed bool) (context.Context, *route) {
	r := &route{relaxed: relaxed}
	return context.WithValue(ctx, routeKey{}, r), r
}

// followOnly gives a context a route to one server.
func followOnly(ctx context.Context, s *server) (context.Context, *route) {
	ctx, r := follow(ctx, false)
	r.only = s
	return ctx, r
}

func (r *route) bound() *server {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.only
}

func (r *route) mayRelax() bool { return r != nil && r.relaxed }

func (r *route) answered(s *server) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.served = s
}

// by returns the server that answered last, or nil.
func (r *route) by() *server {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.served
}

// wrote notes that a server may have carried out a write.
func (p *pool) wrote(r *route, s *server) {
	if r != nil {
		r.mu.Lock()
		r.only = s
		r.mu.Unlock()
	}
	p.mu.Lock()
	s.written = time.Now()
	p.mu.Unlock()
}
