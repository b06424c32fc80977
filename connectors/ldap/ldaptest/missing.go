package ldaptest

import "postern/connectors/servertest"

// Requirement is what servers of the kind need on the machine.
func (k Kind) Requirement() servertest.Requirement {
	switch k {
	case OpenLDAP:
		return servertest.Requirement{
			Name: string(k), Programs: []string{"slapd"},
			Files:    []string{slapdModules + "/memberof.so", slapdSchema + "/core.schema"},
			Packages: []string{"slapd"},
		}
	case DS389:
		return servertest.Requirement{
			Name: string(k), Programs: []string{"ns-slapd", "dscreate", "certutil"},
			Files:    []string{ds389Files + "/inf/defaults.inf"},
			Packages: []string{"389-ds-base", "python3-lib389", "libnss3-tools"},
			Root:     true,
		}
	case ActiveDirectory:
		return servertest.Requirement{
			Name: string(k), Programs: []string{"samba", "samba-tool"},
			Files:    []string{sambaSetup},
			Packages: []string{"samba", "samba-ad-dc", "samba-ad-provision"},
			Root:     true,
		}
	default:
		return servertest.Requirement{}
	}
}

// Missing is "" if servers of kind k can be run here, and otherwise one
// sentence that says what is missing and how to get it.
func Missing(k Kind) string {
	if _, err := ParseKind(string(k)); err != nil {
		return err.Error()
	}
	return k.Requirement().Missing()
}
