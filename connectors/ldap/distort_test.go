package ldap_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"postern/connectors"
	"postern/connectors/ldap"
)

// A lie is what becomes of one message of the server's.
type lie struct {
	message int // counted from the first that the relay passes on
	kind    lieKind
	at      int    // where in the message, modulo its length
	bytes   []byte // what is put there
}

type lieKind int

const (
	overwritten lieKind = iota
	inserted
	removed   // from at on, as many bytes as there are in bytes
	truncated // and the connection ends
	repeated
	swallowed
	replaced  // the whole message
	misquoted // one element inside gets another tag, and lengths stay right
	resized   // one element inside gets other content, and lengths are made right
	lieKinds
)

// tell carries out the lie. The last result says that nothing follows.
func (l lie) tell(message []byte) ([]byte, bool) {
	at := l.at % len(message)
	switch l.kind {
	case overwritten:
		copy(message[at:], l.bytes)
	case inserted:
		message = append(message[:at:at], append(bytes.Clone(l.bytes), message[at:]...)...)
	case removed:
		message = append(message[:at:at], message[min(len(message), at+len(l.bytes)):]...)
	case truncated:
		return message[:at], true
	case repeated:
		message = append(message, message...)
	case swallowed:
		return nil, false
	case replaced:
		return l.bytes, false
	case misquoted, resized:
		p := ber.DecodePacket(message)
		var parts []*ber.Packet
		collect(p, &parts)
		part := parts[l.at%len(parts)]
		if l.kind == misquoted {
			for _, b := range l.bytes {
				part.Tag = ber.Tag(b & 0x1f)
			}
		} else {
			part.Children, part.TagType = nil, ber.TypePrimitive
			part.ByteValue, part.Value = l.bytes, nil
			part.Data = bytes.NewBuffer(l.bytes)
		}
		return encode(p), false
	}
	return message, false
}

// collect lists a packet and everything in it.
func collect(p *ber.Packet, into *[]*ber.Packet) {
	*into = append(*into, p)
	for _, c := range p.Children {
		collect(c, into)
	}
}

// encode writes a packet whose elements were changed, with lengths that are right.
func encode(p *ber.Packet) []byte {
	content := p.Data.Bytes()
	if len(p.Children) > 0 {
		content = nil
		for _, c := range p.Children {
			content = append(content, encode(c)...)
		}
	}
	out := []byte{byte(p.ClassType) | byte(p.TagType) | byte(p.Tag), 0x84, byte(len(content) >> 24), byte(len(content) >> 16), byte(len(content) >> 8), byte(len(content))}
	return append(out, content...)
}

// A liar stands between a client and a server without TLS and distorts what the
// server says, until it is told to be honest.
type liar struct {
	listener net.Listener
	target   string
	done     sync.WaitGroup

	mu   sync.Mutex
	lies []lie
	seen int
	open map[net.Conn]struct{}
}

func startLiar(t testing.TB, target string) *liar {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{listener: listener, target: target, open: map[net.Conn]struct{}{}}
	l.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			l.done.Go(func() { l.serve(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		l.cut()
		l.done.Wait()
	})
	return l
}

func (l *liar) url() string { return "ldap://" + l.listener.Addr().String() }

// lie distorts what comes from now on; no lies at all is honesty.
func (l *liar) lie(lies ...lie) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lies, l.seen = lies, 0
}

// cut ends all connections.
func (l *liar) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.Close()
	}
}

func (l *liar) keep(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
}

func (l *liar) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	c.Close()
}

func (l *liar) serve(client net.Conn) {
	l.keep(client)
	defer l.drop(client)
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	l.keep(server)
	defer l.drop(server)
	l.done.Go(func() {
		defer client.Close()
		for {
			p, err := ber.ReadPacket(server)
			if err != nil {
				return
			}
			message, last := l.distort(p.Bytes())
			if _, err := client.Write(message); err != nil || last {
				return
			}
		}
	})
	io.Copy(server, client)
}

