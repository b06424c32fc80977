package rest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func newTransport(cfg Config) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: cfg.Timeout}).DialContext,
		TLSHandshakeTimeout: cfg.Timeout,
		MaxIdleConnsPerHost: cfg.Concurrency,
		MaxConnsPerHost:     cfg.Concurrency,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
		// Header fields come before anything that could be counted against MaxAnswer.
		MaxResponseHeaderBytes: 256 << 10,
	}
	if cfg.Proxy != "" {
		proxy, err := url.Parse(cfg.Proxy)
		if err != nil {
			return nil, fmt.Errorf("the proxy %q: %w", cfg.Proxy, err)
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	t.TLSClientConfig = &tls.Config{ServerName: cfg.TLS.ServerName, InsecureSkipVerify: cfg.TLS.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	if cfg.TLS.CAFile != "" {
		pem, err := os.ReadFile(cfg.TLS.CAFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the file %q holds no certificate", cfg.TLS.CAFile)
		}
	}
	if cfg.TLS.CertFile != "" { // read at each handshake, so that it may be renewed
		t.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(cfg.TLS.CertFile, cfg.TLS.KeyFile)
			return &cert, err
		}
	}
	return t, nil
}

// origins sends what is for the application as its section says, and what is for
// somebody else, who gives tokens, as to any server: the name, the certificate and
// the leniency that were meant for the application are not for that one.
type origins struct {
	c           *client
	app, others *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (o origins) RoundTrip(req *http.Request) (*http.Response, error) {
	if o.c.sameOrigin(req.URL) {
		return o.app.RoundTrip(req)
	}
	return o.others.RoundTrip(req)
}

// CloseIdleConnections is what an http.Client calls.
func (o origins) CloseIdleConnections() {
	o.app.CloseIdleConnections()
	o.others.CloseIdleConnections()
}

// elsewhere is the transport to servers other than the application: the system's
// authorities are believed, and that of the application.
func elsewhere(t *http.Transport, cfg Config) (*http.Transport, error) {
	t = t.Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS.CAFile == "" {
		return t, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pem, err := os.ReadFile(cfg.TLS.CAFile)
	if err != nil {
		return nil, err
	}
	pool.AppendCertsFromPEM(pem)
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}

// errElsewhere ends a redirect that would lead away from the application.
var errElsewhere = errors.New("the application redirects to another origin")

// redirect lets reads follow a few redirects within the origin. A write is never
// repeated elsewhere, and not taken for done because a page was found.
func (c *client) redirect(req *http.Request, via []*http.Request) error {
	switch {
	case via[0].Method != http.MethodGet || len(via) > 5:
		return http.ErrUseLastResponse
	case !c.sameOrigin(req.URL):
		return errElsewhere
	}
	return nil
}

// sameOrigin compares scheme, host and port (RFC 6454 §5).
func (c *client) sameOrigin(u *url.URL) bool {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme == c.base.Scheme && strings.EqualFold(u.Hostname(), c.base.Hostname()) && port(u) == port(c.base) && u.User == nil
}
