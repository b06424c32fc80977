package main

import (
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/configs"
)

// defaultListen is where the gateway answers when the file does not say.
const defaultListen = "127.0.0.1:8880"

// A Config is the whole configuration file, decoded and checked as far as that needs neither a
// backend nor the mappings. Clients, backends and resources are in the order of the file.
type Config struct {
	Listen    string // host:port
	Plaintext bool   // a listener that others can reach may do without TLS
	TLS       *TLS   // nil is plain HTTP
	PublicURL string // without a slash at the end; "" is taken from each request
	BasePath  string // where the protocol's endpoints begin beside /scim/v2; "" is nowhere else
	Store     Store
	Admin     string // the socket where administrators reach a gateway that runs; "" is none
	Clients   []Client
	Backends  []Backend
	Resources []Resource
	Limits    Limits
}

// TLS names the listener's certificate and key, in PEM.
type TLS struct {
	CertFile string
	KeyFile  string
}

// Limits bound what requests may cost. A zero stands for the default of the room that applies
// the limit.
type Limits struct {
	Body           int64 // of a request, in bytes
	BulkOperations int   // operations in a bulk request
	PageSize       int   // resources in a list that asks for no count
	MaxPageSize    int   // resources in a list at most
	ScanLimit      int   // resources that a filter is evaluated on here at most
	SnapshotTTL    time.Duration
	RequestTimeout time.Duration
	HeaderTimeout  time.Duration
	IdleTimeout    time.Duration
}

// loadConfig reads a configuration file and finds every mistake in it at once. Where the
// problems have errors the Config is not to be used.
func loadConfig(file string) (Config, configs.Problems) {
	root, problems := configs.Load(file)
	if root == nil {
		return Config{}, problems
	}
	c := decodeConfig(root, &problems)
	return c, problems.Sorted()
}

func decodeConfig(root *configs.Node, ps *configs.Problems) Config {
	m := root.Map(ps)
	m.Required("store", "clients", "backends", "resources")
	c := Config{
		TLS:       decodeListenerTLS(m.Child("tls"), ps),
		BasePath:  decodeBasePath(m.String("basePath"), ps),
		PublicURL: decodePublicURL(m.String("publicURL"), ps),
		Store:     decodeStore(m.Child("store"), ps),
		Plaintext: m.Enum("plaintext", "refused", "allowed").Value == "allowed",
		Limits:    decodeLimits(m.Child("limits"), ps),
	}
	c.Admin = decodeAdmin(m.Child("admin"), c.Store, ps)
	c.Listen = decodeListen(m.String("listen"), m.Has("tls") || c.Plaintext, ps)
	c.Backends = decodeBackends(m.Child("backends"), ps)
	types := keys(m, "resources")
	c.Resources = decodeResources(m.Child("resources"), keys(m, "backends"), c.Backends, decodeSchemas(m.Child("schemas"), types, ps), ps)
	c.Clients = decodeClients(m.Child("clients"), types, ps)
	m.Done()
	warnUnused(c, ps)
	return c
}

// keys gives the keys of a section in the order of the file, right or wrong, so that a reference
// to a section that has a mistake is not called unknown on top.
func keys(m *configs.Map, section string) []string {
	node := m.Child(section)
	if node.Kind() != configs.Mapping {
		return nil
	}
	var names []string
	var none configs.Problems
	for key := range node.Map(&none).Each() {
		names = append(names, key.Value)
	}
	return names
}

