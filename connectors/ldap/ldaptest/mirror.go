package ldaptest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"postern/connectors/servertest"
)

// mirror is a server's part in a pair that replicates in both directions.
type mirror struct {
	id   int    // 1 or 2
	peer string // the other's URL
	tls  string // the other's TLS folder, to be shared; "" makes one
}

// global is what slapd.conf says of it before the databases. The server IDs
// make entryCSNs of the two different.
func (m *mirror) global() string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("serverID %d\n", m.id)
}

// database is what the database's section says of it.
func (m *mirror) database(admin, base string) string {
	if m == nil {
		return ""
	}
	return strings.NewReplacer("{peer}", m.peer, "{admin}", admin, "{base}", base, "{password}", password).Replace(
		`syncrepl rid=001 provider={peer} type=refreshAndPersist retry="1 +" timeout=5 network-timeout=2
	searchbase="{base}" bindmethod=simple binddn="{admin}" credentials={password}
multiprovider on
`)
}

// A Mirror is two OpenLDAP servers that replicate to each other as they take
// writes. They have one authority.
type Mirror struct {
	Servers [2]*Server
	// Links are the ways to the servers that replication takes: Links[0] is how
	// the second gets what is written on the first.
	Links [2]*Proxy
}

// StartMirror runs a pair without the overlays that WithoutIntegrity leaves out.
// Otherwise it is as Start.
func StartMirror(t testing.TB) Mirror {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launchTime)
	defer cancel()
	var m Mirror
	pair, err := launchMirror(ctx, func(i int, url string) string {
		m.Links[i] = NewProxy(t, url)
		return m.Links[i].URL()
	})
	for _, s := range pair {
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
		s.tester = t
	}
	if err != nil {
		servertest.Leave(t, err)
	}
	m.Servers = [2]*Server(pair)
	return m
}

// launchMirror runs a pair that reach each other under what link makes of their
// URLs.
func launchMirror(ctx context.Context, link func(i int, url string) string) (pair []*Server, err error) {
	if missing := Missing(OpenLDAP); missing != "" {
		return nil, errors.New(missing)
	}
	for range 2 {
		dir, owner, err := scratch(ctx, "", OpenLDAP)
		if err != nil {
			return pair, err
		}
		s := &Server{Kind: OpenLDAP, Dir: dir, owner: owner, BindPassword: password, ServicePassword: password}
		pair = append(pair, s)
		a, err := servertest.FreePorts()
		if err != nil {
			return pair, err
		}
		s.setAddress(a)
	}
	pair[0].mirror = &mirror{id: 1, peer: link(1, pair[1].URL)}
	pair[1].mirror = &mirror{id: 2, peer: link(0, pair[0].URL), tls: pair[0].Dir + "/tls"}
	for i, s := range pair {
		command, seed, err := s.configureOpenLDAP([]Option{WithoutIntegrity})
		if err == nil && i == 1 {
			seed = nil // it comes from the first
		}
		if err == nil {
			err = s.boot(ctx, command, seed)
		}
		if err != nil {
			return pair, fmt.Errorf("%s did not start: %w%s", s.Kind, err, s.logTail())
		}
	}
	return pair, pair[1].awaitService(ctx)
}

// awaitService waits until the service, the last of the first entries, has
// arrived.
func (s *Server) awaitService(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := s.Dial(s.ServiceDN, s.ServicePassword)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

// Kill ends the server as a crash does. What it has stored stays for Restart.
func (s *Server) Kill() { s.process.Kill() }

// Restart runs a server again that was killed, and waits until it answers.
func (s *Server) Restart(ctx context.Context) error {
	log, err := os.OpenFile(s.logFile(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	command := exec.Command(s.command.Path, s.command.Args[1:]...)
	command.Stdout, command.Stderr = log, log
	if s.process, err = servertest.Spawn(command); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	conn, err := s.await(ctx)
	if err != nil {
		return fmt.Errorf("%s did not start again: %w%s", s.Kind, err, s.logTail())
	}
	return conn.Close()
}
