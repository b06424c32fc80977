package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// advice says what an administrator can do about a server that this can not connect
// or bind to, or "".
func (d *dialer) advice(err error) string {
	_, stranger := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case stranger && d.tls != nil && d.tls.RootCAs != nil:
		return "its certificate is of another authority than those in tls: { ca: FILE }"
	case brokenOff(err) && d.tls == nil:
		return "is it a port for ldaps://? see the scheme and the port, and whether the server is well"
	case brokenOff(err) && !d.startTLS:
		return "does the server begin with TLS here? see the port; one that does not takes ldap:// with startTLS: true"
	}
	return advice(err)
}

// brokenOff reports whether a server was reached and the conversation did not get
// anywhere, as where one side speaks TLS and the other does not.
func brokenOff(err error) bool {
	op, network := errors.AsType[*net.OpError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return network && op.Op != "dial" || plain || !network && (errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded))
}

// advice says what an administrator can do about a server that can not be used, or "".
func advice(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "name the authority that signed its certificate: tls: { ca: FILE }"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "name the server as its certificate does, or say which name is in it: tls: { serverName: NAME }"
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "the server needs a certificate that is valid today"
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return "see whether the address is right, the server runs, and a firewall lets the connection through"
	}
	e, ok := errors.AsType[*wire.ResultError](err)
	if !ok {
		return ""
	}
	switch e.Code {
	case wire.InvalidCredentials, wire.NoSuchObject, wire.InvalidDNSyntax:
		return "see bind: dn and password" + adReason(e.Text)
	case wire.StrongAuthRequired, wire.ConfidentialityNeeded:
		return "use ldaps:// or startTLS: true"
	case wire.InsufficientAccess:
		return "grant the bind identity the right"
	case wire.UnwillingToPerform, wire.ConstraintViolation:
		return "see whether the account that binds is locked, or its password has expired"
	}
	return ""
}

// adReason says what a refused bind to Active Directory means: the number after "data"
// is a system error code in hexadecimal ([MS-ERREF] §2.2).
func adReason(text string) string {
	_, rest, _ := strings.Cut(text, "data ")
	code, _, _ := strings.Cut(rest, ",")
	reason := map[string]string{
		"525": "there is no such account", "52e": "the password is wrong", "530": "it may not sign in at this time", "532": "the password has expired",
		"533": "the account is disabled", "701": "the account has expired", "773": "the password must be changed first", "775": "the account is locked out",
	}[code]
	if reason == "" {
		return ""
	}
	return "; " + reason
}

// nearest is the hint at the name of the schema that a name may have been meant for,
// among those in lower case that are known.
func nearest[K ~string, V any](s *schema, name string, known map[K]V, otherwise string) string {
	names := make([]string, 0, len(known))
	for n := range known {
		names = append(names, string(n))
	}
	if near := configs.Nearest(strings.ToLower(name), names); near != "" {
		return "did you mean " + s.spelling[near] + "?"
	}
	return otherwise
}

// nearestAttr is nearest among the attributes of the schema.
func (s *schema) nearestAttr(a connectors.Attr, otherwise string) string {
	return nearest(s, string(a), s.matching, otherwise)
}

// nearestClass is nearest among the object classes of the schema.
func (s *schema) nearestClass(class, otherwise string) string {
	return nearest(s, class, s.classes, otherwise)
}