// decodeListen checks the address of the listener. A secret travels with each request, so an
// address that others can reach needs TLS, or the word that there is none on purpose.
func decodeListen(a configs.At[string], protected bool, ps *configs.Problems) string {
	if !a.Set || a.Value == "" {
		return defaultListen
	}
	host, port, err := net.SplitHostPort(a.Value)
	if err != nil {
		ps.Add(a.Problem("%q is not an address", a.Value).WithHint("as in %s", defaultListen))
		return a.Value
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		ps.Add(a.Problem("%q is not a port", port).WithHint("a number from 0 to 65535"))
	}
	if !protected && !isLoopback(host) {
		ps.Add(a.Problem("others can reach %q, and it would not be encrypted", a.Value).
			WithHint("give tls a cert and a key, listen on 127.0.0.1, or say plaintext: allowed"))
	}
	return a.Value
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func decodeListenerTLS(n *configs.Node, ps *configs.Problems) *TLS {
	if n == nil {
		return nil
	}
	m := n.Map(ps)
	m.Required("cert", "key")
	before := len(*ps)
	cert, key := m.File("cert"), m.File("key")
	m.Done()
	if cert.Value != "" && key.Value != "" && len(*ps) == before {
		if _, err := tls.LoadX509KeyPair(cert.Value, key.Value); err != nil {
			ps.Add(cert.Problem("not a certificate with its key: %s", err))
		}
	}
	return &TLS{CertFile: cert.Value, KeyFile: key.Value}
}

func decodePublicURL(a configs.At[string], ps *configs.Problems) string {
	if a.Value == "" {
		return ""
	}
	u, err := url.Parse(a.Value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		ps.Add(a.Problem("%q is not the URL of a service", a.Value).WithHint("as in https://scim.example.com/scim/v2"))
	} else if u.Path == "" || u.Path == "/" {
		ps.Add(a.Problem("clients would be sent to %q, and the service answers below /scim/v2", a.Value).
			WithHint("name the whole base, as in https://scim.example.com/scim/v2").AsWarning())
	}
	return strings.TrimRight(a.Value, "/")
}

// basePath is what a path of the protocol may begin with: unreserved characters
// (RFC 3986 §2.3), so that it reads the same in every URL.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

func decodeBasePath(a configs.At[string], ps *configs.Problems) string {
	path := strings.TrimRight(a.Value, "/")
	if !a.Set || path == "" {
		return ""
	}
	if !basePath.MatchString(path) || slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." }) {
		ps.Add(a.Problem("%q is not the path of a URL", a.Value).WithHint("as in /idm/scim"))
	}
	if path == "/healthz" {
		ps.Add(a.Problem("%q answers the health check", path).WithHint("as in /idm/scim"))
	}
	return path
}

func decodeLimits(n *configs.Node, ps *configs.Problems) Limits {
	m := n.Map(ps)
	l := Limits{
		Body:           m.Bytes("body").Value,
		BulkOperations: m.Int("bulkOperations", 1, 100_000).Value,
		PageSize:       m.Int("pageSize", 1, 100_000).Value,
		MaxPageSize:    m.Int("maxPageSize", 1, 100_000).Value,
		ScanLimit:      m.Int("scanLimit", 1, 100_000_000).Value,
		SnapshotTTL:    m.Duration("snapshotTTL").Value,
		RequestTimeout: m.Duration("requestTimeout").Value,
		HeaderTimeout:  m.Duration("headerTimeout").Value,
		IdleTimeout:    m.Duration("idleTimeout").Value,
	}
	if l.PageSize > l.MaxPageSize && l.MaxPageSize > 0 {
		ps.Add(m.KeyProblem("pageSize", "is more than maxPageSize, %d", l.MaxPageSize))
	}
	m.Done()
	return l
}

// warnUnused warns of backends that no resource lives in, once every resource says where it lives.
func warnUnused(c Config, ps *configs.Problems) {
	used := make(map[string]bool)
	for _, r := range c.Resources {
		if !slices.ContainsFunc(c.Backends, func(b Backend) bool { return b.Name == r.Backend }) {
			return
		}
		used[r.Backend] = true
	}
	for _, b := range c.Backends {
		if !used[b.Name] && len(used) > 0 {
			ps.Add(b.at.Problem("no resource lives in this backend").AsWarning())
		}
	}
}
