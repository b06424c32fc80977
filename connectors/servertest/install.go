package servertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Install gets what is missing here of the requirements, and writes what it does
// to out. It can do so on Debian and its kin, as root; elsewhere its error says
// what is missing and what to do. A second Install waits for the first.
func Install(ctx context.Context, out io.Writer, rs ...Requirement) error {
	if Unsupported != "" {
		return errors.New(Unsupported)
	}
	if len(absentPackages(rs)) == 0 {
		return ready(rs)
	}
	if _, err := LookProgram("apt-get"); err != nil || os.Geteuid() != 0 {
		return ready(rs) // Missing says what to do.
	}
	root, err := UserDir(os.TempDir())
	if err != nil {
		return err
	}
	one, err := WaitLock(ctx, filepath.Join(root, "install.lock"))
	if err != nil {
		return err
	}
	defer one.Release()
	packages := absentPackages(rs)
	if len(packages) == 0 {
		return ready(rs) // Installed by whoever had the lock.
	}
	fmt.Fprintf(out, "installing %s\n", strings.Join(packages, " "))
	return errors.Join(withoutServices(servicePolicy, func() error {
		if err := aptGet(ctx, out, "update", "-q"); err != nil {
			return err
		}
		return aptGet(ctx, out, append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...)
	}), ready(rs))
}

// ready is what Missing says of each requirement.
func ready(rs []Requirement) error {
	var missing []error
	for _, r := range rs {
		if m := r.Missing(); m != "" {
			missing = append(missing, errors.New(m))
		}
	}
	return errors.Join(missing...)
}

// absentPackages are the packages of the requirements that are not wholly here.
func absentPackages(rs []Requirement) []string {
	var packages []string
	for _, r := range rs {
		if len(r.Absent()) > 0 {
			packages = append(packages, r.Packages...)
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

func aptGet(ctx context.Context, out io.Writer, arguments ...string) error {
	// Another apt may be at work, as on a machine that has just started.
	arguments = append([]string{"-o", "DPkg::Lock::Timeout=300"}, arguments...)
	command := exec.CommandContext(ctx, "apt-get", arguments...)
	command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	command.Stdout, command.Stderr = out, out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // Never in the middle of a package.
	if err := command.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w", strings.Join(arguments, " "), err)
	}
	return nil
}

// servicePolicy is asked by Debian's packages whether a service may start.
const servicePolicy = "/usr/sbin/policy-rc.d"

// withoutServices runs install while the file policy forbids packages to start
// a service: slapd's would otherwise listen on every address.
func withoutServices(policy string, install func() error) error {
	file, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return install() // The machine has a policy of its own.
	}
	if err != nil {
		return err
	}
	_, err = file.WriteString("#!/bin/sh\nexit 101\n") // 101: the action is forbidden.
	if err = errors.Join(err, file.Close()); err == nil {
		err = install()
	}
	return errors.Join(err, os.Remove(policy))
}
