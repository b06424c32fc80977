package ldaptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"postern/connectors/servertest"
)

// Server is a running directory server.
type Server struct {
	Kind   Kind
	URL    string // ldap://host:port; simple binds in the clear and StartTLS are accepted
	TLSURL string // ldaps://host:port
	CAFile string // the authority of the server's certificate, PEM
	Dir    string // the server's own folder, removed by Stop

	Base         string // the suffix; on Active Directory the domain
	BindDN       string // the administrator, whom no limit and no access rule binds
	BindPassword string
	// ServiceDN is the identity the gateway should bind with: an ordinary entry
	// that may read and write the people and the groups, without size limits.
	// On OpenLDAP it has manage rights (so also relax) below the suffix, on
	// 389-DS all rights below the suffix, on Active Directory it is a member of
	// Account Operators, which may not create or delete organizational units.
	ServiceDN       string
	ServicePassword string

	// ClientCert and ClientKey are the files of a certificate with which OpenLDAP
	// takes a SASL EXTERNAL bind for the service's. They are empty elsewhere.
	ClientCert, ClientKey string
	// KDC is the host:port of the Kerberos service, Principal the service's name
	// there and Keytab the file of its keys. They are empty without WithKDC.
	KDC, Principal, Keytab string

	PeopleBase string // an organizational unit for people
	GroupsBase string // an organizational unit for groups
	// Nobody is the DN that OpenLDAP's referential integrity puts in the place
	// of the last value it removes from an attribute. It is empty elsewhere.
	Nobody string

	address *servertest.Address
	mirror  *mirror // its part in a pair; nil without
	owner   *servertest.Lock
	command *exec.Cmd
	process *servertest.Process
	stop    sync.Once
	stopped error
	tester  any // the test that the server was started for
}

// Marker is a part of every DN and of every password that a server has from
// the start. Texts that contain it in any case have leaked from the directory.
const Marker = "zz-marker"

const password = "Passw0rd!" + Marker

const (
	peopleRDN  = "ou=" + Marker + "-people"
	groupsRDN  = "ou=" + Marker + "-groups"
	serviceRDN = "cn=" + Marker + "-scim"
)

// startTime bounds one attempt at a start once its template is there.
const startTime = 30 * time.Second

// dialTime bounds one attempt to connect, with the TLS handshake.
const dialTime = 10 * time.Second

