package ldaptest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern/connectors/servertest"
)

// childEnv names, for the test's own program, the kind of server to run.
const childEnv = "LDAPTEST_CHILD"

func TestMain(m *testing.M) {
	if k := os.Getenv(childEnv); k != "" {
		os.Exit(child(Kind(k)))
	}
	os.Exit(m.Run())
}

// child runs a server, says where it is, and waits until it is killed or its
// input ends.
func child(k Kind) int {
	s, err := Launch(context.Background(), k, "")
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("started", s.PID(), s.address.Host, s.address.TLS, s.Dir)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := s.Stop(); err != nil {
		return 1
	}
	return 0
}

// Two processes run a server each; one is killed. Its server dies with it, the
// other lives on, and the next start removes what the killed one left.
func TestStartInProcesses(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		if m := Missing(k); m != "" && !servertest.Required() {
			t.Skip(m)
		}
		killed, other := startChild(t, k), startChild(t, k)
		killed.await(t)
		other.await(t)
		if killed.server == other.server {
			t.Fatalf("both are at %s", other.server)
		}
		conn, err := net.Dial("tcp", killed.server)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := killed.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = killed.command.Wait()
		// The connection ends when the server does.
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the server %d outlived the process that started it", killed.pid)
		}
		if !alive(other.pid) {
			t.Errorf("the server of the other process ended too")
		}
		dir, owner, err := scratch(t.Context(), "", k)
		if err != nil {
			t.Fatal(err)
		}
		owner.Release()
		_ = os.RemoveAll(dir)
		// Perhaps another process has cleared it away already, when it started a server.
		if _, err := os.Stat(killed.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder of the killed process: %v, want none", err)
		}
		if _, err := os.Stat(other.dir); err != nil {
			t.Errorf("the folder of the other process: %v", err)
		}
	})
}

func TestKillStrays(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		s, other := Start(t, k), Start(t, k)
		servertest.KillStrays(s.Dir)
		select {
		case <-s.process.Done:
		case <-time.After(20 * time.Second):
			t.Errorf("the server %d still runs", s.PID())
		}
		if !alive(other.PID()) {
			t.Errorf("the server of another folder ended too")
		}
	})
}

type childProcess struct {
	command     *exec.Cmd
	output      *bufio.Reader
	pid         int
	server, dir string
}

func startChild(t *testing.T, k Kind) *childProcess {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childEnv+"="+string(k))
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	return &childProcess{command: command, output: bufio.NewReader(stdout)}
}

func (c *childProcess) await(t *testing.T) {
	t.Helper()
	line, err := c.output.ReadString('\n')
	if err != nil {
		t.Fatalf("the child ended: %v", err)
	}
	var host, port string
	if _, err := fmt.Sscanf(line, "started %d %s %s %s", &c.pid, &host, &port, &c.dir); err != nil {
		t.Fatalf("the child said %q", line)
	}
	c.server = net.JoinHostPort(host, port)
}

// alive reports whether the process runs; one that only waits to be reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
