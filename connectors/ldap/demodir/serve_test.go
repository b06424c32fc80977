package demodir

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// wantDisconnect reads a notice of disconnection and the end of the connection.
func wantDisconnect(t *testing.T, conn net.Conn) {
	t.Helper()
	notice, err := ber.ReadPacket(conn)
	if err != nil {
		t.Fatalf("no notice of disconnection: %v", err)
	}
	if got := notice.Children[0].Value; got != int64(0) || !strings.HasPrefix(printAnswer(notice), "tag 24 code 2") {
		t.Errorf("message %v: %s", got, printAnswer(notice))
	}
	if rest, err := io.ReadAll(conn); len(rest) > 0 {
		t.Errorf("after the notice: %d octets, %v", len(rest), err)
	}
}

// TestServeEnds ends the context while connections are open, one idle, one
// under TLS and one in the middle of a long answer.
func TestServeEnds(t *testing.T) {
	serverSide, clientSide := certificate(t)
	before := runtime.NumGoroutine()
	d := New(Options{})
	if err := d.Load(Company()); err != nil {
		t.Fatal(err)
	}
	loadLong(t, d, 300)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx, listener, serverSide) }()

	idle := dialRaw(t, listener.Addr().String())
	busy := dialRaw(t, listener.Addr().String())
	secure, err := ldap.DialURL("ldaps://"+listener.Addr().String(), ldap.DialWithTLSConfig(clientSide))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secure.WhoAmI(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := busy.conn.Write(envelope(1, searchPacket(DefaultSuffix, 2, false, filterPacket(t, "(description=*)"))).Bytes()); err != nil {
		t.Fatal(err)
	}
	if _, err := ber.ReadPacket(busy.conn); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := idle.conn.Read(make([]byte, 1)); err == nil {
		t.Error("the idle connection is open")
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the port is open")
	}
	secure.Close()
	busy.conn.Close()
	// The goroutines of the clients end by themselves.
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
}

// loadLong adds entries whose values are so long that a search for all of them
// fills every buffer between server and client.
func loadLong(t *testing.T, d *Directory, n int) {
	t.Helper()
	var entries []Entry
	for i := range n {
		entries = append(entries, person(fmt.Sprintf("long%d", i), Attribute{"description", []string{strings.Repeat("x", 1<<16)}}))
	}
	if err := d.Load(entries); err != nil {
		t.Fatal(err)
	}
}

