package connectors

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var testSchema = map[Attr]Matching{
	"name":  {Rule: RuleIgnoreCase, Squeezes: true, Substring: true, Ordering: true},
	"mail":  {Rule: RuleIgnoreCase, Substring: true},
	"code":  {Rule: RuleExact, Substring: true, Ordering: true},
	"size":  {Rule: RuleInteger, Ordering: true},
	"on":    {Rule: RuleBoolean},
	"when":  {Rule: RuleTime, Ordering: true},
	"key":   {Rule: RuleOctets, Substring: true},
	"boss":  {Rule: RuleReference},
	"phone": {Rule: RuleOther, Ordering: true, Substring: true},
	"odd":   {},
	"fax":   {Rule: RulePhone, Alphabet: Printable, Substring: true},
	"x121":  {Rule: RuleNumeric, Alphabet: Numeric, Substring: true, Ordering: true},
	"made":  {Rule: RuleIgnoreCase, Unsearchable: true},
}

var testEntry = Entry{Anchor: "\x01", Fields: []Field{
	{Attr: "Name", Values: []Value{"Ann  Öberg ", "second"}},
	{Attr: "mail", Values: []Value{"Ann@x.org"}},
	{Attr: "code", Values: []Value{"aB"}},
	{Attr: "size", Values: []Value{"007"}},
	{Attr: "on", Values: []Value{"TRUE"}},
	{Attr: "when", Values: []Value{"20240229120000Z"}},
	{Attr: "key", Values: []Value{"\x00\xff*"}},
	{Attr: "boss", Refs: []Target{{"Users", "\x02"}}},
	{Attr: "phone", Values: []Value{"+1 2"}},
	{Attr: "odd", Values: []Value{"x"}},
	{Attr: "fax", Values: []Value{"+1 555-01 Ext"}},
	{Attr: "x121", Values: []Value{"12 3"}},
	{Attr: "made", Values: []Value{"x"}},
	{Attr: "stray", Values: []Value{"x"}},
}}

