package mapping

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/connectors"
	"postern/scim"

	"pgregory.net/rapid"
)

// Every codec gives back what it stored, in canonical text, and what it reads it
// stores again as the same value.
func TestCodecsAreLenses(t *testing.T) {
	instants := rapid.Custom(func(t *rapid.T) string {
		at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds"), rapid.Int64Range(0, 999999999).Draw(t, "nanoseconds"))
		return at.UTC().Format(time.RFC3339Nano)
	})
	guids := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	for _, c := range []struct {
		name   string
		codec  codec
		values *rapid.Generator[scim.Value]
	}{
		{"text", text{}, rapid.Map(rapid.StringN(1, -1, -1), scim.Str)},
		{"boolean", boolean{}, rapid.Map(rapid.Bool(), scim.Bool)},
		{"bool-not", boolean{not: true}, rapid.Map(rapid.Bool(), scim.Bool)},
		{"integer", integer{}, rapid.Map(rapid.Int64(), scim.Int)},
		{"decimal", decimal{}, rapid.Map(rapid.Float64(), scim.Dec)},
		{"generalizedTime", generalizedTime{}, rapid.Map(instants, scim.Str)},
		{"objectGUID", objectGUID{}, rapid.Map(guids, scim.Str)},
		{"base64", base64Binary{}, rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, -1), func(b []byte) scim.Value {
			return scim.Str(base64.StdEncoding.EncodeToString(b))
		})},
		{"objectSid", objectSID{}, rapid.Custom(func(t *rapid.T) scim.Value {
			s := rapid.StringMatching(`S-1-([1-9][0-9]{0,8}|0x[1-9A-F][0-9A-F]{11})`).Draw(t, "authority")
			for _, n := range rapid.SliceOfN(rapid.Uint32(), 0, sidParts).Draw(t, "parts") {
				s += fmt.Sprint("-", n)
			}
			return scim.Str(s)
		})},
		{"filetime", fileTime{}, rapid.Map(rapid.Int64Range(1, lastTick), func(n int64) scim.Value {
			return scim.Str(time.Unix(n/ticks-from1601, n%ticks*100).UTC().Format(time.RFC3339Nano))
		})},
		{"suffix", suffix{domain: "x.org"}, rapid.Map(rapid.StringMatching(`[a-zX.]{1,5}(@[y.]{1,5})?`), scim.Str)},
		{"photo", photo{}, rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) scim.Value {
			return scim.Str("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(append([]byte("\xff\xd8\xff"), b...)))
		})},
		{"proxyAddresses", proxyAddresses{}, rapid.Map(rapid.StringMatching(`[^:\x80-\xff]{1,20}`), scim.Str)},
		{"sAMAccountName", accountName{}, rapid.Map(rapid.StringMatching(`[a-zA-Z0-9 .$_-]{0,19}[a-z]`), scim.Str)},
		{"ad-group-type", groupType, rapid.Map(rapid.SampledFrom([]string{"security-global", "distribution-universal"}), scim.Str)},
		{"boolean-words", yesNo{}, rapid.Map(rapid.Bool(), scim.Bool)},
		{"integer-text", digits{}, rapid.Map(rapid.Int64(), scim.Int)},
		{"table", table{{"1", scim.Bool(true)}, {"3", scim.Bool(false)}, {"2", scim.Bool(false)}}, rapid.Map(rapid.Bool(), scim.Bool)},
	} {
		t.Run(c.name, rapid.MakeCheck(func(t *rapid.T) {
			v := c.values.Draw(t, "value")
			stored, err := c.codec.encode(v)
			if err != nil {
				t.Fatal(err)
			}
			back, ok := c.codec.decode(stored)
			if !ok || !same(back, v) {
				t.Fatalf("%s is stored as %q and read as %s", v, stored, back)
			}
			again, err := c.codec.encode(back)
			if err != nil || again != stored {
				t.Fatalf("%q is read as %s and stored as %q", stored, back, again)
			}
		}))
	}
}

