//go:build !linux

package servertest

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// Unsupported is why no server can be run on this system, or "".
const Unsupported = "the real servers for tests run on Linux only, not on " + runtime.GOOS

type Process struct {
	PID  int
	Done chan struct{}
	Err  error
}

func Spawn(*exec.Cmd) (*Process, error) { return nil, errors.New(Unsupported) }

func (p *Process) Kill() {}

func KillStrays(string) {}

func freeBytes(string) uint64 { return 0 }

func OwnedByUs(os.FileInfo) bool { return false }

func flock(*os.File) (bool, error) { return false, errors.New(Unsupported) }