func TestMatch(t *testing.T) {
	eq := func(a Attr, v Value) Cond { return Equal{a, v} }
	unknown := eq("stray", "x")
	for _, tc := range []struct {
		cond Cond
		want Truth
	}{
		{nil, True},
		{All{}, True},
		{And{}, True},
		{Or{}, False},
		{Not{All{}}, False},
		{unknown, Undefined},
		{Not{unknown}, Undefined},
		{And{unknown, All{}}, Undefined},
		{And{unknown, Or{}}, False},
		{Or{unknown, Or{}}, Undefined},
		{Or{unknown, All{}}, True},

		{eq("name", "ann öberg"), True},
		{eq("NAME", " ANN ÖBERG"), True},
		{eq("name", "annöberg"), False},
		{eq("name", "SECOND"), True},
		{eq("mail", "ann@X.ORG"), True},
		{eq("mail", "ann@x.org "), False},
		{eq("mail;lang-de", "ann@x.org"), False}, // the type is known, the value is not there
		{eq("code", "aB"), True},
		{eq("code", "ab"), False},
		{eq("size", "7"), True},
		{eq("size", "-7"), False},
		{eq("size", "seven"), Undefined},
		{Not{eq("size", "seven")}, Undefined},
		{eq("on", "true"), True},
		{eq("on", "FALSE"), False},
		{eq("on", "1"), Undefined},
		{eq("when", "202402291300+01"), True},
		{eq("when", "20240229115959.9Z"), False},
		{eq("when", "today"), Undefined},
		{eq("key", "\x00\xff*"), True},
		{eq("key", "\x00"), False},
		{eq("phone", "+1 2"), True},
		{eq("phone", "+12"), Undefined},
		{Not{eq("phone", "+12")}, Undefined},
		{eq("odd", "x"), True},
		{eq("odd", "y"), Undefined},

		{Present{"name"}, True},
		{Present{"boss"}, True},
		{Present{"stray"}, Undefined},
		{Not{Present{"mail"}}, False},
		{RefTo{"boss", Target{"Users", "\x02"}}, True},
		{RefTo{"boss", Target{"Groups", "\x02"}}, False},
		{RefTo{"chief", Target{"Users", "\x02"}}, Undefined},
		{AnchorIn{"\x02", "\x01"}, True},
		{AnchorIn{}, False},

		{Substring{Attr: "name"}, True},
		{Substring{Attr: "name", Initial: "ann ö"}, True},
		{Substring{Attr: "name", Initial: "ann", Final: "berg"}, True},
		{Substring{Attr: "name", Any: []Value{"n ", " ö"}}, True}, // RFC 4518 §2.6.1: two spaces within
		{Substring{Attr: "name", Any: []Value{"nö"}}, False},
		{Substring{Attr: "name", Initial: "sec", Any: []Value{"c"}}, False},
		{Substring{Attr: "name", Initial: "sec", Any: []Value{"", "o"}, Final: "nd"}, True},
		{Substring{Attr: "mail", Initial: "ann@x.org", Final: "org"}, False},
		{Substring{Attr: "code", Initial: "AB"}, False},
		{Substring{Attr: "key", Any: []Value{"\xff"}, Final: "*"}, True},
		{Substring{Attr: "size", Initial: "0"}, Undefined},
		{Substring{Attr: "phone", Initial: "+"}, Undefined},

		{eq("fax", "+1 55501 Ext"), True},
		{eq("fax", "+155501ext"), Undefined}, // by server
		{eq("fax", "+155502"), False},
		{eq("fax", "+155501#"), Undefined},
		{Substring{Attr: "fax", Initial: "+155 5", Final: "1Ext"}, True},
		{eq("x121", "1 2 3"), True},
		{eq("x121", "1-23"), Undefined},
		{AtLeast{"x121", "13"}, False},
		{Substring{Attr: "x121", Any: []Value{"2 3"}}, True},
		{eq("made", "x"), Undefined},
		{Present{"made"}, Undefined},
		{Not{Present{"made"}}, Undefined},
		{Substring{Attr: "nothing", Initial: "x"}, Undefined},

		{AtLeast{"size", "7"}, True},
		{AtLeast{"size", "8"}, False},
		{AtMost{"size", "10"}, True},
		{AtMost{"size", "-10"}, False},
		{AtLeast{"when", "20240229115959Z"}, True},
		{AtMost{"when", "20240229115959Z"}, False},
		{AtLeast{"name", "t"}, False},
		{AtMost{"name", "b"}, True},
		{AtLeast{"code", "ab"}, False},
		{AtLeast{"mail", "a"}, Undefined},
		{AtMost{"phone", "a"}, Undefined},

		{Bits{"size", 3}, True},
		{Bits{"size", 8}, False},
		{Bits{"size", 12}, False},
		{Bits{"name", 1}, Undefined},
	} {
		if got := Match(tc.cond, testEntry, testSchema); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.cond, got, tc.want)
		}
	}
	bare := Entry{}
	for cond, want := range map[Cond]Truth{
		Equal{"size", "7"}:      False,
		Not{Equal{"size", "7"}}: True,
		Present{"size"}:         False,
		AtLeast{"size", "0"}:    False,
		Bits{"size", 1}:         False,
		Equal{"stray", "7"}:     Undefined,
		Not{Present{"stray"}}:   Undefined,
	} {
		if got := Match(cond, bare, testSchema); got != want {
			t.Errorf("%v of an absent attribute: %v, want %v", cond, got, want)
		}
	}
}

func TestMatchWithoutASchema(t *testing.T) {
	for _, tc := range []struct {
		cond Cond
		want Truth
	}{
		{Equal{"code", "aB"}, True},
		{Equal{"code", "ab"}, False},
		{Equal{"name", "Ann Öberg"}, False},
		{Equal{"name", "second"}, False}, // names of attributes are exact too
		{Equal{"Name", "second"}, True},
		{Not{Equal{"nothing", "x"}}, True},
		{AtLeast{"code", "a"}, True},
		{Substring{Attr: "code"}, True},
		{Bits{"code", 1}, Undefined},
		{Equal{"stray", "x"}, True},
		{Equal{"size", "7"}, False},
		{AtMost{"size", "01"}, True},
		{Not{Present{"odd"}}, False},
		{RefTo{"boss", Target{}}, False},
		{Not{RefTo{"x", Target{}}}, True},
		{Bits{"size", 7}, True},
		{Not{Not{Present{"Name"}}}, True},
		{Not{Not{Present{"absent"}}}, False},
	} {
		if got := Match(tc.cond, testEntry, nil); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.cond, got, tc.want)
		}
	}
}