// A state reads back as it was set, setting it twice is setting it once, and
// nothing but the state changes.
func TestStatesAreSet(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  state
		values *rapid.Generator[[]connectors.Value]
	}{
		{"ad-enabled", adEnabled, rapid.Custom(func(t *rapid.T) []connectors.Value {
			return []connectors.Value{connectors.Value(fmt.Sprint(rapid.Int32().Draw(t, "flags")))}
		})},
		{"ad-password-never-expires", adFlag{mask: passwordNeverEnds}, rapid.Custom(func(t *rapid.T) []connectors.Value {
			return []connectors.Value{connectors.Value(fmt.Sprint(rapid.Int32().Draw(t, "flags")))}
		})},
		{"ad-must-change-password", mustChange{}, rapid.SampledFrom([][]connectors.Value{nil, {"0"}, {"-1"}, {"132537600000000000"}})},
		{"role", roleLock{role: "cn=off,dc=x"}, rapid.SampledFrom([][]connectors.Value{nil, {"CN=Off, dc=x"}, {"cn=other,dc=x"}, {"cn=other,dc=x", "cn=off,dc=x"}})},
		{"ds-account-lock", dsAccountLock{}, rapid.SampledFrom([][]connectors.Value{nil, {"true"}, {"TRUE"}, {"false"}, {"true", "false"}})},
		{"ppolicy-locked", ppolicyLocked{}, rapid.SampledFrom([][]connectors.Value{nil, {"000001010000Z"}, {"00000101000000Z"}, {"20240101000000Z"}})},
	} {
		t.Run(c.name, rapid.MakeCheck(func(t *rapid.T) {
			values, on := c.values.Draw(t, "values"), rapid.Bool().Draw(t, "on")
			next, err := c.state.write(on, values)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.state.read(next); !same(got, scim.Bool(on)) {
				t.Fatalf("%v set to %v is %v, which reads %s", values, on, next, got)
			}
			twice, err := c.state.write(on, next)
			if err != nil || fmt.Sprint(twice) != fmt.Sprint(next) {
				t.Fatalf("set twice: %v", twice)
			}
			if f, ok := c.state.(adFlag); ok {
				var before, after int64
				fmt.Sscan(string(values[0]), &before)
				fmt.Sscan(string(next[0]), &after)
				if (before^after)&^f.mask != 0 {
					t.Fatalf("%v became %v", values, next)
				}
			}
		}))
	}
}

