package servertest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestWithoutServices(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy-rc.d")
	failure := errors.New("no network")
	err := withoutServices(policy, func() error {
		var refused *exec.ExitError
		if err := exec.Command(policy, "slapd", "start").Run(); !errors.As(err, &refused) || refused.ExitCode() != 101 {
			t.Errorf("asked whether slapd may start, the policy answered %v, want exit status 101", err)
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("it answered %v, want %v", err, failure)
	}
	if _, err := os.Stat(policy); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the policy afterwards: %v, want none", err)
	}
	const own = "#!/bin/sh\nexit 0\n"
	if err := os.WriteFile(policy, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := withoutServices(policy, func() error { return nil }); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(policy); err != nil || string(text) != own {
		t.Errorf("the machine's own policy is now %q (%v)", text, err)
	}
}
