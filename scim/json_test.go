package scim

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// decoded turns nodes into what encoding/json would make of them.
func decoded(d *decoder, at int) any {
	switch n := d.nodes[at]; n.kind {
	case '{':
		m := map[string]any{}
		for k, i := range d.members(at) {
			m[k] = decoded(d, i)
		}
		return m
	case '[':
		l := []any{}
		for i := range d.children(at) {
			l = append(l, decoded(d, i))
		}
		return l
	case '"':
		return n.text
	case '0':
		return json.Number(n.text)
	case 'n':
		return nil
	default:
		return n.kind == 't'
	}
}

// checkJSON compares the reader with encoding/json: what it takes is valid and
// reads the same, and what it refuses is invalid or one of the things that it is
// stricter about.
func checkJSON(t interface {
	Helper()
	Fatalf(string, ...any)
}, body []byte) {
	t.Helper()
	doc, err := parseJSON(body)
	if err != nil {
		for _, stricter := range []string{"given twice", "NUL in", "surrogate", "nested deeper", "not valid UTF-8", "not a JSON object"} {
			if strings.Contains(err.Error(), stricter) {
				return
			}
		}
		if json.Valid(body) {
			t.Fatalf("valid JSON is refused: %v in %q", err, body)
		}
		return
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	var want any
	if err := dec.Decode(&want); err != nil || !json.Valid(body) {
		t.Fatalf("invalid JSON is accepted: %v in %q", err, body)
	}
	if got := decoded(&decoder{document: doc}, 0); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is read as %v, want %v", body, got, want)
	}
	if members, elements := count(want); doc.members != members || doc.elements != elements {
		t.Fatalf("%q has %d members and %d elements, want %d and %d", body, doc.members, doc.elements, members, elements)
	}
}

func count(x any) (members, elements int) {
	switch x := x.(type) {
	case map[string]any:
		members = len(x)
		for _, e := range x {
			m, n := count(e)
			members, elements = members+m, elements+n
		}
	case []any:
		elements = len(x)
		for _, e := range x {
			m, n := count(e)
			members, elements = members+m, elements+n
		}
	}
	return members, elements
}

func TestJSONReaderAgreesWithEncodingJSON(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"{", "}", "[", "]", ",", ":", `"a"`, `"b"`, `"A"`, "1", "-0", "0.5", "1e9", "01", "-", ".5", "1.", "1e", "true", "false",
		"null", "nul", " ", "\n", `"\u00e9"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\x"`, "\"\t\"", `"é"`, `"\/\b\f\n\r\t\"\\"`, `"`, `{"a":1}`, `[1,2]`, `"\u12"`, `"\u0000"`})
	rapid.Check(t, func(t *rapid.T) {
		checkJSON(t, []byte("{"+strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(t, "pieces"), "")+"}"))
	})
	rapid.Check(t, func(t *rapid.T) {
		checkJSON(t, []byte(`{"a":[`+strings.Join(rapid.SliceOfN(pieces, 0, 6).Draw(t, "pieces"), ",")+"]}"))
	})
}

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"":                   `""`,
		"plain":              `"plain"`,
		"\x00\x01\x1f\n\r\t": `"\u0000\u0001\u001f\n\r\t"`,
		`q"b\s/`:             `"q\"b\\s/"`,
		"\u2028\u2029":       `"\u2028\u2029"`,
		"é😀\u007f":           "\"é😀\u007f\"",
		"a\xffb\xc3":         "\"a\uFFFDb\uFFFD\"",
		"<&>":                `"<&>"`,
		"\uFFFD":             "\"\uFFFD\"",
		"\xed\xa0\x80":       "\"\uFFFD\uFFFD\uFFFD\"",
	} {
		if got := string(appendString(nil, in)); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		var got string
		if err := json.Unmarshal(appendString(nil, in), &got); err != nil {
			t.Fatal(err)
		}
		want := strings.Map(func(r rune) rune { return r }, in)
		if !utf8.ValidString(in) {
			want = string([]rune(in))
		}
		if got != want {
			t.Fatalf("%q comes back as %q", in, got)
		}
	})
}

func TestAppendFloat(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 1: "1", -1.5: "-1.5", 100000000: "100000000", 1e21: "1e+21", 1e-7: "1e-07", 0.000001: "0.000001"} {
		if got := string(appendFloat(nil, in)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "f")
		if Dec(f).IsAbsent() {
			return
		}
		text := appendFloat(nil, f)
		got, err := strconv.ParseFloat(string(text), 64)
		if err != nil || got != f || !json.Valid(text) {
			t.Fatalf("%v is %s: %v", f, text, err)
		}
	})
}

// TestTooManyNodes sends a body that is small for what it would take to hold it.
func TestTooManyNodes(t *testing.T) {
	rt := userType(t)
	body := []byte(`{"x":[` + strings.Repeat("1,", maxNodes) + `1]}`)
	_, err := DecodeResource(rt, body, DecodeOptions{})
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 413 || !strings.Contains(e.Detail, "1000000") {
		t.Errorf("%v, want 413 naming the limit", err)
	}
}

// TestUnmappedActive refuses to pass over that a user be deactivated.
func TestUnmappedActive(t *testing.T) {
	core := UserSchema().Prune(func(a *Attribute) bool { return a.Name != "active" })
	rt, err := NewResourceType("User", "/Users", "", core)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{`false`, `"False"`} {
		if _, err := DecodePatch(rt, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":`+value+`}}]}`), DecodeOptions{}); err == nil {
			t.Errorf("a PATCH with active %s is passed over", value)
		}
		if _, err := DecodeResource(rt, []byte(`{"userName":"x","urn:ietf:params:scim:schemas:core:2.0:User:active":`+value+`}`), DecodeOptions{}); err == nil {
			t.Errorf("a resource with active %s is passed over", value)
		}
	}
	if _, err := DecodeResource(rt, []byte(`{"userName":"x","active":true}`), DecodeOptions{}); err != nil {
		t.Errorf("a resource with active true: %v", err)
	}
}