// A lock-out is ended and never begun, and ending it leaves alone what makes an
// account inactive.
func TestLockOuts(t *testing.T) {
	for _, c := range []struct {
		state  state
		values []connectors.Value
		locked bool
		ended  []connectors.Value
	}{
		{adLockedOut{}, nil, false, nil},
		{adLockedOut{}, []connectors.Value{"0"}, false, []connectors.Value{"0"}},
		{adLockedOut{}, []connectors.Value{"132537600000000000"}, true, []connectors.Value{"0"}},
		{dsLockedOut{}, nil, false, nil},
		{dsLockedOut{}, []connectors.Value{"19700101000000Z"}, true, nil},
		{ppolicyLockedOut{}, nil, false, nil},
		{ppolicyLockedOut{}, []connectors.Value{"20240101000000Z"}, true, nil},
		{ppolicyLockedOut{}, []connectors.Value{"000001010000Z"}, false, []connectors.Value{"000001010000Z"}},
	} {
		if got := c.state.read(c.values); !same(got, scim.Bool(c.locked)) {
			t.Errorf("%T reads %q as %s", c.state, c.values, got)
		}
		if got, err := c.state.write(false, c.values); err != nil || fmt.Sprint(got) != fmt.Sprint(c.ended) {
			t.Errorf("%T ends %q with %q, %v; want %q", c.state, c.values, got, err, c.ended)
		}
		if _, err := c.state.write(true, c.values); (err == nil) != c.locked {
			t.Errorf("%T locks out %q: %v", c.state, c.values, err)
		}
	}
	if got, err := (ppolicyLocked{}).write(true, []connectors.Value{"20240101000000Z"}); err != nil || len(got) != 1 {
		t.Errorf("making an account active ends its lock-out: %q, %v", got, err)
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		codec codec
		in    connectors.Value
		want  string // JSON, "" for what does not decode
	}{
		{text{}, "\xff", ""},
		{boolean{}, "true", "true"},
		{boolean{}, "yes", ""},
		{boolean{not: true}, "FALSE", "true"},
		{integer{}, "007", ""},
		{integer{}, "+7", ""},
		{integer{}, "-0", ""},
		{integer{}, "9223372036854775808", ""},
		{decimal{}, "NaN", ""},
		{decimal{}, "Inf", ""},
		{decimal{}, "1.50", "1.5"},
		{generalizedTime{}, "20240229", ""},
		{generalizedTime{}, "2024022913Z", `"2024-02-29T13:00:00Z"`},
		{generalizedTime{}, "2024022913.25Z", `"2024-02-29T13:15:00Z"`},
		{generalizedTime{}, "202402291330,5Z", `"2024-02-29T13:30:30Z"`},
		{generalizedTime{}, "20240229133059.000Z", `"2024-02-29T13:30:59Z"`},
		{generalizedTime{}, "20240229133059-0130", `"2024-02-29T15:00:59Z"`},
		{generalizedTime{}, "20240229133059+01", `"2024-02-29T12:30:59Z"`},
		{generalizedTime{}, "20161231235960Z", `"2017-01-01T00:00:00Z"`},
		{generalizedTime{}, "20240229133059", ""},
		{generalizedTime{}, "20240229133059.Z", ""},
		{generalizedTime{}, "20240230133059Z", ""},
		{generalizedTime{}, "20240229243059Z", ""},
		{generalizedTime{}, "20240229133059+2400", ""},
		{generalizedTime{}, "99991231235959-0100", ""},
		{objectGUID{}, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", `"00112233-4455-6677-8899-aabbccddeeff"`},
		{objectGUID{}, "short", ""},
		{objectSID{}, "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00", `"S-1-5-32-544"`},
		{objectSID{}, "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00", ""},
		{objectSID{}, "\x02\x00\x00\x00\x00\x00\x00\x05", ""},
		{objectSID{}, connectors.Value("\x01\x10\x00\x00\x00\x00\x00\x05" + strings.Repeat("\x00", 64)), ""},
		{fileTime{}, "0", ""},
		{fileTime{}, "9223372036854775807", ""},
		{fileTime{}, "-1", ""},
		{fileTime{}, "132537600000000000", `"2020-12-30T00:00:00Z"`},
		{fileTime{}, "1", `"1601-01-01T00:00:00.0000001Z"`},
		{accountExpires{}, "0", ""},
		{accountExpires{}, "9223372036854775807", ""},
		{suffix{"x.org"}, "ann@X.Org", `"ann"`},
		{suffix{"x.org"}, "ann@y.org", `"ann@y.org"`},
		{suffix{"x.org"}, "ann", ""},
		{suffix{"x.org"}, "@x.org", ""},
		{photo{}, "GIF89a", `"data:image/gif;base64,R0lGODlh"`},
		{photo{}, "MZ", ""},
		{proxyAddresses{}, "SMTP:a@x.org", `"a@x.org"`},
		{proxyAddresses{}, "smtp:a@x.org", `"a@x.org"`},
		{proxyAddresses{}, "X500:/o=x", ""},
		{proxyAddresses{}, "a@x.org", ""},
		{groupType, "-2147483646", `"security-global"`},
		{groupType, "-2147483643", ""},
		{yesNo{}, "JA ", "true"},
		{yesNo{}, "Nein", "false"},
		{yesNo{}, "maybe", ""},
		{digits{}, " 007", "7"},
		{digits{}, "+1.234.567", "1234567"},
		{digits{}, "-12\u00a0345", "-12345"},
		{digits{}, "12.34", ""},
		{digits{}, "1,2345", ""},
		{digits{}, ".123", ""},
		{digits{}, "--1", ""},
		{adPassword{}, "\"\x00p\x00\"\x00", ""},
	} {
		v, ok := c.codec.decode(c.in)
		if got := v.String(); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%T decodes %q to %s, %v; want %s", c.codec, c.in, got, ok, c.want)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		codec codec
		in    scim.Value
		want  connectors.Value // "" for what is refused
	}{
		{generalizedTime{}, scim.Str("2024-01-02T03:04:05+01:00"), "20240102020405.0Z"},
		{generalizedTime{}, scim.Str("2024-01-02T03:04:05.120Z"), "20240102030405.12Z"},
		{generalizedTime{}, scim.Str("0000-01-01T00:00:00+01:00"), ""},
		{generalizedTime{}, scim.Str("2024-01-02"), ""},
		{objectGUID{}, scim.Str("00112233-4455-6677-8899-AABBCCDDEEFF"), "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"},
		{objectGUID{}, scim.Str("00112233-4455-6677-8899-AABBCCDDEEFG"), ""},
		{objectGUID{}, scim.Str("00112233+4455-6677-8899-AABBCCDDEEFF"), ""},
		{base64Binary{}, scim.Str("-_8="), "\xfb\xff"},
		{base64Binary{}, scim.Str("-_8"), "\xfb\xff"},
		{base64Binary{}, scim.Str("%"), ""},
		{adPassword{}, scim.Str("pä😀"), "\"\x00p\x00\xe4\x00\x3d\xd8\x00\xde\"\x00"},
		{objectSID{}, scim.Str("s-1-5-32-544"), "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00"},
		{objectSID{}, scim.Str("S-1"), ""},
		{objectSID{}, scim.Str("S-1-5-4294967296"), ""},
		{objectSID{}, scim.Str("S-2-5"), ""},
		{fileTime{}, scim.Str("2020-12-30T01:00:00.00000019+01:00"), "132537600000000001"},
		{fileTime{}, scim.Str("1601-01-01T00:00:00Z"), ""},
		{fileTime{}, scim.Str("2020-12-30"), ""},
		{accountExpires{}, scim.Str("2020-12-30T00:00:00Z"), "132537600000000000"},
		{suffix{"x.org"}, scim.Str("ann"), "ann@x.org"},
		{suffix{"x.org"}, scim.Str("ann@y.org"), "ann@y.org"},
		{suffix{"x.org"}, scim.Str("@y.org"), ""},
		{photo{}, scim.Str("data:image/gif;base64,R0lGODlh"), "GIF89a"},
		{photo{}, scim.Str("R0lGODlh"), "GIF89a"},
		{photo{}, scim.Str("https://x.org/a.gif"), ""},
		{photo{}, scim.Str("data:image/gif,GIF89a"), ""},
		{photo{}, scim.Str("TVo="), ""},
		{proxyAddresses{}, scim.Str("sip:a"), ""},
		{accountName{}, scim.Str("twenty.characters.lo"), "twenty.characters.lo"},
		{accountName{}, scim.Str("twenty.characters.lon"), ""},
		{accountName{}, scim.Str("a/b"), ""},
		{accountName{}, scim.Str("a."), ""},
		{integer{}, scim.Str("1"), ""},
		{decimal{}, scim.Int(2), "2"},
		{table{{"b", scim.Str("Boss")}}, scim.Str("BOSS"), "b"},
		{table{{"b", scim.Str("Boss")}}, scim.Str("Bos"), ""},
	} {
		got, err := c.codec.encode(c.in)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%T encodes %s as %q, %v; want %q", c.codec, c.in, got, err, c.want)
		}
	}
	if _, err := adEnabled.write(true, []connectors.Value{"many"}); err == nil {
		t.Error("account flags that are no number were changed")
	}
}