func TestNormalTime(t *testing.T) {
	for in, want := range map[Value]Value{
		"20240229120000Z":            "20240229120000.000000000",
		"20240229120000.0Z":          "20240229120000.000000000",
		"20240229120000,25Z":         "20240229120000.250000000",
		"202402291200Z":              "20240229120000.000000000",
		"2024022912Z":                "20240229120000.000000000",
		"2024022912.5Z":              "20240229123000.000000000",
		"202402291200.5Z":            "20240229120030.000000000",
		"20240229130000+0100":        "20240229120000.000000000",
		"20240229063000-0530":        "20240229120000.000000000",
		"20231231233000-01":          "20240101003000.000000000",
		"00010101000000Z":            "00010101000000.000000000",
		"20240229120000.1234567899Z": "20240229120000.123456789",
	} {
		if got, ok := (Matching{Rule: RuleTime}).Normal(in); !ok || got != want {
			t.Errorf("%s: %q %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []Value{
		"", "Z", "20240229120000", "20230229120000Z", "20241329120000Z", "2024022912000Z", "20240229250000Z",
		"20240229120000.Z", "20240229120000.5", "20240229120000+1", "20240229120000+2400", "20240229120000+01:00",
		"20240229120000Zx", "20240229120000.0.0Z", "2024-02-29", "20240229120000+0160",
	} {
		if got, ok := (Matching{Rule: RuleTime}).Normal(in); ok {
			t.Errorf("%q is taken for the time %s", in, got)
		}
	}
}

func TestCompareIntegers(t *testing.T) {
	order := []Value{"-99999999999999999999", "-100", "-20", "-3", "0", "1", "9", "10", "0100", "99999999999999999999"}
	m := Matching{Rule: RuleInteger, Ordering: true}
	for i, a := range order {
		for j, b := range order {
			n, ok := m.Compare(a, b)
			if !ok || (n < 0) != (i < j) || (n > 0) != (i > j) {
				t.Errorf("%s against %s: %d %v", a, b, n, ok)
			}
		}
	}
	for _, v := range []Value{"", "-", "+1", "1 ", "1e3", "0x1", "--1"} {
		if _, ok := m.Normal(v); ok {
			t.Errorf("%q is taken for an integer", v)
		}
	}
	if v, _ := m.Normal("-0"); v != "0" {
		t.Errorf("-0 is %q", v)
	}
}

// aValue generates values that meet: few letters, in all cases, and spaces.
func aValue(t *rapid.T, label string) Value {
	return Value(rapid.StringOfN(rapid.SampledFrom([]rune("aAbKkK ßẞİiıσςΣ*0é\x00😀")), 0, 6, -1).Draw(t, label))
}

func aMatching(t *rapid.T) Matching {
	return Matching{
		Rule:      rapid.SampledFrom([]Rule{RuleExact, RuleIgnoreCase, RuleOctets, RuleInteger, RuleTime, RuleBoolean, RuleNumeric, RuleOther}).Draw(t, "rule"),
		Squeezes:  rapid.Bool().Draw(t, "squeezes"),
		Ordering:  true,
		Substring: true,
	}
}

func TestEqualityIsOfNormalForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, a, b := aMatching(t), aValue(t, "a"), aValue(t, "b")
		x, ok := m.Normal(a)
		y, ok2 := m.Normal(b)
		if again, _ := m.Normal(x); ok && m.Rule != RuleTime && again != x {
			t.Fatalf("the normal form of %q is %q, whose own is %q", a, x, again)
		}
		got := m.Equal(a, b)
		switch {
		case !ok || !ok2:
			if got != Undefined {
				t.Fatalf("%q is no value, but %v", a, got)
			}
		case (x == y) != (got == True):
			t.Fatalf("%q and %q: forms %q and %q, but %v", a, b, x, y, got)
		}
		if m.Equal(b, a) != got {
			t.Fatal("equality has a direction")
		}
		n, ordered := m.Compare(a, b)
		if back, _ := m.Compare(b, a); ordered && (sign(n) != -sign(back) || (n == 0) != (got == True)) {
			t.Fatalf("%q against %q is %d, and back %d, and %v", a, b, n, back, got)
		}
	})
}

func sign(n int) int { return max(-1, min(1, n)) }

// What folding makes alike strings.EqualFold does too, and what it does to letters
// of ASCII and to their like is the same.
func TestFoldAgreesWithEqualFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := string(aValue(t, "a")), string(aValue(t, "b"))
		if fold(a) == fold(b) != strings.EqualFold(a, b) && !strings.ContainsAny(a+b, "ßẞς\u212a") {
			t.Fatalf("%q and %q fold to %q and %q", a, b, fold(a), fold(b))
		}
	})
	alone := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := string(r)
		if !strings.EqualFold(fold(s), s) || fold(fold(s)) != fold(s) {
			t.Fatalf("%U folds to %q", r, fold(s))
		}
		if r < 0x180 && fold(s) != strings.ToLower(s) && r != 'İ' {
			t.Errorf("%U folds to %q", r, fold(s))
		}
		if fold(s) == s && unicode.SimpleFold(r) != r && unicode.ToLower(r) != r {
			alone++
		}
	}
	if alone < 800 || alone > 1200 {
		t.Errorf("%d capital letters are left alone", alone)
	}
	if fold("\xffA\xfe") != "\xffa\xfe" || fold("é\xffA") != "é\xffa" {
		t.Error("bytes that are no UTF-8 are changed")
	}
}

