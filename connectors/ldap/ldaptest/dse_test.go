package ldaptest

import "testing"

func TestDSE(t *testing.T) {
	const text = "dn: cn=config\ncn: config\nnsslapd-port: 389\nnsslapd-long: a\n b\nnsslapd-Port: 390\n\ndn: cn=other\ncn: other\n\n"
	tests := []struct {
		name string
		put  []string // the DN, then names and values
		want string
	}{
		{"unfolded and otherwise the same", nil,
			"dn: cn=config\ncn: config\nnsslapd-port: 389\nnsslapd-long: ab\nnsslapd-Port: 390\n\ndn: cn=other\ncn: other\n\n"},
		{"all values replaced, whatever the case", []string{"CN=config", "NSSLAPD-PORT", "1", "new", "x", "new", "y"},
			"dn: cn=config\ncn: config\nnsslapd-long: ab\nNSSLAPD-PORT: 1\nnew: x\nnew: y\n\ndn: cn=other\ncn: other\n\n"},
		{"a new entry", []string{"cn=third", "cn", "third"},
			"dn: cn=config\ncn: config\nnsslapd-port: 389\nnsslapd-long: ab\nnsslapd-Port: 390\n\ndn: cn=other\ncn: other\n\ndn: cn=third\ncn: third\n\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := parseDSE(text)
			if len(test.put) > 0 {
				d.put(test.put[0], test.put[1:]...)
			}
			if got := d.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if again := parseDSE(d.String()).String(); again != d.String() {
				t.Errorf("parsed again it is %q", again)
			}
		})
	}
}
