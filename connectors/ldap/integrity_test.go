package ldap_test

import (
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestIntegrityTold has each server tell whether it keeps references right: to
// those who may know.
func TestIntegrityTold(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		for _, integrity := range []bool{true, false} {
			if kind == ldaptest.ActiveDirectory && !integrity {
				continue // it always does
			}
			t.Run(map[bool]string{true: string(kind), false: string(kind) + " without"}[integrity], func(t *testing.T) {
				var options []ldaptest.Option
				if !integrity {
					options = append(options, ldaptest.WithoutIntegrity)
				}
				d := start(t, kind, options...)
				told := func(references string) ldap.Finding {
					t.Helper()
					config := d.config(d.TLSURL)
					config.References = references
					dir := d.open(t, config)
					defer dir.Close()
					for _, f := range dir.Check(t.Context(), nil) {
						if strings.HasPrefix(f.Message, "references ") {
							return f
						}
					}
					t.Fatal("nothing is told of references")
					return ldap.Finding{}
				}
				want := func(references string, level ldap.Level, words string) {
					t.Helper()
					if f := told(references); f.Level != level || !strings.Contains(f.Message, words) || (level == ldap.Failure) != (f.Hint != "") {
						t.Errorf("references %q: %s: %s; %s", references, f.Level, f, f.Hint)
					}
				}
				config := d.config(d.TLSURL)
				config.References = ldap.ReferencesServer
				left := d.open(t, config)
				defer left.Close()
				repairer, ok := connectors.As[connectors.Repairer](collection(t, left, "User"))
				if !ok {
					t.Fatal("it repairs nothing")
				}
				if trace, err := repairer.TraceName(t.Context(), "whoever"); trace != "" || err != nil {
					t.Errorf("where the server sees to it: %q, %v", trace, err)
				}
				if d.ad() {
					want("", ldap.Info, "the server sees to it")
					want(ldap.ReferencesServer, ldap.Info, "the server sees to it")
					return
				}
				want("", ldap.Info, "not told to the bind identity")
				want(ldap.ReferencesServer, ldap.Info, "not told to the bind identity")
				d.reveal(t)
				if integrity {
					want("", ldap.Info, "repaired; the server sees to it too")
					want(ldap.ReferencesServer, ldap.Info, "the server sees to it too")
				} else {
					want("", ldap.Info, `repaired; the server does not see to it in ["manager" "member"]`)
					want(ldap.ReferencesServer, ldap.Failure, `does not see to it in ["manager" "member"]`)
				}
			})
		}
	}
}
