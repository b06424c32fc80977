package ldap

import (
	"slices"
	"testing"

	"postern/connectors"
)

func TestFilterNames(t *testing.T) {
	for filter, want := range map[string][]connectors.Attr{
		"":                                       nil,
		"(objectClass=*)":                        {"objectClass"},
		"(|(cn=a)(sn=b*c)(!(&(cn>=d)(uid~=e))))": {"cn", "sn", "uid"},
		"(mail<=x)":                              {"mail"},
		"(memberOf:1.2.840.113556.1.4.1941:=cn=x)": {"memberOf"},
		"(ou:dn:=x)":     {"ou"},
		"(:2.5.13.2:=x)": nil,
		"(2.5.4.3=x)":    nil,
	} {
		if got := filterNames(filter); !slices.Equal(got, want) {
			t.Errorf("%s names %q, want %q", filter, got, want)
		}
	}
}