// TestLongAnswer sends a bind behind a search with a long answer, which the bind
// has to wait for, and then another behind such a search that is abandoned after
// its first entry.
func TestLongAnswer(t *testing.T) {
	const entries = 300
	d := New(Options{})
	if err := d.Load(Company()); err != nil {
		t.Fatal(err)
	}
	loadLong(t, d, entries)
	c := dialRaw(t, serve(t, d, nil))
	// What comes after the first entry and before the answer to the bind.
	ask := func(between ...*ber.Packet) (came, ended int) {
		if _, err := c.conn.Write(envelope(7, searchPacket(DefaultSuffix, 2, false, filterPacket(t, "(uid=long*)"))).Bytes()); err != nil {
			t.Fatal(err)
		}
		if _, err := ber.ReadPacket(c.conn); err != nil {
			t.Fatal(err)
		}
		for _, p := range append(between, envelope(9, bindPacket("", ""))) {
			if _, err := c.conn.Write(p.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
		for came = 1; ; {
			answer, err := ber.ReadPacket(c.conn)
			if err != nil {
				t.Fatal(err)
			}
			switch answer.Children[1].Tag {
			case ber.Tag(responseEntry & 0x1f):
				came++
			case ber.Tag(responseSearch & 0x1f):
				ended++
			case ber.Tag(responseBind & 0x1f):
				return came, ended
			}
		}
	}
	if came, ended := ask(); came != entries || ended != 1 {
		t.Errorf("before the bind %d entries and %d ends came, want %d and 1", came, ended, entries)
	}
	if came, ended := ask(envelope(8, text(16, ber.ClassApplication, "\x07"))); came >= entries || ended != 0 {
		t.Errorf("of the abandoned search %d entries and %d ends came, want fewer than %d and 0", came, ended, entries)
	}
}

// TestPipelined sends many requests at once, long answers among them, and wants
// one answer to each.
func TestPipelined(t *testing.T) {
	_, addr := start(t, Options{}, nil)
	fill := dial(t, addr)
	for i := range 3 * sendAtOnce {
		if err := fill.Add(addRequest(person(fmt.Sprint("p", i)))); err != nil {
			t.Fatal(err)
		}
	}
	c := dialRaw(t, addr)
	const requests = 3 * maxStreams
	go func() {
		for id := range int64(requests) {
			op := searchPacket(DefaultSuffix, 2, false, filterPacket(t, "(uid=*)"), "cn")
			if id%3 == 0 {
				op = comparePacket(personDN("mei.chen"), "sn", "chen")
			}
			if _, err := c.conn.Write(envelope(id+1, op).Bytes()); err != nil {
				t.Error(err)
			}
		}
	}()
	entries, ends := map[int64]int{}, map[int64]int{}
	for len(ends) < requests {
		answer, err := ber.ReadPacket(c.conn)
		if err != nil {
			t.Fatal(err)
		}
		id := answer.Children[0].Value.(int64)
		if answer.Children[1].Tag == ber.Tag(responseEntry&0x1f) {
			if ends[id] > 0 {
				t.Fatalf("an entry of %d after its end", id)
			}
			entries[id]++
		} else {
			ends[id]++
		}
	}
	for id := int64(1); id <= requests; id++ {
		want := 25 + 3*sendAtOnce
		if (id-1)%3 == 0 {
			want = 0
		}
		if entries[id] != want || ends[id] != 1 {
			t.Errorf("request %d: %d entries and %d ends, want %d and 1", id, entries[id], ends[id], want)
		}
	}
}

// TestGarbage sends what is no LDAP: the connection ends with a notice, others
// go on.
func TestGarbage(t *testing.T) {
	_, addr := start(t, Options{}, nil)
	other := dial(t, addr)
	deep := filterPacket(t, "(cn=x)")
	for range maxDepth {
		deep = sequence(2, ber.ClassContext, deep)
	}
	for what, message := range map[string]string{
		"another protocol":     "GET / HTTP/1.1\r\n\r\n",
		"a length over 16 MiB": "\x30\x84\x01\x00\x00\x01",
		"no definite length":   "\x30\x80\x02\x01\x01",
		"no operation":         "\x30\x03\x02\x01\x01",
		"message id 0":         "\x30\x06\x02\x01\x00\x4a\x01x",
		"an unknown operation": "\x30\x05\x02\x01\x01\x7e\x00",
		"a search cut short":   "\x30\x05\x02\x01\x01\x63\x00",
		"a response":           "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
	} {
		t.Run(what, func(t *testing.T) {
			c := dialRaw(t, addr)
			if _, err := c.conn.Write([]byte(message)); err != nil {
				t.Fatal(err)
			}
			wantDisconnect(t, c.conn)
		})
	}
	c := dialRaw(t, addr)
	if got := c.ask(searchPacket(DefaultSuffix, 2, false, deep)); len(got) != 1 || got[0] != `tag 5 code 2 ""` {
		t.Errorf("a filter nested too deep: %q", got)
	}
	if _, err := c.conn.Write(envelope(9, text(2, ber.ClassApplication, "")).Bytes()); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c.conn); len(rest) > 0 || err != nil {
		t.Errorf("after unbind: %d octets, %v", len(rest), err)
	}
	if _, err := other.WhoAmI(nil); err != nil {
		t.Errorf("another connection: %v", err)
	}
}

func TestBrokenOptions(t *testing.T) {
	for _, o := range []Options{{Suffix: "nonsense"}, {BindDN: "nonsense"}, {Unique: []string{"nope"}}, {Unique: []string{"description"}}} {
		d := New(o)
		if err := d.Load(nil); err == nil {
			t.Errorf("%+v: loaded", o)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Serve(context.Background(), listener, nil); err == nil {
			t.Errorf("%+v: served", o)
		}
	}
}

// TestRefusedRequests sends what is well-formed but can not be carried out: each
// is refused, and the connection goes on.
func TestRefusedRequests(t *testing.T) {
	_, addr := start(t, Options{}, nil)
	c := dialRaw(t, addr)
	everything := filterPacket(t, "(objectClass=*)")
	bind := func(version int, method *ber.Packet) *ber.Packet {
		return sequence(0, ber.ClassApplication, ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, version, ""), octets(""), method)
	}
	for _, test := range []struct {
		what string
		op   *ber.Packet
		with []*ber.Packet
		want string
	}{
		{"an old version", bind(2, text(0, ber.ClassContext, "")), nil, "tag 1 code 2"},
		{"SASL", bind(3, sequence(3, ber.ClassContext, octets("PLAIN"))), nil, "tag 1 code 7"},
		{"a bind with an unknown critical control", bindPacket("", ""), []*ber.Packet{controlPacket("1.2.3", true, nil)}, "tag 1 code 12"},
		{"an unknown extended operation", extendedPacket("1.2.3", nil), nil, "tag 24 code 2"},
		{"an invalid scope", searchPacket(DefaultSuffix, 7, false, everything), nil, "tag 5 code 2"},
		{"a modify operation from RFC 4525", modifyPacket(personDN("mei.chen"), 3, "title", "1"), nil, "tag 7 code 53"},
		{"an RDN of two", modifyDNPacket(personDN("mei.chen"), "uid=a,uid=b", true), nil, "tag 13 code 34"},
		{"an assertion that is no filter", deletePacket(personDN("mei.chen")), []*ber.Packet{controlPacket(controlAssertion, true, octets("x"))}, "tag 11 code 2"},
		{"an assertion without a value", deletePacket(personDN("mei.chen")), []*ber.Packet{controlPacket(controlAssertion, true, nil)}, "tag 11 code 2"},
		{"a pre-read that is no list", deletePacket(personDN("mei.chen")), []*ber.Packet{controlPacket(controlPreRead, false, octets("x"))}, "tag 11 code 2"},
		{"a page of a negative size", searchPacket(DefaultSuffix, 2, false, everything),
			[]*ber.Packet{controlPacket(controlPaged, true, seq(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, -1, ""), octets("")))}, "tag 5 code 2"},
		{"a dereference of what is no name", searchPacket(DefaultSuffix, 2, false, everything),
			[]*ber.Packet{controlPacket(controlDereference, true, seq(seq(octets("cn"), strs("cn"))))}, "tag 5 code 2"},
		{"one control twice", deletePacket(personDN("mei.chen")),
			[]*ber.Packet{controlPacket(controlAssertion, true, everything), controlPacket(controlAssertion, true, everything)}, "tag 11 code 2"},
		{"and still there", comparePacket(personDN("mei.chen"), "sn", "CHEN"), nil, "tag 15 code 6"},
	} {
		got := c.ask(test.op, test.with...)
		if len(got) != 1 || !strings.HasPrefix(got[0], test.want+" ") {
			t.Errorf("%s: %q, want %s", test.what, got, test.want)
		}
	}
}
