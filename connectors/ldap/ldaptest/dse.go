package ldaptest

import (
	"fmt"
	"os"
	"strings"
)

// dse is the configuration of 389-DS, dse.ldif, which may be edited while the
// server is down. An entry is its unfolded lines, the DN first.
type dse struct{ entries [][]string }

func parseDSE(text string) *dse {
	d := &dse{}
	text = strings.ReplaceAll(text, "\n ", "")
	for block := range strings.SplitSeq(text, "\n\n") {
		if block = strings.Trim(block, "\n"); block != "" {
			d.entries = append(d.entries, strings.Split(block, "\n"))
		}
	}
	return d
}

func readDSE(path string) (*dse, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseDSE(string(text)), nil
}

func (d *dse) String() string {
	var b strings.Builder
	for _, e := range d.entries {
		b.WriteString(strings.Join(e, "\n") + "\n\n")
	}
	return b.String()
}

// put gives the entry dn these attributes, as names and values in turn, in the
// place of all values that it has for the names. The entry is made if there is
// none.
func (d *dse) put(dn string, attributes ...string) {
	var lines []string
	named := map[string]bool{}
	for i := 0; i+1 < len(attributes); i += 2 {
		named[strings.ToLower(attributes[i])] = true
		lines = append(lines, fmt.Sprintf("%s: %s", attributes[i], attributes[i+1]))
	}
	for i, e := range d.entries {
		if !strings.EqualFold(e[0], "dn: "+dn) {
			continue
		}
		kept := e[:1:1]
		for _, line := range e[1:] {
			name, _, _ := strings.Cut(line, ":")
			if !named[strings.ToLower(name)] {
				kept = append(kept, line)
			}
		}
		d.entries[i] = append(kept, lines...)
		return
	}
	d.entries = append(d.entries, append([]string{"dn: " + dn}, lines...))
}
