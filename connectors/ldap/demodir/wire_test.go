package demodir

import (
	"math"
	"slices"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"pgregory.net/rapid"
)

// TestEncoder reads what the encoder writes with another decoder and with ours.
func TestEncoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringN(0, 300, 70_000), 0, 5).Draw(t, "texts")
		long := string(make([]byte, rapid.SampledFrom([]int{0, 1, 127, 128, 255, 256, 65535, 65536}).Draw(t, "length")))
		number := rapid.IntRange(math.MinInt32, math.MaxInt32).Draw(t, "number")
		var e encoder
		outer := e.begin(tagSequence)
		e.number(tagInteger, number)
		e.texts(tagSet, texts)
		e.text(0x8a, long)
		e.end(outer)

		theirs, err := ber.DecodePacketErr(e.out)
		if err != nil {
			t.Fatal(err)
		}
		if theirs.Children[0].Value != int64(number) || len(theirs.Children[1].Children) != len(texts) || theirs.Children[2].Data.String() != long {
			t.Fatalf("another decoder reads %v", theirs)
		}
		in, err := (&decoder{e.out}).inside(tagSequence)
		if err != nil {
			t.Fatal(err)
		}
		gotNumber, err := in.number(tagInteger)
		if err != nil || gotNumber != number {
			t.Fatalf("number %d, %v", gotNumber, err)
		}
		gotTexts, err := in.texts(tagSet)
		if err != nil || !slices.Equal(gotTexts, texts) {
			t.Fatalf("texts %q, %v", gotTexts, err)
		}
		gotLong, err := in.text(0x8a)
		if err != nil || gotLong != long || !in.empty() {
			t.Fatalf("%d octets, %v", len(gotLong), err)
		}
	})
}

func TestDecoderRefuses(t *testing.T) {
	for what, octets := range map[string]string{
		"nothing":                "",
		"a tag alone":            "\x04",
		"too few octets":         "\x04\x02x",
		"an indefinite length":   "\x24\x80\x00\x00",
		"a length of 5 octets":   "\x04\x85\x00\x00\x00\x00\x01x",
		"a length cut short":     "\x04\x82\x01",
		"a length of 4 GiB":      "\x04\x84\xff\xff\xff\xff",
		"a tag of many octets":   "\x1f\x81\x01\x00",
		"an integer for a text":  "\x02\x01\x01",
		"the long form, no more": "\x04\x81",
	} {
		if got, err := (&decoder{[]byte(octets)}).text(tagString); err == nil {
			t.Errorf("%s: read %q", what, got)
		}
	}
	if got, err := (&decoder{[]byte("\x04\x84\x00\x00\x00\x01x")}).text(tagString); err != nil || got != "x" {
		t.Errorf("a length longer than it must be: %q, %v", got, err)
	}
	for _, octets := range []string{"\x02\x00", "\x02\x05\x00\x00\x00\x00\x01"} {
		if got, err := (&decoder{[]byte(octets)}).number(tagInteger); err == nil {
			t.Errorf("integer %x: read %d", octets, got)
		}
	}
}
