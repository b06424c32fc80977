package rest

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"postern/configs"
	"postern/connectors"
)

// Decode decodes a backend's `rest` section. Secrets on the way to another machine
// must be encrypted, unless the section says `plaintext: allowed`.
func Decode(n *configs.Node, ps *configs.Problems) Config {
	m := n.Map(ps)
	m.Required("url")
	plaintext := m.Enum("plaintext", "refused", "allowed").Value == "allowed"
	c := Config{
		URL:         decodeURL(m.String("url"), plaintext, ps),
		Auth:        decodeAuth(m.Child("auth"), plaintext, ps),
		TLS:         decodeTLS(m.Child("tls"), ps),
		Proxy:       decodeProxy(m.String("proxy"), ps),
		Headers:     decodeHeaders(m.Child("headers"), ps),
		Timeout:     m.Duration("timeout").Value,
		Concurrency: m.Int("concurrency", 1, 1000).Value,
		MaxAnswer:   m.Bytes("maxAnswer").Value,
		Rate:        float64(m.Int("rate", 1, 1_000_000).Value),
		Errors:      decodeErrors(m.List("errors"), ps),
	}
	if retries := m.Int("retries", 0, 10); retries.Set && retries.Value == 0 {
		c.Retries = -1
	} else {
		c.Retries = retries.Value
	}
	if b := m.Child("breaker"); b != nil {
		bm := b.Map(ps)
		c.Breaker = Breaker{Failures: bm.Int("failures", 1, 1000).Value, Pause: bm.Duration("pause").Value}
		bm.Done()
	}
	m.Done()
	return c
}

// decodeURL checks the URL that all paths are below.
func decodeURL(a configs.At[string], plaintext bool, ps *configs.Problems) string {
	if a.Value == "" {
		return ""
	}
	u, err := url.Parse(a.Value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		ps.Add(a.Problem("%q is not the URL of an application", a.Value).WithHint("as in https://tracker.example.com"))
	case u.User != nil:
		ps.Add(a.Problem("a secret is not written into the configuration").WithHint("say it with auth"))
		return ""
	case u.RawQuery != "" || u.Fragment != "":
		ps.Add(a.Problem("the URL may hold a host, a port and a path only"))
	case u.Scheme == "http" && !plaintext && !loopback(u.Hostname()):
		ps.Add(a.Problem("the connection to %q would not be encrypted", u.Host).WithHint("use https://, or say plaintext: allowed"))
	}
	return strings.TrimRight(a.Value, "/")
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func decodeProxy(a configs.At[string], ps *configs.Problems) string {
	if a.Value == "" {
		return ""
	}
	if u, err := url.Parse(a.Value); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		ps.Add(a.Problem("%q is not the URL of a proxy", a.Value).WithHint("as in http://proxy.example.com:3128"))
	}
	return a.Value
}

func decodeTLS(n *configs.Node, ps *configs.Problems) TLS {
	m := n.Map(ps)
	c := TLS{CAFile: m.Authorities("ca").Value, ServerName: m.String("serverName").Value}
	if verify := m.Enum("verify", "always", "never"); verify.Value == "never" {
		c.InsecureSkipVerify = true
		ps.Add(verify.Problem("whoever answers is believed to be the application, and is given the secrets").
			WithHint("name the authority that signed its certificate: ca").AsWarning())
	}
	cert, key := m.File("cert"), m.File("key")
	c.CertFile, c.KeyFile = cert.Value, key.Value
	switch {
	case cert.Set != key.Set:
		ps.Add(m.Problem("a certificate is shown with its key").WithHint("give both cert and key"))
	case cert.Value != "" && key.Value != "":
		if _, err := tls.LoadX509KeyPair(cert.Value, key.Value); err != nil {
			ps.Add(cert.Problem("not a certificate with its key: %s", err))
		}
	}
	m.Done()
	return c
}

func decodeAuth(n *configs.Node, plaintext bool, ps *configs.Problems) Auth {
	m := n.Map(ps)
	m.NotEmpty("way to authenticate")
	a := Auth{Headers: decodeSecrets(m.Child("header"), headerName, "header", ps), Query: decodeSecrets(m.Child("query"), paramName, "parameter", ps)}
	if basic := m.Child("basic"); basic != nil {
		bm := basic.Map(ps)
		bm.Required("user", "password")
		user := bm.String("user")
		if strings.Contains(user.Value, ":") {
			ps.Add(user.Problem("a user name with a colon can not be sent (RFC 7617 §2)"))
		}
		a.User, a.Secret = user.Value, bm.Secret("password").Value.Resolve
		bm.Done()
	}
	if bearer := m.Secret("bearer"); bearer.Set {
		a.Bearer = bearer.Value.Resolve
	}
	if o := m.Child("oauth2"); o != nil {
		om := o.Map(ps)
		om.Required("token", "client", "secret")
		a.OAuth2 = &OAuth2{
			TokenURL: decodeURL(om.String("token"), plaintext, ps), ClientID: om.String("client").Value,
			Secret: om.Secret("secret").Value.Resolve, Scope: om.String("scope").Value,
			InBody: om.Enum("authenticate", "basic", "body").Value == "body",
		}
		om.Done()
	}
	if s := m.Child("session"); s != nil {
		a.Session = decodeSession(s, ps)
	}
	m.Done()
	ways := 0
	for _, way := range []string{"basic", "bearer", "oauth2"} {
		if m.Has(way) {
			ways++
		}
	}
	if ways > 1 {
		ps.Add(m.Problem("authenticates in %d ways that share one header", ways).WithHint("keep one of basic, bearer and oauth2"))
	}
	return a
}

