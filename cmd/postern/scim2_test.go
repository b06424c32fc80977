package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postern/connectors/ldap/ldaptest"
	"postern/mapping"
)

// TestSCIM2Tester runs scim2-tester, a conformance checker that was written
// elsewhere, against the gateway: it makes, reads, replaces, patches and deletes
// resources with random values of every attribute that /Schemas tells of. go run
// ./cmd/test installs it and says where it is.
func TestSCIM2Tester(t *testing.T) {
	command := os.Getenv("POSTERN_SCIM2")
	if command == "" {
		t.Skip("POSTERN_SCIM2 does not name the command scim2: go run ./cmd/test installs it")
	}
	for _, kind := range []ldaptest.Kind{ldaptest.OpenLDAP, ldaptest.ActiveDirectory} {
		t.Run(string(kind), func(t *testing.T) {
			s := ldaptest.Start(t, kind)
			t.Run("everything", func(t *testing.T) {
				c, maps := directoryConfig(t, s, anythingGoes[kind]...)
				expectSCIM2(t, command, c, maps, nil)
			})
			if findings, ok := sampleFindings[kind]; ok {
				t.Run("sample", func(t *testing.T) {
					c, maps := directoryConfig(t, s)
					expectSCIM2(t, command, c, maps, findings)
				})
			}
		})
	}
}

// sampleFindings is what the checker has to say of a sample as it stands. It takes
// away each attribute in turn, and a directory does not let all of them go: an
// account is active or it is not, and what the schema demands (cn and sn of an
// inetOrgPerson) comes back as its default. Active Directory's is not tried so:
// its employeeID takes 16 characters and its country two, and the checker sends 36.
var sampleFindings = map[ldaptest.Kind][]string{
	ldaptest.OpenLDAP: {
		"ERROR check_remove_attribute: PATCH modify() did not remove attribute 'name'",
		"ERROR check_remove_attribute: Failed to remove attribute 'active': active can be changed but not removed",
	},
}

// anythingGoes changes the samples, by pairs of what is replaced, to mappings of
// which every attribute takes any value of its type and, if it is not required,
// can be taken away: there the checker has to find nothing.
var anythingGoes = map[ldaptest.Kind][]string{
	ldaptest.OpenLDAP: {
		`name.formatted:                             { attr: cn, default: ["{name.givenName} {name.familyName}", "{displayName}", "{userName}"] }`, `name.formatted:  description`,
		`name.familyName:                            { attr: sn, default: "{userName}" }`, `name.familyName:  initials`,
		`{ attr: pwdAccountLockedTime, codec: ppolicy-locked }`, `{ attr: pwdReset, codec: boolean }`,
		"\n  Group:\n", "    constants: { cn: one, sn: one }\n\n  Group:\n",
	},
	ldaptest.ActiveDirectory: {
		`{ attr: userAccountControl, codec: ad-enabled }`, `{ attr: msNPAllowDialin, codec: boolean }`,
		`addresses[type eq "work"].country:          c `, `addresses[type eq "work"].country:  co `,
		`User:employeeNumber: employeeID`, `User:employeeNumber: employeeNumber`,
	},
}

// finding is one result of the checker: its status and the check's name, and the
// reason on the next line.
var finding = regexp.MustCompile(`(?m)^(SUCCESS|[A-Z]+) (\w+)\n  (.*)$`)

func expectSCIM2(t *testing.T, command string, c Config, maps []*mapping.Mapping, want []string) {
	t.Helper()
	w := openApp(t, c, maps)
	cmd := exec.CommandContext(t.Context(), command, "--url", w.base, "test")
	cmd.Env = append(os.Environ(), "SCIM_CLI_HEADERS=Authorization: Bearer "+w.token, "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	var found []string
	passed := 0
	for _, f := range finding.FindAllStringSubmatch(string(out), -1) {
		if f[1] == "SUCCESS" {
			passed++
			continue
		}
		found = append(found, f[1]+" "+f[2]+": "+f[3])
	}
	if passed < 50 {
		t.Errorf("only %d checks passed", passed)
	}
	for _, f := range found {
		if !slices.Contains(want, f) {
			t.Errorf("found %s", f)
		}
	}
	for _, f := range want {
		if !slices.Contains(found, f) {
			t.Errorf("no longer found, take it out: %s", f)
		}
	}
	if t.Failed() {
		t.Logf("%v\n%s", err, strings.ReplaceAll(string(out), w.token, "…"))
	}
	t.Logf("%d checks passed", passed)
}