// Launch starts a server of kind k in a new folder under dir, or under the
// fastest temporary folder if dir is empty. The caller must Stop it. ctx bounds
// the start alone. A start that fails is tried once more.
func Launch(ctx context.Context, k Kind, dir string, options ...Option) (*Server, error) {
	if missing := Missing(k); missing != "" {
		return nil, errors.New(missing)
	}
	if k == ActiveDirectory && has(options, WithoutIntegrity) {
		return nil, fmt.Errorf("%s always keeps referential integrity", k)
	}
	var failures []error
	for range 2 {
		s, err := launch(ctx, k, dir, options)
		if err == nil {
			return s, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}

func launch(ctx context.Context, k Kind, parent string, options []Option) (*Server, error) {
	dir, owner, err := scratch(ctx, parent, k)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k, err)
	}
	s := &Server{Kind: k, Dir: dir, owner: owner, BindPassword: password, ServicePassword: password}
	if err := s.start(ctx, options); err != nil {
		err = fmt.Errorf("%s did not start: %w%s", k, err, s.logTail())
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// maxRoot bounds the path of the folder for the servers' folders: some of
// them keep sockets some levels down, whose paths may have 107 bytes (unix(7)).
const maxRoot = 45

// scratch makes a folder for one server of a kind, as [servertest.Scratch] does.
func scratch(ctx context.Context, parent string, kind Kind) (string, *servertest.Lock, error) {
	dir, owner, err := servertest.Scratch(ctx, parent, string(kind))
	if root := filepath.Dir(dir); err == nil && kind != OpenLDAP && len(root) > maxRoot {
		err = errors.Join(fmt.Errorf("the path of the folder %q is too long for the sockets in it", root), os.RemoveAll(dir))
		owner.Release()
	}
	return dir, owner, err
}

// start configures the server in its folder and boots it.
func (s *Server) start(ctx context.Context, options []Option) error {
	command, seed, err := s.configure(ctx, options)
	if err != nil {
		return err
	}
	return s.boot(ctx, command, seed)
}

// configure answers the command that runs the server, and its first entries.
func (s *Server) configure(ctx context.Context, options []Option) (*exec.Cmd, []*ldap.AddRequest, error) {
	switch s.Kind {
	case OpenLDAP:
		return s.configureOpenLDAP(options)
	case DS389:
		return s.configureDS389(ctx, options)
	default:
		return s.configureSamba(ctx, options)
	}
}

// boot runs the server and adds its first entries.
func (s *Server) boot(ctx context.Context, command *exec.Cmd, seed []*ldap.AddRequest) error {
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	command.Stdout, command.Stderr = log, log
	s.command = command
	if s.process, err = servertest.Spawn(command); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	conn, err := s.await(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, r := range seed {
		if err := conn.Add(r); err != nil {
			return fmt.Errorf("adding %q: %w", r.DN, err)
		}
	}
	switch s.Kind {
	case DS389:
		return grantDS389(conn, s)
	case ActiveDirectory:
		return errors.Join(grantSamba(conn, s), s.exportKeytab(ctx, conn))
	default:
		return nil // Its configuration grants.
	}
}

// setAddress gives the server its address and the names that follow from it.
func (s *Server) setAddress(a *servertest.Address) {
	s.address, s.URL, s.TLSURL = a, "ldap://"+servertest.Join(a.Host, a.Plain), "ldaps://"+servertest.Join(a.Host, a.TLS)
}

// setBase gives the server its suffix and the names that follow from it.
func (s *Server) setBase(base, bindDN, serviceParent string) {
	s.Base, s.BindDN = base, bindDN
	s.PeopleBase, s.GroupsBase = peopleRDN+","+base, groupsRDN+","+base
	s.ServiceDN = serviceRDN + "," + serviceParent
}

// await is the administrator's connection, as soon as the server takes it.
func (s *Server) await(ctx context.Context) (*ldap.Conn, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := s.Dial(s.BindDN, s.BindPassword)
		if err == nil {
			return conn, nil
		}
		select {
		case <-tick.C:
		case <-s.process.Done:
			return nil, fmt.Errorf("it ended: %v", s.process.Err)
		case <-ctx.Done():
			return nil, errors.Join(err, context.Cause(ctx))
		}
	}
}

// Dial opens a connection over verified TLS and binds as dn; with an empty dn
// it stays anonymous. The caller closes the connection.
func (s *Server) Dial(dn, password string) (*ldap.Conn, error) {
	config, err := s.TLSConfig()
	if err != nil {
		return nil, err
	}
	conn, err := ldap.DialURL(s.TLSURL, ldap.DialWithTLSConfig(config), ldap.DialWithDialer(&net.Dialer{Timeout: dialTime}))
	if err != nil || dn == "" {
		return conn, err
	}
	conn.SetTimeout(time.Minute)
	if err := conn.Bind(dn, password); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// TLSConfig trusts the authority of the server's certificate and no other.
func (s *Server) TLSConfig() (*tls.Config, error) {
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%q holds no certificate", s.CAFile)
	}
	u, err := url.Parse(s.TLSURL)
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: pool, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}, nil
}

// PID is the server's process.
func (s *Server) PID() int { return s.process.PID }

// Stop ends the server, waits until it is gone and removes its folder.
// Stopping it again does nothing and answers the same.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		if s.process != nil {
			s.process.Kill()
		}
		if s.address != nil {
			s.address.Release()
		}
		s.stopped = os.RemoveAll(s.Dir)
		s.owner.Release()
	})
	return s.stopped
}

// SafeMarkers are texts that name the directory behind the gateway: parts of
// its DNs, its addresses, its passwords. None of them, in any case of letters,
// may appear in what a client is shown.
func (s *Server) SafeMarkers() []string {
	host := func(u string) string {
		_, hostPort, _ := strings.Cut(u, "://")
		return hostPort
	}
	markers := []string{Marker, s.Base, host(s.URL), host(s.TLSURL), "ldap://", "ldaps://", s.BindDN}
	if s.Kind == ActiveDirectory {
		markers = append(markers, s.address.Host) // An address of its own: nothing else has it.
	}
	return markers
}

// Leak is the first of the SafeMarkers that text contains, or "".
func (s *Server) Leak(text string) string {
	text = strings.ToLower(text)
	for _, m := range s.SafeMarkers() {
		if strings.Contains(text, strings.ToLower(m)) {
			return m
		}
	}
	return ""
}

func (s *Server) logFile() string { return filepath.Join(s.Dir, "output.log") }

// logTail is the end of what the server wrote, to stand after an error.
func (s *Server) logTail() string {
	const lines = 20
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return ""
	}
	return servertest.LastLines(string(text), lines)
}
