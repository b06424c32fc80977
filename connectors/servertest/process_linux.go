package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// A Process is a child that ends when this process ends, however that happens.
type Process struct {
	PID  int
	Done chan struct{} // closed once the child has been waited for
	Err  error         // how the child ended; read it only after done
}

// Spawn starts command. The kernel sends the parent-death signal when the
// thread that started the child ends, so the goroutine that starts it keeps
// its thread until the child has ended.
func Spawn(command *exec.Cmd) (*Process, error) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p := &Process{Done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.Done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		if err != nil {
			started <- err
			return
		}
		p.PID = command.Process.Pid
		started <- nil
		p.Err = command.Wait()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Kill ends the child and its process group and waits until it is gone. What
// it wrote is thrown away with its folder, so nothing asks it to be orderly.
func (p *Process) Kill() {
	select {
	case <-p.Done:
		return // its pid may belong to another process by now
	default:
	}
	_ = syscall.Kill(-p.PID, syscall.SIGKILL)
	<-p.Done
}

// KillStrays ends the servers that were started for the folder dir and outlived
// whoever started them: those that name it in their command line, as does the
// one that dscreate starts and detaches, or that write their log there, as
// Samba does, which replaces its command line.
func KillStrays(dir string) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return
	}
	for _, process := range processes {
		name, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil || !serverName.Match(name) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(process, "cmdline"))
		log, _ := os.Readlink(filepath.Join(process, "fd", "1"))
		if !strings.Contains(string(line), dir+"/") && !strings.HasPrefix(log, dir+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(process)); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// serverName matches the names of the servers' processes.
var serverName = regexp.MustCompile(`^(slapd|ns-slapd|samba)\b`)

// freeBytes is the room on the file system that holds dir.
func freeBytes(dir string) uint64 {
	var stat syscall.Statfs_t
	if syscall.Statfs(dir, &stat) != nil || stat.Bsize <= 0 {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize)
}

// OwnedByUs reports whether this process's user owns the file and nobody else may write it.
func OwnedByUs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// Unsupported is why no server can be run on this system, or "".
const Unsupported = ""

// flock takes the exclusive lock on f if nobody has it.
func flock(f *os.File) (taken bool, err error) {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK, syscall.EINTR:
		return false, nil
	default:
		return false, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
}
