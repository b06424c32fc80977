package ldaptest

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

// Install gets the servers of the kinds (of all kinds if none is named) that
// are missing here, and writes what it does to out. It can do so on Debian and
// its kin, as root; elsewhere its error says what is missing and what to do. A
// second Install waits for the first.
func Install(ctx context.Context, out io.Writer, kinds ...Kind) error {
	if unsupported != "" {
		return errors.New(unsupported)
	}
	if len(kinds) == 0 {
		kinds = Kinds()
	}
	if len(absentPackages(kinds)) == 0 {
		return ready(kinds)
	}
	if _, err := lookProgram("apt-get"); err != nil || os.Geteuid() != 0 {
		return ready(kinds) // Missing says what to do.
	}
	root, err := userDir(os.TempDir())
	if err != nil {
		return err
	}
	one, err := waitLock(ctx, filepath.Join(root, "install.lock"))
	if err != nil {
		return err
	}
	defer one.release()
	packages := absentPackages(kinds)
	if len(packages) == 0 {
		return ready(kinds) // Installed by whoever had the lock.
	}
	fmt.Fprintf(out, "installing %s\n", strings.Join(packages, " "))
	return errors.Join(withoutServices(servicePolicy, func() error {
		if err := aptGet(ctx, out, "update", "-q"); err != nil {
			return err
		}
		return aptGet(ctx, out, append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...)
	}), ready(kinds))
}

// ready is what Missing says of each kind.
func ready(kinds []Kind) error {
	var missing []error
	for _, k := range kinds {
		if m := Missing(k); m != "" {
			missing = append(missing, errors.New(m))
		}
	}
	return errors.Join(missing...)
}

// absentPackages are the packages of the kinds that are not wholly here.
func absentPackages(kinds []Kind) []string {
	var packages []string
	for _, k := range kinds {
		if r := k.requirement(); len(r.absent()) > 0 {
			packages = append(packages, r.packages...)
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
