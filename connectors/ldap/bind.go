package ldap

import (
	"context"
	"errors"
	"fmt"

	"postern/connectors/ldap/wire"
)

// A binder makes a new connection that of the bind identity.
type binder interface {
	bind(ctx context.Context, conn *wire.Conn, d *dialer) error
}

// The ways to bind that Config.BindMethod takes.
const (
	BindSimple   = "simple"   // BindDN and Password; without a BindDN anonymous
	BindExternal = "external" // SASL EXTERNAL: who the client certificate is of
	BindKerberos = "kerberos" // SASL GSSAPI: see KerberosConfig
)

// binder returns how the configuration binds.
func (c Config) binder() (binder, error) {
	switch c.BindMethod {
	case "", BindSimple:
		if c.BindDN == "" {
			return anonymous{}, nil
		}
		return simple{c.BindDN, c.Password}, nil
	case BindExternal:
		if c.TLS.CertFile == "" {
			return nil, errors.New("an external bind needs a client certificate")
		}
		return external{}, nil
	case BindKerberos:
		return newKerberos(c.Kerberos)
	default:
		return nil, fmt.Errorf("there is no way to bind that is called %q", c.BindMethod)
	}
}

type anonymous struct{}

func (anonymous) bind(context.Context, *wire.Conn, *dialer) error { return nil }

type simple struct {
	dn       string
	password func() (string, error)
}

// A bind DN with an empty password would be an unauthenticated bind that
// succeeds (RFC 4513 §5.1.2), so it is refused here.
func (s simple) bind(ctx context.Context, conn *wire.Conn, _ *dialer) error {
	password := ""
	if s.password != nil {
		var err error
		if password, err = s.password(); err != nil {
			return fmt.Errorf("bind password: %w", err)
		}
	}
	if password == "" {
		return errors.New("the bind password is empty")
	}
	return bound(conn.Do(ctx, wire.AppendBind(nil, s.dn, password)))
}

// external is the SASL mechanism of RFC 4422 appendix A, without an
// authorization identity: the server knows whose the certificate is.
type external struct{}

func (external) bind(ctx context.Context, conn *wire.Conn, d *dialer) error {
	if d.tls == nil {
		return errors.New("an external bind needs TLS, and the connection has none")
	}
	return bound(conn.Do(ctx, wire.AppendSASLBind(nil, "EXTERNAL", "")))
}

// bound makes an error of an answer to a bind that is not success.
func bound(reply wire.Reply, err error) error {
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if reply.Code != wire.Success {
		return &wire.ResultError{Op: "bind", Result: reply.Result}
	}
	return nil
}