func decodeSession(n *configs.Node, ps *configs.Problems) *Session {
	m := n.Map(ps)
	m.Required("login")
	s := &Session{Values: decodeSecrets(m.Child("values"), placeholderName, "placeholder", ps)}
	names := make([]string, 0, len(s.Values))
	for name := range s.Values {
		names = append(names, name)
	}
	if login := m.Child("login"); login != nil {
		d := callDecoder{ps: ps, body: names}
		s.Login = d.call(login)
	}
	m.Done()
	return s
}

var (
	headerName      = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	paramName       = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	placeholderName = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
)

func decodeSecrets(n *configs.Node, valid *regexp.Regexp, what string, ps *configs.Problems) map[string]func() (string, error) {
	if n == nil {
		return nil
	}
	secrets := make(map[string]func() (string, error))
	for key, node := range n.Map(ps).Each() {
		if !valid.MatchString(key.Value) {
			ps.Add(key.Problem("%q is not the name of a %s", key.Value, what))
		}
		secrets[key.Value] = node.Secret(ps).Value.Resolve
	}
	return secrets
}

// decodeHeaders reads headers whose values are no secrets.
func decodeHeaders(n *configs.Node, ps *configs.Problems) map[string]string {
	if n == nil {
		return nil
	}
	headers := make(map[string]string)
	for key, node := range n.Map(ps).Each() {
		value := node.Text(ps)
		switch http.CanonicalHeaderKey(key.Value) {
		case "Authorization", "Cookie", "Proxy-Authorization":
			ps.Add(key.Problem("a secret is not written into the configuration").WithHint("say it with auth"))
		case "Host", "Content-Length", "Transfer-Encoding", "Connection", "If-Match":
			ps.Add(key.Problem("the header %s is set by the gateway alone", key.Value))
		}
		if !headerName.MatchString(key.Value) {
			ps.Add(key.Problem("%q is not the name of a header", key.Value))
		}
		if strings.ContainsFunc(value.Value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			ps.Add(value.Problem("a header is one line"))
		}
		headers[key.Value] = value.Value
	}
	return headers
}

// kinds are what an error rule may say that an answer is.
var kinds = map[string]connectors.Kind{
	"notFound": connectors.NotFound, "exists": connectors.Exists, "conflict": connectors.GuardFailed, "invalid": connectors.Invalid,
	"denied": connectors.Denied, "unavailable": connectors.Unavailable, "timeout": connectors.Timeout, "tooMany": connectors.TooMany,
}

func decodeErrors(list []*configs.Node, ps *configs.Problems) []ErrorRule {
	var rules []ErrorRule
	for _, n := range list {
		m := n.Map(ps)
		m.Required("is")
		r := ErrorRule{Status: m.Int("status", 100, 599).Value}
		at, pattern := m.String("at"), m.String("matches")
		r.At, r.Anyhow = decodePointer(at, ps), !at.Set
		if pattern.Value != "" {
			var err error
			if r.Pattern, err = regexp.Compile(pattern.Value); err != nil {
				ps.Add(pattern.Problem("%q is not a regular expression: %s", pattern.Value, err))
			}
			if !at.Set {
				ps.Add(pattern.Problem("nothing says what is to match").WithHint("name it with at: a JSON Pointer into the answer"))
			}
		}
		if r.Status == 0 && !at.Set {
			ps.Add(m.Problem("every answer would be an error").WithHint("give it a status, or at with a JSON Pointer"))
		}
		is := m.Enum("is", "ok", "notFound", "exists", "conflict", "invalid", "denied", "unavailable", "timeout", "tooMany")
		r.Kind, r.None = kinds[is.Value], is.Value == "ok"
		attr := m.String("attr")
		decodePointer(attr, ps)
		r.Attr, r.Tell = connectors.Attr(attr.Value), m.Bool("tell").Value
		if r.Tell && r.Anyhow {
			ps.Add(m.KeyProblem("tell", "nothing says what is told").WithHint("name it with at: a JSON Pointer into the answer"))
		}
		m.Done()
		rules = append(rules, r)
	}
	return rules
}

func decodePointer(a configs.At[string], ps *configs.Problems) pointer {
	if a.Value == "" {
		return nil
	}
	p, err := parsePointer(a.Value)
	if err != nil {
		ps.Add(a.Problem("%s", err).WithHint("as in /user or /name/first (RFC 6901)"))
	}
	return p
}
