package demodir

import (
	"fmt"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// rawPacket is an element to send.
type rawPacket = ber.Packet

// rawClient sends messages that go-ldap can not, and shows answers whole.
type rawClient struct {
	t    *testing.T
	conn net.Conn
	id   int64
}

func dialRaw(t *testing.T, addr string) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &rawClient{t: t, conn: conn}
}

// bound returns a client that has bound as the one who may do everything.
func bound(t *testing.T, addr string) *rawClient {
	t.Helper()
	c := dialRaw(t, addr)
	if got := c.ask(bindPacket(rootDN, rootPassword)); len(got) != 1 || !strings.Contains(got[0], "code 0") {
		t.Fatalf("bind: %q", got)
	}
	return c
}

// ask sends a request and returns what comes up to the message that ends it,
// one printed message each.
func (c *rawClient) ask(op *ber.Packet, list ...*ber.Packet) []string {
	c.t.Helper()
	c.id++
	if _, err := c.conn.Write(envelope(c.id, op, list...).Bytes()); err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for {
		answer, err := ber.ReadPacket(c.conn)
		if err != nil {
			c.t.Fatalf("after %q: %v", out, err)
		}
		if answer.Children[0].Value != c.id {
			c.t.Fatalf("answer to %v, want %d", answer.Children[0].Value, c.id)
		}
		out = append(out, printAnswer(answer))
		if answer.Children[1].Tag != ber.Tag(responseEntry&0x1f) {
			return out
		}
	}
}

func envelope(id int64, op *ber.Packet, list ...*ber.Packet) *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	if len(list) > 0 {
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range list {
			controls.AppendChild(c)
		}
		p.AppendChild(controls)
	}
	return p
}

// printAnswer prints the operation of an answer with its controls.
func printAnswer(answer *ber.Packet) string {
	op := answer.Children[1]
	var b strings.Builder
	if op.Tag == ber.Tag(responseEntry&0x1f) {
		b.WriteString("entry " + printPacket(op))
	} else {
		fmt.Fprintf(&b, "tag %d code %v %q", op.Tag, op.Children[0].Value, op.Children[1].Value)
		for _, more := range op.Children[3:] {
			b.WriteString(" " + printPacket(more))
		}
	}
	if len(answer.Children) > 2 {
		for _, c := range answer.Children[2].Children {
			value := c.Children[len(c.Children)-1]
			fmt.Fprintf(&b, " control %v %s", c.Children[0].Value, printPacket(ber.DecodePacket(value.ByteValue)))
		}
	}
	return b.String()
}

func printPacket(p *ber.Packet) string {
	if p == nil {
		return "nothing"
	}
	head := fmt.Sprintf("%02x", uint64(p.ClassType)|uint64(p.TagType)|uint64(p.Tag))
	if p.TagType == ber.TypePrimitive {
		return fmt.Sprintf("%s:%q", head, p.Data.String())
	}
	parts := make([]string, len(p.Children))
	for i, child := range p.Children {
		parts[i] = printPacket(child)
	}
	return head + "{" + strings.Join(parts, " ") + "}"
}

func text(tag ber.Tag, class ber.Class, s string) *ber.Packet {
	p := ber.Encode(class, ber.TypePrimitive, tag, nil, "")
	p.Data.WriteString(s)
	return p
}

func octets(s string) *ber.Packet { return text(ber.TagOctetString, ber.ClassUniversal, s) }

func sequence(tag ber.Tag, class ber.Class, list ...*ber.Packet) *ber.Packet {
	p := ber.Encode(class, ber.TypeConstructed, tag, nil, "")
	for _, child := range list {
		p.AppendChild(child)
	}
	return p
}

func seq(list ...*ber.Packet) *ber.Packet {
	return sequence(ber.TagSequence, ber.ClassUniversal, list...)
}

func strs(list ...string) *ber.Packet {
	p := seq()
	for _, s := range list {
		p.AppendChild(octets(s))
	}
	return p
}

func enum(n int) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, n, "")
}

func whether(b bool) *ber.Packet {
	return ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, b, "")
}

func controlPacket(oid string, critical bool, value *ber.Packet) *ber.Packet {
	p := seq(octets(oid))
	if critical {
		p.AppendChild(whether(true))
	}
	if value != nil {
		p.AppendChild(octets(string(value.Bytes())))
	}
	return p
}

func filterPacket(t *testing.T, filter string) *ber.Packet {
	t.Helper()
	p, err := ldap.CompileFilter(filter)
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	return p
}

func bindPacket(name, password string) *ber.Packet {
	return sequence(0, ber.ClassApplication, ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, ""),
		octets(name), text(0, ber.ClassContext, password))
}

func attributesPacket(list []Attribute) *ber.Packet {
	p := seq()
	for _, a := range list {
		p.AppendChild(seq(octets(a.Name), sequence(ber.TagSet, ber.ClassUniversal, strs(a.Values...).Children...)))
	}
	return p
}

func addPacket(e Entry) *ber.Packet {
	return sequence(8, ber.ClassApplication, octets(e.DN), attributesPacket(e.Attributes))
}

func modifyPacket(name string, operation int, attr string, values ...string) *ber.Packet {
	return sequence(6, ber.ClassApplication, octets(name),
		seq(seq(enum(operation), attributesPacket([]Attribute{{attr, values}}).Children[0])))
}

func deletePacket(name string) *ber.Packet { return text(10, ber.ClassApplication, name) }

func modifyDNPacket(name, to string, deleteOld bool) *ber.Packet {
	return sequence(12, ber.ClassApplication, octets(name), octets(to), whether(deleteOld))
}

func comparePacket(name, attr, value string) *ber.Packet {
	return sequence(14, ber.ClassApplication, octets(name), strs(attr, value))
}

func searchPacket(base string, scope int, typesOnly bool, filter *ber.Packet, attrs ...string) *ber.Packet {
	zero := func() *ber.Packet {
		return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, "")
	}
	return sequence(3, ber.ClassApplication, octets(base), enum(scope), enum(0), zero(), zero(), whether(typesOnly), filter, strs(attrs...))
}

func extendedPacket(oid string, value *ber.Packet) *ber.Packet {
	p := sequence(23, ber.ClassApplication, text(0, ber.ClassContext, oid))
	if value != nil {
		p.AppendChild(text(1, ber.ClassContext, string(value.Bytes())))
	}
	return p
}
