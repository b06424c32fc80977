package scim

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Bodies that are made to cost something are answered in a space that is a small
// multiple of their length, whatever they are: the reader goes over a body once.
func TestHostileBodies(t *testing.T) {
	const n = 1 << 20
	rep := strings.Repeat
	var names, roles strings.Builder
	for i := range n / 16 {
		names.WriteString(`"name` + strconv.Itoa(i) + `":0,`)
	}
	for i := range 900 {
		roles.WriteString(`"{\"value\":\"` + strconv.Itoa(i) + rep("{", n/1000) + `\"}",`)
	}
	for name, tt := range map[string]struct{ body, want string }{
		"arrays":               {`{"x":` + rep("[", n), "400 invalidSyntax: body is not valid JSON: nested deeper than 64"},
		"objects":              {rep(`{"x":`, n/5), "400 invalidSyntax: body is not valid JSON: nested deeper than 64"},
		"closed arrays":        {`{"x":` + rep("[", n/2) + rep("]", n/2) + `}`, "400 invalidSyntax: body is not valid JSON: nested deeper than 64"},
		"wide arrays":          {`{"x":[` + rep("[],", n/3) + `[]]}`, ""},
		"too many values":      {`{"x":[` + rep("0,", n) + `0]}`, "413 : the body has more than the limit of 1000000 names and values"},
		"names":                {`{"x":{` + names.String() + `"z":0}}`, ""},
		"names that are equal": {`{"x":{` + names.String() + `"NAME7":0}}`, `400 invalidSyntax: body is not valid JSON: name "NAME7" is given twice`},
		"a long string":        {`{"userName":"` + rep("x", n) + `"}`, ""},
		"an open string":       {`{"userName":"` + rep("x", n), "400 invalidSyntax: body is not valid JSON: unexpected end"},
		"escapes":              {`{"userName":"` + rep(`\u0041`, n/6) + `"}`, ""},
		"open escapes":         {`{"userName":"` + rep(`\n`, n/2), "400 invalidSyntax: body is not valid JSON: unexpected end"},
		"a long name":          {`{"` + rep("x", n) + `":0}`, ""},
		"two long names":       {`{"` + rep("x", n) + `":0,"` + rep("X", n) + `":0}`, `400 invalidSyntax: body is not valid JSON: name "XXX`},
		"a long integer":       {`{"active":` + rep("9", n) + `}`, `400 invalidValue: attribute "active" takes a boolean, not a number`},
		"invalid UTF-8":        {`{"userName":"` + rep("x", n) + "\xff\"}", "400 invalidSyntax: body is not valid UTF-8"},
		"spaces":               {rep(" ", n), "400 invalidSyntax: body is not valid JSON: unexpected end"},
		"commas":               {`{` + rep(",", n) + `}`, `400 invalidSyntax: body is not valid JSON: unexpected ',' where a name is expected`},
		"JSON in strings":      {`{"roles":[` + roles.String() + `"x"]}`, ""},
		"dotted names":         {`{"name.` + rep("x.", n/2) + `y":0}`, ""},
		"elements":             {`{"emails":[` + rep(`{},`, n/3) + `{}]}`, `400 invalidValue: attribute "emails" takes at most 1000 values`},
	} {
		rt := userType(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := DecodeResource(rt, []byte(tt.body), DecodeOptions{Dialect: lenient, Ignored: func(string) {}})
		runtime.ReadMemStats(&after)
		switch {
		case err == nil && tt.want != "":
			t.Errorf("%s: accepted as %.80s", name, r)
		case err != nil && (tt.want == "" || !strings.HasPrefix(problem(err), tt.want) || len(problem(err)) > 1000):
			t.Errorf("%s: %.1000s", name, problem(err))
		}
		if spent, most := after.TotalAlloc-before.TotalAlloc, uint64(100*len(tt.body)); spent > most {
			t.Errorf("%s: %d bytes for a body of %d", name, spent, len(tt.body))
		}
	}
}

// A body of long strings takes hardly more than its length, and one of many values
// is read without making room for them twice.
func TestRoomForValues(t *testing.T) {
	long := []byte(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := parseJSON(long)
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; err != nil || spent > 2*uint64(len(long)) {
		t.Errorf("%d bytes for a string of %d: %v", spent, len(long), err)
	}
	for _, body := range []string{`{}`, `{"a":[1,{"b":[]},"x"],"c":{"d":null}}`, `{"x":[` + strings.Repeat("1,", 100_000) + `1]}`} {
		doc, err := parseJSON([]byte(body))
		if err != nil || cap(doc.nodes) > mostNodes(body) {
			t.Errorf("%.40s: room for %d values, there are %d: %v", body, cap(doc.nodes), len(doc.nodes), err)
		}
	}
}

// What is not JSON, or more than two readers could agree on, is refused.
func TestJSONRefused(t *testing.T) {
	rt := thingType(t)
	for _, value := range []string{
		`NaN`, `Infinity`, `-Infinity`, `+1`, `01`, `-01`, `1.`, `.5`, `-`, `1e`, `1e+`, `0x10`, `1_000`, `1 2`, `--1`, `True`, `nil`, `undefined`, `'x'`, `"x`, `x"`,
		`"\u0000"`, `"\ud800"`, `"\udc00"`, `"\udc00\ud800"`, `"\ud800x"`, `"\ud800\u0041"`, `"\uD83D\n"`, `"\u12"`, `"\u 123"`, `"\x41"`, `"\"`, "\"\x00\"", "\"\n\"", "\"\x1f\"",
		"\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\x80\"", "\"\xe2\x82\"", `[1,]`, `[,1]`, `[1 2]`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{"a":}`, `/* */1`, `1//`, "\ufeff1",
	} {
		_, err := DecodeResource(rt, []byte(`{"unknown":`+value+`}`), DecodeOptions{})
		if err == nil || !strings.HasPrefix(problem(err), "400 invalidSyntax: body is not valid ") {
			t.Errorf("%q: %v", value, err)
		}
	}
	for _, body := range []string{"\ufeff{}", "{}\x00", "{}{}", "{},", "null", "true", "1", `"{}"`, "", " ", "\xff"} {
		_, err := DecodeResource(rt, []byte(body), DecodeOptions{})
		if err == nil || !strings.HasPrefix(problem(err), "400 invalidSyntax: body is not ") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// A bulk request that names one resource again and again, out of a ring of many, is
// planned without going through all of the names for each of these.
func TestHostileBulk(t *testing.T) {
	const ring, names = 999, 100_000
	ops := make([]string, 0, ring+1)
	for i := range ring {
		ops = append(ops, post(strconv.Itoa(i), strconv.Itoa(i+1)))
	}
	data := strings.Repeat(`"bulkId:`+strconv.Itoa(ring-1)+`",`, names)
	for i := range ring {
		data += `"bulkId:` + strconv.Itoa(i) + `",`
	}
	ops = append(ops, `{"method":"POST","path":"/Groups","bulkId":"`+strconv.Itoa(ring)+`","data":{"x":[`+data+`""]}}`)
	b, err := DecodeBulk(bulkBody(ops...), ring+1, Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	steps := b.Steps()
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("planned in %v", took)
	}
	if last := steps[len(steps)-1]; len(steps) != ring+2 || !last.Complete || last.Index != ring || len(steps[0].Left) != ring {
		t.Errorf("%d steps, the first leaves out %d, the last is %v", len(steps), len(steps[0].Left), last)
	}
}

// A PATCH whose operations walk through many elements again and again is
// refused before it has cost much.
func TestPatchSteps(t *testing.T) {
	group := largeGroup(t, 20_000)
	var ops []string
	for i := range maxOperations {
		ops = append(ops, `{"op":"remove","path":"members[value eq \"x`+strconv.Itoa(i)+`\" and type eq \"User\"]"}`)
	}
	p, err := DecodePatch(group.Type, []byte(`{"Operations":[`+strings.Join(ops, ",")+`]}`), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply(group); err == nil || problem(err) != "413 : the PATCH takes too many steps: send it in parts" {
		t.Errorf("%d operations on 20000 members: %v", len(p.Ops), err)
	}
	p.Ops = p.Ops[:maxSteps/20_000/3]
	if out, err := p.Apply(group); err != nil || out != group {
		t.Errorf("%d operations on 20000 members: %v", len(p.Ops), err)
	}
}
