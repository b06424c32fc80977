package ldap

import (
	"context"
	"net"
	"net/url"
	"strings"
	"time"

	"postern/connectors/ldap/wire"
)

// referred returns the configured server that an answer refers the whole
// request to (RFC 4511 §4.1.10), as a read-only server does with a write, or
// nil. No other server is ever connected to: it would be given the password. A
// referral to another entry is none of the same request. For a write replicas
// do not count.
func (p *pool) referred(from *server, body []byte, res wire.Result, write bool) *server {
	if res.Code != wire.Referral {
		return nil
	}
	for _, text := range res.Referrals {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		if name := strings.TrimPrefix(u.Path, "/"); name != "" && !sameDN(name, wire.Target(body)) {
			continue
		}
		for _, s := range p.all() {
			if s != from && !(write && s.replica) && s.isAt(u) {
				return s
			}
		}
	}
	return nil
}

// isAt reports whether a URL names the server: by host and port, or by host where
// both ports are the usual ones, since a referral may name ldap:// where ldaps://
// is configured.
func (s *server) isAt(u *url.URL) bool {
	host, port, err := net.SplitHostPort(s.address)
	if err != nil || !strings.EqualFold(host, u.Hostname()) {
		return false
	}
	usual := map[string]string{"ldap": "389", "ldaps": "636"}
	to := u.Port()
	if to == "" {
		to = usual[strings.ToLower(u.Scheme)]
	}
	return to == port || (to == "389" || to == "636") && (port == "389" || port == "636")
}

func sameDN(a, b string) bool {
	if a == b {
		return true
	}
	x, ok := normalizeDN(a)
	y, too := normalizeDN(b)
	return ok && too && x == y
}

// goTo returns the route of a request that was referred to a server. One that
// takes writes which others refer to it is the one to be used.
func (p *pool) goTo(r *route, s *server, write bool) *route {
	if write {
		p.mu.Lock()
		p.use(s)
		s.written = time.Now()
		p.mu.Unlock()
	}
	if r != nil && r.bound() != nil {
		return r
	}
	_, only := followOnly(context.Background(), s)
	if r == nil {
		return only
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.only = s
	return r
}