// A value is like any of its own parts in their order, and what is like parts
// holds each of them.
func TestSubstringsOfAValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := aMatching(t)
		m.Rule = rapid.SampledFrom([]Rule{RuleExact, RuleIgnoreCase, RuleOctets}).Draw(t, "string rule")
		v := aValue(t, "v")
		runes := []rune(string(v))
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(runes)), 4, 4).Draw(t, "cuts")
		slices.Sort(cuts)
		s := Substring{
			Initial: Value(runes[:cuts[0]]),
			Any:     []Value{Value(runes[cuts[0]:cuts[1]]), Value(runes[cuts[2]:cuts[3]])},
			Final:   Value(runes[cuts[3]:]),
		}
		// A part that is cut out of the middle of a run of spaces asks for more
		// of them than the squeezed value has.
		if m.Squeezes && m.Rule != RuleOctets {
			for _, p := range append([]Value{s.Initial, s.Final}, s.Any...) {
				if strings.Trim(string(p), " ") != string(p) {
					t.Skip()
				}
			}
		}
		if got := m.Like(v, s); got != True {
			t.Fatalf("%q is %v like %q %q %q", v, got, s.Initial, s.Any, s.Final)
		}
		other := aValue(t, "other")
		if m.Like(other, s) == True && !m.Squeezes {
			for _, p := range append([]Value{s.Initial, s.Final}, s.Any...) {
				if !strings.Contains(m.prepare(string(other)), m.prepare(string(p))) {
					t.Fatalf("%q is like %q, which it has not", other, p)
				}
			}
		}
	})
}

// De Morgan's laws hold in three values too.
func TestNegation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		atom := rapid.SampledFrom([]Cond{
			All{}, Or{}, Equal{"stray", "x"}, Equal{"size", "7"}, Equal{"size", "x"}, Present{"mail"}, Equal{"code", "ab"},
		})
		parts := rapid.SliceOfN(atom, 0, 4).Draw(t, "parts")
		var negated []Cond
		for _, p := range parts {
			negated = append(negated, Not{p})
		}
		for _, law := range [][2]Cond{
			{Not{And(parts)}, Or(negated)}, {Not{Or(parts)}, And(negated)}, {Not{Not{And(parts)}}, And(parts)},
		} {
			if a, b := Match(law[0], testEntry, testSchema), Match(law[1], testEntry, testSchema); a != b {
				t.Fatalf("%v is %v, but %v is %v", law[0], a, law[1], b)
			}
		}
	})
}

func TestKindsAndAttrs(t *testing.T) {
	c := And{
		Or{Equal{"a", "1"}, Not{Present{"b"}}}, Substring{Attr: "c"}, AtLeast{"a", "1"}, AtMost{"d", "1"},
		Bits{"e", 1}, RefTo{"f", Target{}}, AnchorIn{}, All{},
	}
	if got := KindsOf(c); got != AllConds {
		t.Errorf("kinds %b, want all", got)
	}
	if KindsOf(nil) != CondAll || KindsOf(Not{Present{"x"}}) != CondNot|CondPresent {
		t.Error("wrong kinds")
	}
	if got := AttrsOf(c); !slices.Equal(got, []Attr{"a", "b", "c", "d", "e", "f"}) {
		t.Errorf("attributes %q", got)
	}
}

// FuzzNormal looks for values that break the evaluator: it must not panic, and
// must admit its own forms.
func FuzzNormal(f *testing.F) {
	for _, v := range []string{"", " ", "a  b", "\xff", "-0", "20240229120000.5+01", "\u00a0x", "2024022912,", "İ"} {
		f.Add(v, v)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for r := RuleUnknown; r <= RuleOther; r++ {
			for _, squeezes := range []bool{false, true} {
				m := Matching{Rule: r, Squeezes: squeezes, Ordering: true, Substring: true}
				if _, ok := m.Normal(Value(a)); ok && m.Equal(Value(a), Value(a)) != True {
					t.Errorf("rule %d: %q does not equal itself", r, a)
				}
				m.Compare(Value(a), Value(b))
				m.Like(Value(a), Substring{Initial: Value(b), Any: []Value{Value(b)}, Final: Value(b)})
			}
		}
	})
}
