package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"postern/connectors/ldap/wire"
)

// A dialer opens bound connections to one server.
type dialer struct {
	url      string
	host     string
	address  string
	tls      *tls.Config // nil is a connection in the clear
	startTLS bool
	bind     binder
}

// dialers returns one dialer for each of the servers.
func dialers(c Config, servers []string) ([]*dialer, error) {
	var roots *x509.CertPool
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authority: %q holds no PEM certificate", c.TLS.CAFile)
		}
	}
	bind, err := c.binder()
	if err != nil {
		return nil, err
	}
	if c.TLS.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile); err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
	}
	var ds []*dialer
	for _, s := range servers {
		u, err := url.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("server %q is not a URL", s)
		}
		d := &dialer{url: s, bind: bind}
		port := u.Port()
		switch u.Scheme {
		case "ldap":
			d.startTLS = c.StartTLS
			if port == "" {
				port = "389"
			}
		case "ldaps":
			if port == "" {
				port = "636"
			}
		default:
			return nil, fmt.Errorf("server %q is neither ldap:// nor ldaps://", s)
		}
		if u.Hostname() == "" {
			return nil, fmt.Errorf("server %q names no host", s)
		}
		if u.Scheme == "ldaps" || d.startTLS {
			name := c.TLS.ServerName
			if name == "" {
				name = u.Hostname()
			}
			d.tls = &tls.Config{
				MinVersion:         tls.VersionTLS12,
				ServerName:         name,
				RootCAs:            roots,
				InsecureSkipVerify: c.TLS.InsecureSkipVerify, // the administrator's explicit choice
			}
		}
		if d.tls != nil && c.TLS.CertFile != "" {
			// Read again for each connection: the files may have been renewed.
			d.tls.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				pair, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
				return &pair, err
			}
		}
		d.host = u.Hostname()
		d.address = net.JoinHostPort(u.Hostname(), port)
		ds = append(ds, d)
	}
	return ds, nil
}

// dial connects, secures and binds.
func (d *dialer) dial(ctx context.Context) (*wire.Conn, error) {
	nc, err := d.secure(ctx)
	if err != nil {
		return nil, err
	}
	conn := wire.New(nc, 0)
	if err := d.bind.bind(ctx, conn, d); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// secure connects, and upgrades to TLS where that is wanted.
func (d *dialer) secure(ctx context.Context) (net.Conn, error) {
	nd := net.Dialer{KeepAlive: 15 * time.Second}
	nc, err := nd.DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	var secured net.Conn
	switch {
	case d.tls == nil:
		return nc, nil
	case d.startTLS:
		secured, err = wire.StartTLS(ctx, nc, d.tls)
	default:
		tc := tls.Client(nc, d.tls)
		secured, err = tc, tc.HandshakeContext(ctx)
		if err != nil {
			err = fmt.Errorf("TLS: %w", err)
		}
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return secured, nil
}
