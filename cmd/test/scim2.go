package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// scim2Packages are the conformance checker scim2-tester and what it stands on,
// pinned: another version may ask for something else.
var scim2Packages = []string{"scim2-tester==0.5.2", "scim2-cli==0.6.0", "scim2-client==0.13.2", "scim2-models==0.12.3"}

// scim2Variable tells the tests where the checker is.
const scim2Variable = "POSTERN_SCIM2"

// installSCIM2 returns the path of the checker's command, in a virtual
// environment of its own that is made where it is not there yet.
func installSCIM2(ctx context.Context, out io.Writer) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("there is no python3 here")
	}
	home := filepath.Join(cache, "postern-scim2-tester", strings.NewReplacer("=", "", "scim2-", "").Replace(strings.Join(scim2Packages, "-")))
	command := filepath.Join(home, "bin", "scim2")
	if exec.CommandContext(ctx, command, "--help").Run() == nil {
		return command, nil
	}
	fmt.Fprintf(out, "installing %s\n", strings.Join(scim2Packages, " "))
	if err := runQuietly(ctx, python, "-m", "venv", "--clear", home); err != nil {
		if err := installVenv(ctx, out); err != nil {
			return "", err
		}
		if err := runQuietly(ctx, python, "-m", "venv", "--clear", home); err != nil {
			return "", err
		}
	}
	if err := runQuietly(ctx, filepath.Join(home, "bin", "python"), append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, scim2Packages...)...); err != nil {
		return "", err
	}
	return command, runQuietly(ctx, command, "--help")
}

// installVenv gets what Debian keeps apart from Python.
func installVenv(ctx context.Context, out io.Writer) error {
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("python3 can not make a virtual environment here (on Debian: apt-get install python3-venv)")
	}
	fmt.Fprintln(out, "installing python3-venv")
	return errors.Join(runQuietly(ctx, "apt-get", "update", "-q"), runQuietly(ctx, "apt-get", "install", "-q", "-y", "--no-install-recommends", "python3-venv"))
}

// runQuietly runs a command whose output matters only when it fails.
func runQuietly(ctx context.Context, name string, args ...string) error {
	if text, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %.2000s", name, strings.Join(args, " "), err, text)
	}
	return nil
}
