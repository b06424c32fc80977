package ldap

import (
	"testing"

	"postern/connectors"
)

func TestAnchors(t *testing.T) {
	tests := []struct {
		attr, value string
		want        connectors.Anchor // "" is refused
		back        string            // if not value
	}{
		{"objectGUID", "0123456789abcdef", "0123456789abcdef", ""},
		{"objectGUID", "0123456789abcde", "", ""},
		{"entryUUID", "01234567-89ab-cdef-0123-456789abcdef", testAnchor, ""},
		{"ENTRYUUID", "01234567-89AB-CDEF-0123-456789ABCDEF", testAnchor, "01234567-89ab-cdef-0123-456789abcdef"},
		{"nsUniqueId", "01234567-89abcdef-01234567-89abcdef", testAnchor, ""},
		{"entryUUID", "01234567-89ab-cdef-0123-456789abcde", "", ""},
		{"entryUUID", "01234567-89ab-cdef-0123-456789abcdef0", "", ""},
		{"entryUUID", "01234567-89ab-cdef-0123-456789abcdeg", "", ""},
		{"entryUUID", "", "", ""},
		{"employeeNumber", "4711", "4711", ""},
		{"employeeNumber", "", "", ""},
	}
	for _, tc := range tests {
		form := anchorFormOf(tc.attr)
		got, ok := form.anchor(tc.value)
		if ok != (tc.want != "") || ok && got != tc.want {
			t.Errorf("%s %q is %x, %v", tc.attr, tc.value, string(got), ok)
		}
		if !ok {
			continue
		}
		back, ok := form.appendValue(nil, got)
		if tc.back == "" {
			tc.back = tc.value
		}
		if !ok || string(back) != tc.back {
			t.Errorf("%s %q comes back as %q, %v", tc.attr, tc.value, back, ok)
		}
	}
	if _, ok := anchorUUID.appendValue(nil, "short"); ok {
		t.Error("a short anchor has a value")
	}
}

func TestSplitExtendedDN(t *testing.T) {
	tests := []struct{ in, guid, plain string }{
		{"<GUID=0123>;<SID=01>;CN=a,DC=b", "0123", "CN=a,DC=b"},
		{"<GUID=0123>;CN=a<b>;c,DC=b", "0123", "CN=a<b>;c,DC=b"},
		{"CN=a,DC=b", "", "CN=a,DC=b"},
		{"<GUID=0123", "", ""},
		{"", "", ""},
	}
	for _, tc := range tests {
		if guid, plain := splitExtendedDN(tc.in); guid != tc.guid || plain != tc.plain {
			t.Errorf("%q is %q and %q", tc.in, guid, plain)
		}
	}
}

// TestSwapGUID holds the text of an objectGUID against its layout in [MS-DTYP]
// §2.3.4.2: three little-endian numbers, then bytes as they stand.
func TestSwapGUID(t *testing.T) {
	stored := connectors.Anchor("\x96\xc1\x65\x70\x1f\x1d\x4f\x4a\x9e\x1c\x4e\x4f\x3c\x2d\x1e\x0f")
	text, ok := anchorUUID.appendValue(nil, swapGUID(stored))
	if want := "7065c196-1d1f-4a4f-9e1c-4e4f3c2d1e0f"; !ok || string(text) != want {
		t.Errorf("the text is %s, want %s", text, want)
	}
	if swapGUID(swapGUID(stored)) != stored {
		t.Error("swapped twice it is another")
	}
}
