package scim

import (
	"testing"

	"pgregory.net/rapid"
)

// TestUserNamesArePrepared compares as RFC 7613 §3.2 has it.
func TestUserNamesArePrepared(t *testing.T) {
	rt := userType(t)
	userName, _ := rt.Attribute("userName")
	nickName, _ := rt.Attribute("nickName")
	for _, test := range []struct {
		a, b  string
		equal bool
	}{
		{"ann", "ANN", true},
		{"ann", "\uff41\uff4e\uff4e", true},                                         // full width
		{"ANN", "\uff41\uff4e\uff4e", true},                                         //
		{"\u30ab\u30ac", "\uff76\uff76\uff9e", true},                                // half width, with a voicing mark of its own
		{"caf\u00e9", "cafe\u0301", true},                                           // composed and not
		{"CAF\u00c9", "cafe\u0301", true},                                           //
		{"stra\u00dfe", "STRA\u1e9eE", true},                                        // sharp s
		{"stra\u00dfe", "strasse", false},                                           // mapped by no step
		{"\u03c3\u03bf\u03c6\u03cc\u03c2", "\u03a3\u039f\u03a6\u038c\u03a3", false}, // final sigma, which is nothing's lower case
		{"i", "\u0131", false},                                                      // the Turkish dotless i
		{"cafe", "caf\u00e9", false},
		{"ﬁ", "fi", false}, // compatibility is not asked for
	} {
		if got := Equal(userName, Str(test.a), Str(test.b)); got != test.equal {
			t.Errorf("%q and %q are equal: %v", test.a, test.b, got)
		}
		if got := Order(userName, Str(test.a), Str(test.b)) == 0; got != test.equal {
			t.Errorf("%q and %q are of one order: %v", test.a, test.b, got)
		}
		same := string(appendKey(nil, userName, Str(test.a))) == string(appendKey(nil, userName, Str(test.b)))
		if same != test.equal {
			t.Errorf("%q and %q have one key: %v", test.a, test.b, same)
		}
	}
	if Equal(nickName, Str("ann"), Str("\uff41\uff4e\uff4e")) {
		t.Error("other attributes are not prepared")
	}
}

// TestPreparedAtTheDoor finds one form in what clients send, wherever it stands.
func TestPreparedAtTheDoor(t *testing.T) {
	rt := userType(t)
	const sent, want = "\uff21nne\u0301", "Ann\u00e9"
	f, err := ParseFilter(rt, `userName eq "`+sent+`" and nickName eq "`+sent+`"`)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.String(); got != `userName eq "`+want+`" and nickName eq "`+sent+`"` {
		t.Errorf("the filter is %s", got)
	}
	r, err := DecodeResource(rt, []byte(`{"schemas":["`+userSchemaID+`"],"userName":"`+sent+`","nickName":"`+sent+`","password":"p\u3000e\u0301\uff41"}`), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"userName": want, "nickName": sent, "password": "p \u00e9\uff41"} { // RFC 7613 §4.2.2: the width stays
		a, _ := rt.Attribute(name)
		if got := r.Get(a).Text(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestPreparedTwiceIsPreparedOnce(t *testing.T) {
	rt := userType(t)
	rapid.Check(t, func(t *rapid.T) {
		a, _ := rt.Attribute(rapid.SampledFrom([]string{"userName", "password"}).Draw(t, "attribute"))
		s := rapid.String().Draw(t, "text")
		once := a.prepare(s)
		if again := a.prepare(once); again != once {
			t.Fatalf("%q becomes %q and then %q", s, once, again)
		}
	})
}
