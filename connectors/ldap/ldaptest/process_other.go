//go:build !linux

package ldaptest

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// unsupported is why no server can be run on this system, or "".
const unsupported = "the directory servers for tests run on Linux only, not on " + runtime.GOOS

type process struct {
	pid  int
	done chan struct{}
	err  error
}

func spawn(*exec.Cmd) (*process, error) { return nil, errors.New(unsupported) }

func (p *process) kill() {}

func killStrays(string) {}

func freeBytes(string) uint64 { return 0 }

func ownedByUs(os.FileInfo) bool { return false }

func flock(*os.File) (bool, error) { return false, errors.New(unsupported) }
