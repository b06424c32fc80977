package wire

import (
	"bytes"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"pgregory.net/rapid"
)

func TestAppendInt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64().Draw(t, "v")
		b := AppendInt(nil, TagInteger, v)
		r := NewReader(string(b))
		if got := r.Int(TagInteger); got != v || r.Err() != nil || r.More() {
			t.Fatalf("%d is encoded as %x and read as %d, %v", v, b, got, r.Err())
		}
		p, err := ber.DecodePacketErr(b)
		if err != nil || p.Value != v {
			t.Fatalf("%d is encoded as %x, which is %v, %v", v, b, p.Value, err)
		}
		if n := len(b) - 2; n > 1 && (b[2] == 0 && b[3] < 0x80 || b[2] == 0xff && b[3] >= 0x80) {
			t.Fatalf("%d is encoded as %x, which is not the shortest", v, b)
		}
	})
}

// TestEnd encodes nested elements of all sizes round those where the length
// takes another byte.
func TestEnd(t *testing.T) {
	for _, n := range []int{0, 1, 120, 124, 125, 126, 127, 128, 129, 130, 250, 253, 255, 256, 257, 65530, 65535, 65536, 1 << 20} {
		content := strings.Repeat("x", n)
		b, outer := Begin([]byte("before"), TagSequence)
		b, inner := Begin(b, TagSet)
		b = AppendString(b, TagOctetString, content)
		b = AppendBool(b, TagBoolean, true)
		b = End(End(b, inner), outer)
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Fatalf("%d: what was there is gone", n)
		}
		r := NewReader(string(b[len("before"):]))
		seq := r.Sub(TagSequence)
		set := seq.Sub(TagSet)
		got, truth := set.Read(TagOctetString), set.Bool(TagBoolean)
		if got != content || !truth || set.Err() != nil || r.More() || seq.More() || set.More() {
			t.Errorf("%d: read %d bytes, %v, %v", n, len(got), truth, set.Err())
		}
		p, err := ber.DecodePacketErr(b[len("before"):])
		if err != nil || len(p.Children) != 1 || len(p.Children[0].Children) != 2 {
			t.Errorf("%d: another decoder says %v", n, err)
		}
	}
}

// FuzzMessage reads arbitrary bytes as a stream of messages, and each message as
// everything that a message can be. Nothing may panic or read out of bounds.
func FuzzMessage(f *testing.F) {
	f.Add(message(1, entry("cn=a,dc=b", "cn", "a", "b")))
	f.Add(message(2, result(opSearchDone, SizeLimitExceeded, "limit")))
	withControls, m := BeginControls(result(opModifyResponse, 0, ""))
	withControls = AppendPaging(withControls, 10, "cookie")
	withControls = AppendPostRead(withControls, []string{"cn"})
	f.Add(message(3, EndControls(withControls, m)))
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		in := newStream(bytes.NewReader(data), 1<<16)
		for {
			m, err := in.next()
			if err != nil {
				return
			}
			r := NewReader(m)
			r.Int(TagInteger)
			rest := r.rest
			if rest == "" {
				continue
			}
			if res, err := parseResult(rest); err == nil {
				res.Controls.Cookie()
				res.Controls.PolicyError()
				if e, ok := res.Controls.PostRead(); ok {
					walk(t, e)
				}
			}
			if e, err := ParseEntry(rest); err == nil {
				walk(t, e)
			}
		}
	})
}

// walk reads all of an entry, which was checked and so can not be malformed.
func walk(t *testing.T, e Entry) {
	size := 0
	for name, values := range e.Attributes() {
		size += len(name)
		n := 0
		for v := range values.All() {
			size += len(v)
			n++
		}
		if n != values.Len() {
			t.Fatal("two counts of values")
		}
	}
	if size > len(e.attributes) {
		t.Fatal("more came out than went in")
	}
	r := NewReader(e.attributes)
	for r.More() {
		r.Any()
	}
	if r.Err() != nil {
		t.Fatal("a checked entry is malformed")
	}
}

// FuzzReader compares what is read with another decoder, where both read it.
func FuzzReader(f *testing.F) {
	f.Add([]byte{2, 1, 5})
	f.Add([]byte{4, 0x81, 3, 'a', 'b', 'c'})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(string(data))
		tag, content := r.Any()
		p, err := ber.DecodePacketErr(data)
		if r.Err() != nil || err != nil || tag&0x20 != 0 {
			return
		}
		if want := p.ByteValue; tag == TagOctetString && !bytes.Equal(want, []byte(content)) {
			t.Errorf("read %x, another decoder %x", content, want)
		}
	})
}

func TestControls(t *testing.T) {
	b, m := BeginControls(nil)
	b = AppendAssertion(b, AppendString(nil, 0x87, "cn"))
	b = AppendPaging(b, 7, "more")
	b = EndControls(b, m)
	r := NewReader(string(b))
	cs := Controls(r.Read(tagControls))
	if cookie, err := cs.Cookie(); cookie != "more" || err != nil {
		t.Errorf("cookie %q, %v", cookie, err)
	}
	if v, ok := cs.Value(ControlAssertion); !ok || v != "\x87\x02cn" {
		t.Errorf("assertion %q, %v", v, ok)
	}
	if !bytes.Contains(b, []byte(ControlAssertion+"\x01\x01\xff")) {
		t.Errorf("%x is not marked critical as RFC 4511 §5.1 has it", b)
	}
	if _, ok := cs.Value(ControlPostRead); ok {
		t.Error("found a control that is not there")
	}
	if b, m := BeginControls([]byte{1}); len(EndControls(b, m)) != 1 {
		t.Error("no controls at all leave something behind")
	}
}

// TestPolicyError has the values of draft-behera-ldap-password-policy-10 §6.2.
func TestPolicyError(t *testing.T) {
	for value, want := range map[string]int{
		"\x30\x03\x81\x01\x06":                     PolicyTooShort,
		"\x30\x08\xa0\x03\x80\x01\x05\x81\x01\x08": PolicyInHistory, // after a warning
		"\x30\x00":                     -1,
		"\x30\x05\xa0\x03\x80\x01\x05": -1,
		"\x30\x03\x81\x02\x06":         -1, // cut off
		"":                             -1,
	} {
		b, m := BeginControls(nil)
		b, o := BeginControl(b, ControlPolicy, false)
		b = EndControls(EndControl(append(b, value...), o), m)
		r := NewReader(string(b))
		got, ok := Controls(r.Read(tagControls)).PolicyError()
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%x tells the error %d, want %d", value, got, want)
		}
	}
	if _, ok := Controls("").PolicyError(); ok {
		t.Error("no control tells an error")
	}
}
