package scim

import (
	"encoding/base64"
	"math"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

func TestValue(t *testing.T) {
	a := &Attribute{Name: "a"}
	for _, tt := range []struct {
		v    Value
		kind Kind
		len  int
	}{
		{Value{}, Absent, 0},
		{Str(""), Absent, 0},
		{Str("x"), KindString, 1},
		{Bool(false), KindBoolean, 1},
		{Int(0), KindInteger, 1},
		{Dec(0), KindDecimal, 1},
		{Dec(math.NaN()), Absent, 0},
		{Dec(math.Inf(-1)), Absent, 0},
		{Obj(nil), Absent, 0},
		{Obj(Object{{a, Int(1)}}), KindComplex, 1},
		{List(), Absent, 0},
		{List(Value{}, Str("")), Absent, 0},
		{List(Str("x"), Value{}, Str("y")), KindList, 2},
		{List(Str("x")), KindList, 1},
	} {
		if tt.v.Kind() != tt.kind || tt.v.Len() != tt.len || len(tt.v.Items()) != tt.len || tt.v.IsAbsent() != (tt.kind == Absent) {
			t.Errorf("%s: kind %d, length %d", tt.v, tt.v.Kind(), tt.v.Len())
		}
		// What a value does not hold is zero, whatever else it holds.
		if tt.kind != KindString && tt.v.Text() != "" || tt.kind != KindComplex && tt.v.Object() != nil ||
			tt.kind != KindInteger && tt.v.Int() != 0 || tt.v.Bool() || tt.v.Float() != 0 {
			t.Errorf("%s holds what it should not", tt.v)
		}
	}
	if got := List(Str("x"), Value{}, Str("y")).Items()[1].Text(); got != "y" {
		t.Errorf("second element is %q", got)
	}
	if Int(math.MinInt64).Int() != math.MinInt64 || Int(-3).Float() != -3 || Dec(1.5).Float() != 1.5 || !Bool(true).Bool() {
		t.Error("a number is not what went in")
	}
	if size := unsafe.Sizeof(Value{}); size > 24 {
		t.Errorf("a Value has %d bytes", size)
	}
}

func TestObjectLaws(t *testing.T) {
	rt := userType(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawResource(t, rt).Attrs
		before := Obj(o).String()
		a := rapid.SampledFrom(rt.Attributes()).Draw(t, "attr")
		b := rapid.SampledFrom(rt.Attributes()).Draw(t, "other")
		v := drawValue(t, a)
		got := o.With(a, v)
		checkObject(t, got)
		if !identical(got.Get(a), v) {
			t.Fatalf("%q is %s, not %s", a, got.Get(a), v)
		}
		if b != a && !identical(got.Get(b), o.Get(b)) {
			t.Fatalf("%q changed with %q", b, a)
		}
		if Obj(o).String() != before {
			t.Fatal("With changed its receiver")
		}
		shuffled := rapid.Permutation([]Field(got)).Draw(t, "fields")
		if !identical(Obj(NewObject(shuffled...)), Obj(got)) {
			t.Fatal("NewObject depends on the order")
		}
	})
}

func TestNewObjectTakesTheLater(t *testing.T) {
	rt := userType(t)
	a, b := attribute(t, rt, "userName"), attribute(t, rt, "title")
	o := NewObject(Field{b, Str("1")}, Field{a, Str("2")}, Field{b, Str("3")}, Field{a, Value{}})
	if len(o) != 1 || o.Get(b).Text() != "3" {
		t.Errorf("got %s", Obj(o))
	}
}

func TestEqualLaws(t *testing.T) {
	rt := thingType(t)
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom(rt.Attributes()).Draw(t, "attr")
		v, w := drawValue(t, a), drawValue(t, a)
		if !Equal(a, v, v) || !identical(v, v) {
			t.Fatalf("%s is not itself", v)
		}
		if Equal(a, v, w) != Equal(a, w, v) {
			t.Fatalf("%s and %s: not symmetric", v, w)
		}
		if identical(v, w) && !Equal(a, v, w) {
			t.Fatalf("%s and %s are identical and not equal", v, w)
		}
		if Equal(a, v, w) != (string(appendKey(nil, a, v)) == string(appendKey(nil, a, w))) {
			t.Fatalf("%s and %s: keys do not tell", v, w)
		}
		items := append([]Value(nil), v.Items()...)
		if a.MultiValued && !Equal(a, v, List(rapid.Permutation(items).Draw(t, "order")...)) {
			t.Fatalf("%s depends on its order", v)
		}
		if a.Type == Complex || a.MultiValued {
			return
		}
		// A total order in which the equal are the same, and absent is last.
		if Order(a, v, w) != -Order(a, w, v) || (Order(a, v, w) == 0) != Equal(a, v, w) && a.Type != Binary {
			t.Fatalf("%s and %s: order %d", v, w, Order(a, v, w))
		}
		if !v.IsAbsent() && Order(a, v, Value{}) >= 0 {
			t.Fatal("absent is not last")
		}
	})
}

