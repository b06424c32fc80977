package postern

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed says which of our packages each of our packages may import: the
// direction of the architecture (docs/architecture.md). A package that is not in
// the table fails, so that every new one is placed by thought. "…" at the end
// stands for everything below.
var allowed = map[string][]string{
	"scim":       {},
	"connectors": {},
	"idstore":    {},
	"configs":    {},

	"mapping": {"scim", "connectors", "configs"},

	"connectors/ldap":             {"connectors", "configs", "connectors/ldap/wire"},
	"connectors/ldap/wire":        {},
	"connectors/ldap/demodir":     {},
	"connectors/ldap/ldaptest":    {"connectors/servertest"},
	"connectors/memory":           {"connectors"},
	"connectors/rest":             {"connectors", "configs"},
	"connectors/rest/redminetest": {"connectors/servertest"},
	"connectors/connectortest":    {"connectors"},
	"connectors/servertest":       {},

	"idstore/bolt":        {"idstore"},
	"idstore/memory":      {"idstore"},
	"idstore/idstoretest": {"idstore"},

	"gateway":          {"scim", "mapping", "connectors", "idstore"},
	"gateway/httpapi":  {"gateway", "gateway/token", "scim"},
	"gateway/token":    {},
	"gateway/adminapi": {"gateway", "idstore", "connectors"},

	"cmd/postern": {"…"},
	"cmd/bench":   {"…"},
	"cmd/test":    {"connectors/ldap/ldaptest", "connectors/rest/redminetest"},
}

// tests may also import the suites and the real servers.
var allowedInTests = []string{
	"connectors/connectortest", "connectors/memory", "connectors/ldap/ldaptest", "connectors/ldap/demodir", "connectors/rest/redminetest",
	"idstore/idstoretest", "idstore/memory", "scim", "configs", "connectors", "mapping",
}

// TestImports holds every import between our packages against the table.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "postern/")
		if name == "postern" {
			continue // this test
		}
		may, ok := allowed[name]
		if !ok {
			t.Errorf("%s is not in the table of imports: decide where it stands and add it", name)
			continue
		}
		check := func(imports, may []string, what string) {
			for _, i := range imports {
				i, ours := strings.CutPrefix(i, "postern/")
				if ours && i != name && !slices.Contains(may, "…") && !slices.Contains(may, i) {
					t.Errorf("%s %s %s, which the table of imports does not allow", name, what, i)
				}
			}
		}
		check(p.Imports, may, "imports")
		check(slices.Concat(p.TestImports, p.XTestImports), slices.Concat(may, allowedInTests), "tests with")
	}
	if seen < len(allowed) {
		t.Errorf("go list shows %d packages, the table has %d: take out what is gone", seen, len(allowed))
	}
}
