package ldap

import (
	"net"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/rs/zerolog"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// The tags of the operations that a fake server tells apart (RFC 4511 §4.2).
const (
	opBind   = 0
	opSearch = 3
	opModify = 6
)

// A fakeRequest is what a fake server received.
type fakeRequest struct {
	id    int64
	op    int
	base  string   // of a search, or the entry's DN
	attrs []string // of a search
}

// A fakeServer answers as a test wants it to.
type fakeServer struct {
	url string
	mu  sync.Mutex
	got []fakeRequest
}

// fake serves until the test ends. Binds succeed. handle returns an answer,
// which is sent as it stands; nil closes the connection.
func fake(t *testing.T, handle func(r fakeRequest) []byte) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fakeServer{url: "ldap://" + listener.Addr().String()}
	var served sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		served.Wait()
	})
	served.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer nc.Close()
				s.serve(nc, handle)
			})
		}
	})
	return s
}

func (s *fakeServer) serve(nc net.Conn, handle func(r fakeRequest) []byte) {
	for {
		p, err := ber.ReadPacket(nc)
		if err != nil || len(p.Children) < 2 {
			return
		}
		r := fakeRequest{id: p.Children[0].Value.(int64), op: int(p.Children[1].Tag)}
		answer := message(r.id, result(0x61, wire.Success))
		if op := p.Children[1]; r.op != opBind {
			if len(op.Children) > 0 {
				r.base = op.Children[0].Data.String()
			}
			if r.op == opSearch {
				for _, a := range op.Children[7].Children {
					r.attrs = append(r.attrs, a.Data.String())
				}
			}
			s.mu.Lock()
			s.got = append(s.got, r)
			s.mu.Unlock()
			answer = handle(r)
		}
		if answer == nil {
			return
		}
		if _, err := nc.Write(answer); err != nil {
			return
		}
	}
}

// count returns how many requests of a kind arrived.
func (s *fakeServer) count(op int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.got {
		if r.op == op {
			n++
		}
	}
	return n
}

func message(id int64, op []byte) []byte {
	b, m := wire.Begin(nil, wire.TagSequence)
	b = wire.AppendInt(b, wire.TagInteger, id)
	return wire.End(append(b, op...), m)
}

func result(tag byte, code int) []byte {
	b, m := wire.Begin(nil, tag)
	b = wire.AppendInt(b, wire.TagEnumerated, int64(code))
	b = wire.AppendString(b, wire.TagOctetString, "")
	b = wire.AppendString(b, wire.TagOctetString, "")
	return wire.End(b, m)
}

// found answers a search with one entry.
func found(r fakeRequest, name string, attrs map[string][]string) []byte {
	b, m := wire.Begin(nil, 0x64)
	b = wire.AppendString(b, wire.TagOctetString, name)
	b, list := wire.Begin(b, wire.TagSequence)
	for name, values := range attrs {
		b = wire.AppendAttribute(b, name, values)
	}
	b = wire.End(wire.End(b, list), m)
	return append(message(r.id, b), message(r.id, result(0x65, wire.Success))...)
}

// selfDescription answers the first contact as the dialect's server does, or
// returns nil for other requests.
func selfDescription(r fakeRequest, root map[string][]string) []byte {
	switch {
	case r.op != opSearch:
		return nil
	case r.base == "":
		attrs := map[string][]string{"subschemaSubentry": {"cn=schema"}, "schemaNamingContext": {"cn=classes"}}
		for name, values := range root {
			attrs[name] = values
		}
		return found(r, "", attrs)
	case r.base == "cn=schema":
		return found(r, r.base, map[string][]string{"attributeTypes": {
			"( 1.1 NAME 'cn' EQUALITY caseIgnoreMatch )", "( 1.2 NAME 'member' EQUALITY distinguishedNameMatch )", "( 1.3 NAME 'description' EQUALITY caseIgnoreMatch )",
			"( 1.4 NAME 'title' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )",
		}})
	case r.base == "cn=classes":
		return message(r.id, result(0x65, wire.Success))
	}
	return nil
}

var (
	openLDAP = map[string][]string{"objectClass": {"OpenLDAProotDSE"}}
	samba    = map[string][]string{"supportedCapabilities": {"1.2.840.113556.1.4.800"}}
)

// openFake opens a directory with users and groups at a fake server.
func openFake(t *testing.T, urls ...string) *Directory {
	t.Helper()
	return openFakes(t, Config{Servers: urls})
}

// openFakes does so by a configuration.
func openFakes(t *testing.T, c Config) *Directory {
	t.Helper()
	d, err := Open(t.Context(), c, []Collection{
		{Name: "User", Base: "ou=people,dc=x", References: map[connectors.Attr][]string{"manager": {"User"}}},
		{Name: "Group", Base: "ou=groups,dc=x", References: map[connectors.Attr][]string{"member": {"User"}}},
	}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// guidOf is the fake GUID of the n-th object.
func guidOf(n int) string { return strings.Repeat("\x00", 14) + string([]byte{byte(n >> 8), byte(n)}) }
