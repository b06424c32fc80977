package ldaptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Limits stands between a client and a Samba domain controller, and gives it the
// limits that Active Directory has by default and Samba does not enforce
// ([MS-ADTS] §3.1.1.3.4.6): MaxPageSize, entries of one search or of one page of
// it, which a search's own size limit can only lower, and MaxValRange, values of an attribute in one entry, of which more are
// asked for by a range (§3.1.1.3.1.3.3).
type Limits struct {
	Entries, Values int

	server   *Server
	config   *tls.Config // of the side to the client
	end      context.CancelFunc
	listener net.Listener
	done     sync.WaitGroup

	mu          sync.Mutex
	open        map[net.Conn]struct{}
	closed      bool
	cut, ranged int
}

// NewLimits starts the limits of a domain controller, which end with the test.
func NewLimits(t testing.TB, s *Server) *Limits {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(s.Dir, "tls", "cert.pem"), filepath.Join(s.Dir, "tls", "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	l := &Limits{Entries: 1000, Values: 1500, server: s, open: map[net.Conn]struct{}{},
		config: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}}
	var listen net.ListenConfig
	if l.listener, err = listen.Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	l.end = end
	t.Cleanup(l.close)
	l.done.Go(func() {
		for {
			conn, err := l.listener.Accept()
			if err != nil {
				return
			}
			l.done.Go(func() { l.serve(ctx, tls.Server(conn, l.config)) })
		}
	})
	return l
}

// URL is where clients connect: over TLS, with the server's own certificate.
func (l *Limits) URL() string { return "ldaps://" + l.listener.Addr().String() }

// Met counts the searches that were cut short, and the attributes that were given
// in part.
func (l *Limits) Met() (searches, attributes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut, l.ranged
}

func (l *Limits) close() {
	_ = l.listener.Close()
	l.end()
	l.mu.Lock()
	l.closed = true
	for c := range l.open {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.done.Wait()
}

// keep remembers a connection, to be closed with the limits.
func (l *Limits) keep(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	if l.closed {
		_ = c.Close()
	}
}

func (l *Limits) drop(c net.Conn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	_ = c.Close()
}

func (l *Limits) serve(ctx context.Context, client net.Conn) {
	l.keep(client)
	defer l.drop(client)
	config, err := l.server.TLSConfig()
	if err != nil {
		return
	}
	dialer := tls.Dialer{Config: config}
	server, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(l.server.TLSURL, "ldaps://"))
	if err != nil {
		return
	}
	l.keep(server)
	defer l.drop(server)
	searches := &searches{limits: l, under: map[int64]*search{}}
	l.done.Go(func() {
		defer client.Close()
		relay(server, client, searches.answer)
	})
	relay(client, server, searches.request)
}

// relay passes messages on, as change makes them; nil is left out.
func relay(from io.Reader, to io.Writer, change func(message []byte) ([]byte, error)) {
	for {
		p, err := ber.ReadPacket(from)
		if err != nil {
			return
		}
		message, err := change(p.Bytes())
		if err != nil {
			return
		}
		if _, err := to.Write(message); err != nil {
			return
		}
	}
}

// searches are those under way on one connection.
type searches struct {
	limits *Limits
	mu     sync.Mutex
	under  map[int64]*search // by message
}

type search struct {
	most  int  // entries
	own   bool // the client's own limit
	given int
}

const (
	opSearchRequest = 3
	opSearchEntry   = 4
	opSearchDone    = 5

	pagingOID = "1.2.840.113556.1.4.319"
	tooMany   = 4 // sizeLimitExceeded
)

var errMessage = errors.New("no LDAP message")

// request bounds the page that a search asks for.
func (s *searches) request(message []byte) ([]byte, error) {
	p, err := ber.DecodePacketErr(message)
	if err != nil || len(p.Children) < 2 {
		return nil, errMessage
	}
	op := p.Children[1]
	if op.Tag != opSearchRequest {
		return message, nil
	}
	id, _ := p.Children[0].Value.(int64)
	one := &search{most: s.limits.Entries}
	if n, _ := op.Children[3].Value.(int64); n > 0 && n <= int64(one.most) {
		one.most, one.own = int(n), true
	}
	s.mu.Lock()
	s.under[id] = one
	s.mu.Unlock()
	if len(p.Children) < 3 {
		return message, nil
	}
	for _, control := range p.Children[2].Children {
		if control.Children[0].Data.String() != pagingOID {
			continue
		}
		last := len(control.Children) - 1
		paging, err := ber.DecodePacketErr(control.Children[last].Data.Bytes())
		if err != nil {
			return nil, err
		}
		if n, ok := paging.Children[0].Value.(int64); ok && n > int64(s.limits.Entries) {
			paging.Children[0] = ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, s.limits.Entries, "")
			control.Children[last] = ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(encode(paging)), "")
			return encode(p), nil
		}
	}
	return message, nil
}

// answer cuts the entries of a search, and the values of an entry.
func (s *searches) answer(message []byte) ([]byte, error) {
	p, err := ber.DecodePacketErr(message)
	if err != nil || len(p.Children) < 2 {
		return nil, errMessage
	}
	id, _ := p.Children[0].Value.(int64)
	s.mu.Lock()
	defer s.mu.Unlock()
	op, one := p.Children[1], s.under[id]
	switch {
	case one == nil:
	case op.Tag == opSearchEntry:
		if one.given++; one.given > one.most {
			return nil, nil
		}
		if s.limits.shorten(op.Children[1]) {
			return encode(p), nil
		}
	case op.Tag == opSearchDone:
		delete(s.under, id)
		if code, _ := op.Children[0].Value.(int64); code == 0 && one.given > one.most {
			if !one.own {
				s.limits.mu.Lock()
				s.limits.cut++
				s.limits.mu.Unlock()
			}
			op.Children[0] = ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, tooMany, "")
			return encode(p), nil
		}
	}
	return message, nil
}

// shorten gives a part of the values of attributes that have too many, under the
// name of the range, beside the attribute without values.
func (l *Limits) shorten(attributes *ber.Packet) bool {
	short := false
	var list []*ber.Packet
	for _, a := range attributes.Children {
		name, values := a.Children[0].Data.String(), a.Children[1]
		first := 0
		if base, option, ok := strings.Cut(name, ";range="); ok {
			from, last, _ := strings.Cut(option, "-")
			if first, _ = strconv.Atoi(from); last != "*" {
				list = append(list, a)
				continue
			}
			name = base
		}
		if len(values.Children) <= l.Values {
			list = append(list, a)
			continue
		}
		short = true
		values.Children = values.Children[:l.Values]
		if first == 0 {
			list = append(list, attribute(name, set()))
		}
		list = append(list, attribute(fmt.Sprintf("%s;range=%d-%d", name, first, first+l.Values-1), values))
		l.mu.Lock()
		l.ranged++
		l.mu.Unlock()
	}
	attributes.Children = list
	return short
}

func set() *ber.Packet {
	return ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
}

func attribute(name string, values *ber.Packet) *ber.Packet {
	a := ber.NewSequence("")
	a.Children = []*ber.Packet{ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, ""), values}
	return a
}

// encode is a packet as its children are now: the library keeps the bytes that it
// read.
func encode(p *ber.Packet) []byte {
	if p.TagType == ber.TypePrimitive {
		return p.Bytes()
	}
	out := ber.Encode(p.ClassType, ber.TypeConstructed, p.Tag, nil, "")
	for _, c := range p.Children {
		out.Data.Write(encode(c))
	}
	return out.Bytes()
}
