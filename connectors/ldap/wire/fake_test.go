package wire

import (
	"net"
	"sync"
	"testing"
)

// A request is what a fake server received.
type request struct {
	id   int64
	op   byte
	body string // the operation's content
}

// fake serves one connection at the other end of a pipe over loopback TCP. The
// script is given every request; what it returns is sent as it stands, and nil
// closes the connection.
func fake(t *testing.T, script func(r request) []byte) *Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		nc, err := listener.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		in := newStream(nc, DefaultMaxMessage)
		for {
			message, err := in.next()
			if err != nil {
				return
			}
			r := NewReader(message)
			id := r.Int(TagInteger)
			op, body := r.Any()
			if op == opUnbind {
				return
			}
			answer := script(request{id, op, body})
			if answer == nil {
				return
			}
			if _, err := nc.Write(answer); err != nil {
				return
			}
		}
	})
	nc, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := New(nc, 0)
	t.Cleanup(func() {
		c.Close()
		listener.Close()
		served.Wait()
	})
	return c
}

// message encodes an LDAPMessage.
func message(id int64, parts ...[]byte) []byte {
	b, m := Begin(nil, TagSequence)
	b = AppendInt(b, TagInteger, id)
	for _, p := range parts {
		b = append(b, p...)
	}
	return End(b, m)
}

// result encodes an LDAPResult as the operation with the tag.
func result(tag byte, code int, text string) []byte {
	b, m := Begin(nil, tag)
	b = AppendInt(b, TagEnumerated, int64(code))
	b = AppendString(b, TagOctetString, "")
	b = AppendString(b, TagOctetString, text)
	return End(b, m)
}

// entry encodes a SearchResultEntry with one attribute.
func entry(dn, attr string, values ...string) []byte {
	b, m := Begin(nil, opSearchEntry)
	b = AppendString(b, TagOctetString, dn)
	b, list := Begin(b, TagSequence)
	b = AppendAttribute(b, attr, values)
	return End(End(b, list), m)
}

// search is a request that any fake understands.
func search() []byte {
	return AppendSearch(nil, Search{Base: "dc=example", Filter: AppendString(nil, 0x87, "objectClass")}, []string{"cn"})
}
