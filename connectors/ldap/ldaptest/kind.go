package ldaptest

import "fmt"

// Kind is a kind of directory server.
type Kind string

// The kinds of directory server that can be run.
const (
	OpenLDAP        Kind = "openldap"         // slapd
	DS389           Kind = "ds389"            // 389 Directory Server
	ActiveDirectory Kind = "active-directory" // Samba as a domain controller
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{OpenLDAP, DS389, ActiveDirectory} }

// ParseKind is the Kind called name.
func ParseKind(name string) (Kind, error) {
	for _, k := range Kinds() {
		if string(k) == name {
			return k, nil
		}
	}
	return "", fmt.Errorf("no kind of directory server is called %q; there are %q", name, Kinds())
}

// An Option changes how a server is set up.
type Option int

// WithoutIntegrity leaves out what keeps memberships in step with the entries
// they name: the memberof and refint overlays of OpenLDAP, the memberOf and
// referential integrity plugins of 389-DS. Active Directory always keeps them
// in step and refuses the option.
const WithoutIntegrity Option = 1

// WithKDC makes Active Directory give out Kerberos tickets too, on port 88 of
// its address, and writes the service's keytab. It means nothing elsewhere.
const WithKDC Option = 2

func has(options []Option, want Option) bool {
	for _, o := range options {
		if o == want {
			return true
		}
	}
	return false
}
