package ldaptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"postern/connectors/servertest"
)

func eachKind(t *testing.T, f func(t *testing.T, k Kind)) {
	for _, k := range Kinds() {
		t.Run(string(k), func(t *testing.T) { f(t, k) })
	}
}

func personIn(s *Server, ou OU, name string) *ldap.AddRequest {
	if s.Kind == ActiveDirectory {
		return addition("cn="+name+","+ou.People, "objectClass", "user", "sAMAccountName", name)
	}
	return addition("uid="+name+","+ou.People, "objectClass", "inetOrgPerson", "cn", name, "sn", name)
}

func groupIn(s *Server, ou OU, name string, members ...string) *ldap.AddRequest {
	class := "groupOfNames"
	if s.Kind == ActiveDirectory {
		class = "group"
	}
	r := addition("cn="+name+","+ou.Groups, "objectClass", class)
	r.Attribute("member", members)
	return r
}

func service(t *testing.T, s *Server) *ldap.Conn {
	t.Helper()
	conn, err := s.Dial(s.ServiceDN, s.ServicePassword)
	if err != nil {
		t.Fatalf("binding as the service: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func membersOf(t *testing.T, conn *ldap.Conn, dn string) []string {
	t.Helper()
	r, err := conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"member"}, nil))
	if err != nil {
		t.Fatalf("reading %q: %v", dn, err)
	}
	return r.Entries[0].GetAttributeValues("member")
}

func TestServer(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		s := Start(t, k)
		t.Run("the service works below its places", func(t *testing.T) {
			conn, ou := service(t, s), s.NewOU(t)
			p := personIn(s, ou, ou.Unique("ann"))
			if err := conn.Add(p); err != nil {
				t.Fatal(err)
			}
			g := groupIn(s, ou, "all", p.DN)
			if err := conn.Add(g); err != nil {
				t.Fatal(err)
			}
			if got := membersOf(t, conn, g.DN); len(got) != 1 || !strings.EqualFold(got[0], p.DN) {
				t.Errorf("members are %q, want %q", got, p.DN)
			}
			if s.Leak(g.DN) == "" {
				t.Errorf("the name %q has no marker", g.DN)
			}
		})
		t.Run("its certificate is verified", func(t *testing.T) {
			_, err := ldap.DialURL(s.TLSURL, ldap.DialWithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
			var unknown *tls.CertificateVerificationError
			if !errors.As(err, &unknown) {
				t.Errorf("without its authority: %v, want a verification error", err)
			}
		})
		t.Run("it takes plain binds and StartTLS", func(t *testing.T) {
			conn, err := ldap.DialURL(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := conn.Bind(s.ServiceDN, s.ServicePassword); err != nil {
				t.Errorf("plain bind: %v", err)
			}
			secure, err := ldap.DialURL(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = secure.Close() }()
			config, err := s.TLSConfig()
			if err != nil {
				t.Fatal(err)
			}
			if err := secure.StartTLS(config); err != nil {
				t.Errorf("StartTLS: %v", err)
			}
		})
		t.Run("it listens on loopback only", func(t *testing.T) {
			for _, u := range []string{s.URL, s.TLSURL} {
				_, port, err := net.SplitHostPort(strings.SplitN(u, "://", 2)[1])
				if err != nil {
					t.Fatal(err)
				}
				addresses, err := net.InterfaceAddrs()
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range addresses {
					ip := a.(*net.IPNet).IP
					if ip.IsLoopback() || ip.To4() == nil {
						continue
					}
					if conn, err := net.Dial("tcp", net.JoinHostPort(ip.String(), port)); err == nil {
						t.Errorf("it answers on %s", conn.RemoteAddr())
						_ = conn.Close()
					}
				}
			}
		})
		t.Run("a place is removed with its test", func(t *testing.T) {
			var ou OU
			t.Run("inner", func(t *testing.T) {
				ou = s.NewOU(t)
				if err := s.Admin(t).Add(personIn(s, ou, ou.Unique("bob"))); err != nil {
					t.Fatal(err)
				}
			})
			_, err := s.Admin(t).Search(ldap.NewSearchRequest(ou.Base, ldap.ScopeBaseObject, ldap.NeverDerefAliases,
				0, 0, false, "(objectClass=*)", nil, nil))
			if !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
				t.Errorf("reading the place afterwards: %v, want no such object", err)
			}
		})
	})
}

func TestStopLeavesNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		s := Start(t, k)
		pid := s.PID()
		if !alive(pid) {
			t.Fatalf("process %d does not run", pid)
		}
		for range 2 {
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
		}
		if alive(pid) {
			t.Errorf("process %d still runs", pid)
		}
		if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its folder: %v, want none", err)
		}
		again, err := servertest.Take(s.address.Host, s.address.Plain, s.address.TLS)
		if err != nil || again == nil {
			t.Fatalf("its address is still taken (%v)", err)
		}
		again.Release()
	})
}

func TestStartInParallel(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		if m := Missing(k); m != "" && !servertest.Required() {
			t.Skip(m)
		}
		var wg sync.WaitGroup
		servers := make([]*Server, 2)
		for i := range servers {
			wg.Go(func() {
				s, err := Launch(t.Context(), k, "")
				if err != nil {
					t.Error(err)
					return
				}
				servers[i] = s
			})
		}
		wg.Wait()
		for _, s := range servers {
			if s == nil {
				continue
			}
			if _, err := s.Dial(s.ServiceDN, s.ServicePassword); err != nil {
				t.Errorf("%s: %v", s.URL, err)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}
		if !t.Failed() && servers[0].URL == servers[1].URL {
			t.Errorf("both are at %s", servers[0].URL)
		}
	})
}

func TestLaunchStopsWithItsContext(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		if m := Missing(k); m != "" && !servertest.Required() {
			t.Skip(m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		dir, err := os.MkdirTemp("", "ldaptest-") // That of the test is too long for sockets.
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		s, err := Launch(ctx, k, dir)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("Launch: %v, %v; want the context's error", s, err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*", string(k)+"-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("it left %q (%v)", left, err)
		}
	})
}

// recorder is a test that keeps how it ended.
type recorder struct {
	testing.TB
	fatal, skip string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(a ...any) {
	r.fatal = fmt.Sprint(a...)
	runtime.Goexit()
}

func (r *recorder) Skip(a ...any) {
	r.skip = fmt.Sprint(a...)
	runtime.Goexit()
}

func TestStartWithoutServer(t *testing.T) {
	tests := []struct {
		ci, servers string
		fatal       bool
	}{
		{"", "", false}, {"true", "", true}, {"false", "", false}, {"", "require", true}, {"", "optional", false},
	}
	for _, test := range tests {
		t.Setenv("CI", test.ci)
		t.Setenv("POSTERN_SERVERS", test.servers)
		r := &recorder{TB: t}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			Start(r, "novell")
		}()
		<-ended
		const want = `no kind of directory server is called "novell"`
		got, other := r.skip, r.fatal
		if test.fatal {
			got, other = r.fatal, r.skip
		}
		if !strings.Contains(got, want) || other != "" {
			t.Errorf("CI=%q POSTERN_SERVERS=%q: failed with %q, skipped with %q", test.ci, test.servers, r.fatal, r.skip)
		}
	}
}

// A server that can not start says why, here that its port is taken.
func TestFailureHasLog(t *testing.T) {
	eachKind(t, func(t *testing.T, k Kind) {
		if m := Missing(k); m != "" && !servertest.Required() {
			t.Skip(m)
		}
		dir, owner, err := scratch(t.Context(), "", k)
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{Kind: k, Dir: dir, owner: owner, BindPassword: password, ServicePassword: password}
		defer func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}()
		command, seed, err := s.configure(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range []int{s.address.Plain, s.address.TLS} {
			l, err := net.Listen("tcp", servertest.Join(s.address.Host, port))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_ = conn.Close()
				}
			}()
		}
		if err := s.boot(t.Context(), command, seed); err == nil {
			t.Error("it started on a taken port")
		}
		if tail, want := s.logTail(), map[Kind]string{
			OpenLDAP: "Address already in use", DS389: "address is in use", ActiveDirectory: "ADDRESS_ALREADY_ASSOCIATED",
		}[k]; !strings.Contains(tail, want) {
			t.Errorf("the tail of the log is %q, want %q in it", tail, want)
		}
	})
}
