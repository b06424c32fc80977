package servertest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A Requirement is what a kind of server needs on the machine.
type Requirement struct {
	Name     string // of the kind, for messages
	Programs []string
	Files    []string // that come with packages of their own
	Packages []string // Debian's
	Root     bool     // it runs as root only
}

// Absent lists the programs and files of the requirement that are not here.
func (r Requirement) Absent() []string {
	var list []string
	for _, name := range r.Programs {
		if _, err := LookProgram(name); err != nil {
			list = append(list, name)
		}
	}
	for _, name := range r.Files {
		if _, err := os.Stat(name); os.IsNotExist(err) {
			list = append(list, name)
		}
	}
	return list
}

// Missing is "" if such servers can be run here, and otherwise one sentence that
// says what is missing and how to get it.
func (r Requirement) Missing() string {
	if Unsupported != "" {
		return Unsupported
	}
	if absent := r.Absent(); len(absent) > 0 {
		return fmt.Sprintf("%s is not installed here (no %s): on Debian run \"apt-get install --no-install-recommends %s\" as root",
			r.Name, strings.Join(absent, ", "), strings.Join(r.Packages, " "))
	}
	if r.Root && os.Geteuid() != 0 {
		return fmt.Sprintf("%s can only be run by root: run the tests as root, in a container for instance", r.Name)
	}
	return ""
}

// Required reports whether a server that cannot be run is a failure: with
// CI=true or POSTERN_SERVERS=require in the environment.
func Required() bool {
	return os.Getenv("CI") == "true" || os.Getenv("POSTERN_SERVERS") == "require"
}

// Leave ends a test whose server can not be run: it fails where that is a failure,
// and is skipped with the reason elsewhere.
func Leave(t testing.TB, err error) {
	t.Helper()
	if Required() {
		t.Fatal(err)
	}
	t.Skip(err)
}
