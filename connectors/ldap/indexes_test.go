package ldap_test

import (
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/ldap/ldaptest"
)

// TestIndexes has each server tell what is indexed: to those who may know.
func TestIndexes(t *testing.T) {
	for _, kind := range ldaptest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			d := start(t, kind)
			mapped := map[string][]connectors.Attr{"User": {"givenName", "title", "manager", "roomNumber", "info", "nonsense"}, "Group": {"cn", "member"}}
			check := func(unique ...connectors.Attr) (warned []connectors.Attr, told string) {
				dir := d.open(t, d.config(d.TLSURL))
				defer dir.Close()
				for _, f := range dir.Check(t.Context(), map[string]ldap.Use{"User": {Attrs: mapped["User"], Unique: unique}, "Group": {Attrs: mapped["Group"]}}) {
					switch {
					case f.Level == ldap.Warning && strings.Contains(f.Message, "not indexed"):
						warned = append(warned, f.Attr)
					case strings.Contains(f.Message, "indexed"):
						told += f.String() + "\n"
					}
				}
				return warned, told
			}
			if !d.ad() {
				if warned, told := check("title"); len(warned) > 0 || !strings.Contains(told, "not told") {
					t.Errorf("to whom may not know: %v, %q", warned, told)
				}
				d.reveal(t)
			}
			if warned, told := check("givenName"); len(warned) > 0 || !strings.Contains(told, "title") || strings.Contains(told, "givenName") ||
				strings.Contains(told, "nonsense") || strings.Contains(told, "manager") || strings.Contains(told, "Group") {
				t.Errorf("unique givenName: %v, %q", warned, told)
			}
			if warned, _ := check("title"); len(warned) != 1 || warned[0] != "title" {
				t.Errorf("unique title: %v", warned)
			}
		})
	}
}

// reveal lets the identity that the connector binds with see the server's
// configuration.
func (d *directory) reveal(t *testing.T) {
	t.Helper()
	if d.Kind != ldaptest.OpenLDAP {
		d.ServiceDN = d.BindDN
		return
	}
	config, err := d.Dial("cn=config", d.BindPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	m := goldap.NewModifyRequest("olcDatabase={0}config,cn=config", nil)
	m.Replace("olcAccess", []string{`{0}to * by dn.exact="` + d.ServiceDN + `" read by * none`})
	if err := config.Modify(m); err != nil {
		t.Fatal(err)
	}
}