func (l *liar) distort(message []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.seen
	l.seen++
	for _, lie := range l.lies {
		if lie.message == n {
			return lie.tell(message)
		}
	}
	return message, false
}

func drawLies(t *rapid.T) []lie {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lie {
		return lie{
			message: rapid.IntRange(0, 40).Draw(t, "message"),
			kind:    lieKind(rapid.IntRange(0, int(lieKinds)-1).Draw(t, "kind")),
			at:      rapid.IntRange(0, 2000).Draw(t, "at"),
			bytes:   rapid.SliceOfN(rapid.Byte(), 1, 12).Draw(t, "bytes"),
		}
	}), 1, 4).Draw(t, "lies")
}

// FuzzServer holds that no server, whatever it says, crashes the connector, holds
// a caller for longer than their context, or makes it useless: when the server is
// honest again, the connector tells the truth again. `go test -fuzz FuzzServer`
// goes on for as long as it is let.
func FuzzServer(f *testing.F) {
	prop := distorted(f)
	f.Fuzz(rapid.MakeFuzz(prop))
}

// TestDistorted does the same for a while.
func TestDistorted(t *testing.T) {
	rapid.Check(t, distorted(t))
}

func distorted(t testing.TB) func(*rapid.T) {
	d := demo(t)
	relay := startLiar(t, d.URL[len("ldap://"):])
	truth := d.open(t, d.config(d.URL))
	t.Cleanup(func() { truth.Close() })
	want := []connectors.Attr{"uid", "cn", "manager", "memberOf", "member"}
	users := collection(t, truth, "User")
	ada, err := users.Create(context.Background(), d.user("honest.ada"), want)
	if err != nil {
		t.Fatal(err)
	}
	config := d.config(relay.url())
	config.PageSize = 3

	return func(rt *rapid.T) {
		relay.lie(drawLies(rt)...)
		late := rapid.Bool().Draw(rt, "after the first contact")
		if late {
			relay.lie()
		}
		opened, err := ldap.Open(context.Background(), config, []ldap.Collection{d.users, d.groups}, zerolog.Nop())
		if err != nil {
			return
		}
		defer opened.Close()
		if late {
			relay.lie(drawLies(rt)...)
		}
		c, _ := opened.Collection("User")
		groups, _ := opened.Collection("Group")
		ctx := func() context.Context {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			rt.Cleanup(cancel)
			return ctx
		}
		made := connectors.Anchor("")
		for range rapid.IntRange(1, 4).Draw(rt, "operations") {
			switch rapid.IntRange(0, 5).Draw(rt, "operation") {
			case 0:
				c.Get(ctx(), ada.Anchor, want)
			case 1:
				for range c.Search(ctx(), connectors.Query{Want: want}) {
				}
			case 2:
				for range groups.Search(ctx(), connectors.Query{Want: want}) {
				}
			case 3:
				if e, err := c.Create(ctx(), d.user(connectors.Value(rapid.StringMatching(`[a-z]{12}`).Draw(rt, "name"))), want); err == nil {
					made = e.Anchor
				}
			case 4:
				c.Apply(ctx(), ada.Anchor, []connectors.Change{{Attr: "description", Add: value("x")}}, connectors.Guard{}, want)
			case 5:
				if made != "" {
					c.Delete(ctx(), made, connectors.Guard{})
				}
			}
		}
		relay.lie()
		relay.cut()
		if !late {
			return // what the server said of itself may have been believed
		}
		ldap.Forget(opened)
		comesBack(rt, c, ada.Anchor, want)
	}
}

// comesBack waits until an object is read again, and has its name then.
func comesBack(t *rapid.T, users connectors.Connector, a connectors.Anchor, want []connectors.Attr) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		e, err := users.Get(context.Background(), a, want)
		if err == nil {
			if got := e.Field("uid"); len(got.Values) != 1 || got.Values[0] != "honest.ada" {
				t.Fatalf("with an honest server again: %v", e)
			}
			return
		}
		<-tick.C
	}
	t.Fatal("the connector does not come back when the server is honest again")
}
