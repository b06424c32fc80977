package scim

import "testing"

func TestPrecondition(t *testing.T) {
	for _, tt := range []struct {
		match, noneMatch []string
		want             Outcome // of a resource with version v1
		absent           Outcome // of none
	}{
		{nil, nil, OK, OK},
		{[]string{`W/"v1"`}, nil, OK, Failed},
		{[]string{`"v1"`}, nil, OK, Failed}, // weak comparison
		{[]string{`W/"v2"`}, nil, Failed, Failed},
		{[]string{`W/"v2", W/"v1"`}, nil, OK, Failed},
		{[]string{`W/"v2"`, ` "v3" ,, "v1" `}, nil, OK, Failed},
		{[]string{`*`}, nil, OK, Failed},
		{[]string{` * `}, nil, OK, Failed},
		{[]string{`W/"v2"`, `W/"V1"`}, nil, Failed, Failed},
		{[]string{`"a,b", "v1"`}, nil, OK, Failed},
		{nil, []string{`W/"v1"`}, NotModified, OK},
		{nil, []string{`"v2"`}, OK, OK},
		{nil, []string{`*`}, NotModified, OK},
		{[]string{`"v2"`}, []string{`"v1"`}, Failed, Failed},
		{[]string{`"v1"`}, []string{`"v1"`}, NotModified, Failed},
		{[]string{`""`}, nil, Failed, Failed},
	} {
		p, err := ParsePrecondition(tt.match, tt.noneMatch)
		if err != nil {
			t.Errorf("%q %q: %v", tt.match, tt.noneMatch, err)
			continue
		}
		if got := p.Check("v1", true); got != tt.want {
			t.Errorf("%q %q: %d, want %d", tt.match, tt.noneMatch, got, tt.want)
		}
		if got := p.Check("", false); got != tt.absent {
			t.Errorf("%q %q without a resource: %d, want %d", tt.match, tt.noneMatch, got, tt.absent)
		}
		if p.Demanded() != (tt.match != nil || tt.noneMatch != nil) {
			t.Errorf("%q %q: Demanded is %v", tt.match, tt.noneMatch, p.Demanded())
		}
	}
	for _, v := range []string{``, ` `, `,`, `v1`, `W/v1`, `w/"v1"`, `"v1`, `"v1" "v2"`, `*, "v1"`, `"v1", *`, `"a b"`, `W/`, `"v1"x`} {
		if _, err := ParsePrecondition([]string{v}, nil); err == nil {
			t.Errorf("If-Match: %s is accepted", v)
		}
		if _, err := ParsePrecondition(nil, []string{v}); err == nil {
			t.Errorf("If-None-Match: %s is accepted", v)
		}
	}
	if p, err := ParsePrecondition([]string{Version("v1").String()}, nil); err != nil || p.Check("v1", true) != OK {
		t.Error("a version does not match itself")
	}
}