// FuzzGeneralizedTime: what parses is read as it is written.
func FuzzGeneralizedTime(f *testing.F) {
	for _, s := range []string{"20240102030405.0Z", "2024010203Z", "202401020304,5+0100", "20161231235960Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := parseGeneralizedTime(s)
		if !ok {
			return
		}
		written := formatGeneralizedTime(at)
		back, ok := parseGeneralizedTime(string(written))
		if !ok || !back.Equal(at) {
			t.Fatalf("%q is written as %q, which is %v, not %v", s, written, back, at)
		}
	})
}

// FuzzTemplate: what parses prints as a template that parses to the same.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{userName}", "a{{b}}{name.givenName} {emails[type eq \"work\"].value}", "{", "}", "{}", "{{{a}}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		segments, err := parseTemplate(s)
		if err != nil {
			return
		}
		printed := printTemplate(segments)
		again, err := parseTemplate(printed)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(segments) {
			t.Fatalf("%q prints as %q: %v, %v", s, printed, again, err)
		}
		if !strings.ContainsAny(s, "{}") && printed != s {
			t.Fatalf("%q prints as %q", s, printed)
		}
	})
}

// printTemplate is the inverse of parseTemplate.
func printTemplate(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.path != "" {
			b.WriteString("{" + s.path + "}")
			continue
		}
		b.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(s.literal))
	}
	return b.String()
}