func TestOrder(t *testing.T) {
	rt := thingType(t)
	for name, ascending := range map[string][]Value{
		"on":     {Bool(false), Bool(true), {}},
		"count":  {Int(-2), Int(1), Int(10), {}},
		"weight": {Dec(-2), Dec(1.5), Dec(1e9), {}},
		"name":   {Str("a"), Str("B"), Str("c"), {}},
		"code":   {Str("B"), Str("a"), Str("c"), {}},
		"made":   {Str("2026-01-02T04:00:00+02:00"), Str("2026-01-02T03:00:00Z"), {}},
	} {
		for i := range ascending[1:] {
			if Order(attribute(t, rt, name), ascending[i], ascending[i+1]) >= 0 {
				t.Errorf("%s: %s is not before %s", name, ascending[i], ascending[i+1])
			}
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"": "", "abc": "abc", "ABC": "abc", "aBc_": "abc_", "\u212A": "\u212A", "É": fold("é"), "Σ": "σ", "ς": "ς", "ẞ": "ẞ", "Ç": "ç", "Я": "я", "ǅ": "ǅ", "Ꭰ": "Ꭰ"} {
		if got := fold(in); got != want {
			t.Errorf("%q folds to %q, want %q", in, got, want)
		}
	}
	runes := rapid.SampledFrom([]rune("aAbBkK\u212AsSſßẞéÉσςΣıIiİ\u0130ǅǆǄ漢_0"))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringOf(runes).Draw(t, "a"), rapid.StringOf(runes).Draw(t, "b")
		if got, want := fold(a) == fold(b), EqualFold(a, b); got != want {
			t.Fatalf("%q and %q: %v, want %v", a, b, got, want)
		}
		if fold(fold(a)) != fold(a) {
			t.Fatalf("%q folds further", a)
		}
	})
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, s := range []string{"2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z",
		"2026-01-02T17:04:05+14:00", "2026-01-01T13:04:05-14:00", "2026-01-02T03:04:05.000000000000Z"} {
		if got, ok := ParseTime(s); !ok || !got.Equal(want) {
			t.Errorf("%s is %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "2026-01-02", "2026-01-02 03:04:05Z", "2026-13-02T03:04:05Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05x", "2026-01-02T3:04:05.5Z", "2026-01-02T03:04:05,5Z", "20260102T030405Z",
		"0000-01-02T03:04:05Z", "12026-01-02T03:04:05Z", "-2026-01-02T03:04:05Z", "2026-01-02T03:04:05+14:01", "2026-01-02T03:04:05-15:00", "2026-01-02T03:04:05+0100",
		"2026-01-02T03:04:60Z", "2026-02-29T00:00:00Z", "2026-01-02T03:04:05.Z", "2026-01-02t03:04:05z", "2026-01-02T24:00:01Z", "2026-01-02T24:01:00Z", "2026-01-02T24:00:00.5Z",
		"2026-01-02T25:00:00Z", " 2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z "} {
		if got, ok := ParseTime(s); ok {
			t.Errorf("%s is %v", s, got)
		}
	}
	midnight := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range []string{"2025-12-31T24:00:00Z", "2025-12-31T24:00:00", "2025-12-31T24:00:00.000Z", "2026-01-01T00:00:00Z", "2025-12-31T24:00:00-00:00"} {
		if got, ok := ParseTime(s); !ok || !got.Equal(midnight) {
			t.Errorf("%s is %v, %v", s, got, ok)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-1e12, 4e12).Draw(t, "ms"))
		if got, ok := ParseTime(Time(at).Text()); !ok || !got.Equal(at) {
			t.Fatalf("%v comes back as %v", at, got)
		}
	})
}

func TestIsBase64(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "AA": true, "AA==": true, "AAE": true, "AAE=": true, "AAEC": true, "+/+/": true, "-_-_": true, "-_8=": true,
		"A": false, "AAECA": false, "AA=": false, "AAE==": false, "A===": false, "AAEC=": false, "AAEC====": false, "=": false, "====": false,
		"+-+-": false, "AA E": false, "AAE\n": false, "AA\r\nEC": false, "A=AE": false, "é=": false, "AA@E": false, "AA[E": false, "AA`E": false,
	} {
		if got := isBase64(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			if s := e.EncodeToString(b); !isBase64(s) {
				t.Fatalf("%q is refused", s)
			}
		}
	})
}

func TestResourceSchemasFollow(t *testing.T) {
	rt := userType(t)
	r := load(t, rt, `{"userName":"b"}`)
	dept := attribute(t, rt, "department")
	if got := r.Get(rt.Schemas()).Len(); got != 1 {
		t.Errorf("%d schemas", got)
	}
	r = r.With(dept, Str("d")).With(rt.Schemas(), List(Str("x")))
	if got := r.Get(rt.Schemas()).String(); got != `["urn:ietf:params:scim:schemas:core:2.0:User","`+enterprise+`"]` {
		t.Error(got)
	}
	if got := r.With(dept, Value{}).Get(rt.Schemas()).Len(); got != 1 {
		t.Errorf("%d schemas after all is removed", got)
	}
}
