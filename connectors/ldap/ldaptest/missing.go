package ldaptest

import (
	"fmt"
	"os"
	"strings"
)

// requirement is what a kind of server needs on the machine.
type requirement struct {
	programs []string
	files    []string // that come with packages of their own
	packages []string // Debian's
	root     bool     // it runs as root only
}

func (k Kind) requirement() requirement {
	switch k {
	case OpenLDAP:
		return requirement{
			programs: []string{"slapd"},
			files:    []string{slapdModules + "/memberof.so", slapdSchema + "/core.schema"},
			packages: []string{"slapd"},
		}
	case DS389:
		return requirement{
			programs: []string{"ns-slapd", "dscreate", "certutil"},
			files:    []string{ds389Files + "/inf/defaults.inf"},
			packages: []string{"389-ds-base", "python3-lib389", "libnss3-tools"},
			root:     true,
		}
	case ActiveDirectory:
		return requirement{
			programs: []string{"samba", "samba-tool"},
			files:    []string{sambaSetup},
			packages: []string{"samba", "samba-ad-dc", "samba-ad-provision"},
			root:     true,
		}
	default:
		return requirement{}
	}
}

// absent lists the programs and files of the requirement that are not here.
func (r requirement) absent() []string {
	var list []string
	for _, name := range r.programs {
		if _, err := lookProgram(name); err != nil {
			list = append(list, name)
		}
	}
	for _, name := range r.files {
		if _, err := os.Stat(name); os.IsNotExist(err) {
			list = append(list, name)
		}
	}
	return list
}

// Missing is "" if servers of kind k can be run here, and otherwise one
// sentence that says what is missing and how to get it.
func Missing(k Kind) string {
	if _, err := ParseKind(string(k)); err != nil {
		return err.Error()
	}
	if unsupported != "" {
		return unsupported
	}
	r := k.requirement()
	if absent := r.absent(); len(absent) > 0 {
		return fmt.Sprintf("%s is not installed here (no %s): on Debian run \"apt-get install --no-install-recommends %s\" as root",
			k, strings.Join(absent, ", "), strings.Join(r.packages, " "))
	}
	if r.root && os.Geteuid() != 0 {
		return fmt.Sprintf("%s can only be run by root: run the tests as root, in a container for instance", k)
	}
	return ""
}
