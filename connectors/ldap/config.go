package ldap

import (
	"slices"
	"strings"
	"time"

	"postern/connectors"
)

// A Config says how to reach one directory. Its zero values are usable
// wherever a default is named. It is data alone: the YAML is decoded elsewhere.
type Config struct {
	// Servers are ldap:// and ldaps:// URLs of servers with the same content, in
	// order of preference: a later one is used while the earlier are down.
	Servers []string
	// Replicas are URLs of further servers that are only read, and not after a
	// write for as long as replication may take.
	Replicas []string
	// StartTLS upgrades ldap:// connections before anything else is sent.
	StartTLS bool
	TLS      TLSConfig

	// BindMethod is one of the Bind constants; empty is BindSimple.
	BindMethod string
	// BindDN and Password are the simple bind's. An empty BindDN is anonymous.
	// Password is asked at every new connection, so that it may rotate.
	BindDN   string
	Password func() (string, error)

	Kerberos KerberosConfig

	PoolSize int           // connections to one server; default 4
	Timeout  time.Duration // of a request whose context has no deadline; default 10 s
	PageSize int           // entries asked for in one page of a search; default 1,000

	// Pin is how long replication may take: for so long after a write reads stay
	// with the server that took it, and for so long after a fail-over what is not
	// found is Unavailable. Default 15 s.
	Pin time.Duration
	// ReturnAfter is how long a server must have been well before it is used
	// again instead of a later one; default 30 s.
	ReturnAfter time.Duration
	Health      Health
	// Poll is how often a server that does not tell by itself what others do is asked; default 2 s.
	Poll time.Duration

	// Dialect is "active-directory", "openldap" or "ds389"; empty is found from
	// the root DSE.
	Dialect string
	// Without names the capabilities that are not used although the server has
	// them: see Switches.
	Without []string

	RefCache RefCache

	// References is one of the References constants; empty is ReferencesRepair.
	References string
}

// TLSConfig says how a server's certificate is verified: always, by the name
// in the URL and the system's roots, unless it is said otherwise here.
type TLSConfig struct {
	CAFile     string // PEM; empty is the system's roots
	ServerName string // the name to verify instead of the URL's
	// CertFile and KeyFile are the client's certificate and key, PEM, read again
	// for each connection; empty is none.
	CertFile, KeyFile string
	// InsecureSkipVerify takes any certificate. `check` warns of it.
	InsecureSkipVerify bool
}

// Health says how servers are probed where there are several. One that is
// silent is given up after Interval and Timeout together.
type Health struct {
	Interval time.Duration // default 1 s
	Timeout  time.Duration // default 3 s
}

// A RefCache bounds what is remembered of which DN is which object. What is
// remembered may be old by TTL where another client renames entries; a write
// never relies on it.
type RefCache struct {
	Entries int           // default 400,000; negative turns it off
	TTL     time.Duration // default 60 s
}

// A Collection is the set of entries that one resource type stands for: those
// under Base for which Filter holds.
type Collection struct {
	Name        string // the resource type's
	Base        string // a DN
	Filter      string // RFC 4515; empty is (objectClass=*)
	ObjectClass []string
	// Anchor is the attribute whose value is an entry's anchor; empty is the
	// dialect's: objectGUID, entryUUID or nsUniqueId.
	Anchor string
	// References names the attributes whose values are DNs of other entries, and
	// for each the collections these may lie in.
	References map[connectors.Attr][]string
	// Placeholder is the DN written into a reference attribute that the schema
	// does not let be empty (groupOfNames' member) when it has no other value.
	// It is never shown. Empty is the dialect's default.
	Placeholder string
}

// The names that Config.Without takes.
const (
	WithoutAssertion  = "assertion"   // the assertion control, RFC 4528
	WithoutPostRead   = "post-read"   // the post-read control, RFC 4527
	WithoutPaging     = "paging"      // the paged results control, RFC 2696
	WithoutExtendedDN = "extended-dn" // AD's extended DN control
	WithoutPermissive = "permissive"  // AD's permissive modify control

	WithoutPasswordModify = "password-modify" // the Password Modify operation, RFC 3062
	WithoutWatch          = "watch"           // being told what others do
)

// Switches returns every name that Config.Without takes.
func Switches() []string {
	return []string{WithoutAssertion, WithoutPostRead, WithoutPaging, WithoutExtendedDN, WithoutPermissive, WithoutPasswordModify, WithoutWatch}
}

const (
	defaultPoolSize = 4
	defaultTimeout  = 10 * time.Second
	defaultPageSize = 1000
	defaultEntries  = 400_000
	defaultTTL      = 60 * time.Second
	defaultPin      = 15 * time.Second
	defaultReturn   = 30 * time.Second
	defaultInterval = time.Second
	defaultProbe    = 3 * time.Second
	defaultPoll     = 2 * time.Second
)

// Encrypted reports whether every connection is under TLS.
func (c Config) Encrypted() bool {
	return !slices.ContainsFunc(c.Servers, func(s string) bool { return !strings.HasPrefix(strings.ToLower(s), "ldaps:") && !c.StartTLS })
}

// withDefaults returns c with every zero value that has a default replaced.
func (c Config) withDefaults() Config {
	if c.PoolSize <= 0 {
		c.PoolSize = defaultPoolSize
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.PageSize <= 0 {
		c.PageSize = defaultPageSize
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.Pin, defaultPin}, {&c.ReturnAfter, defaultReturn}, {&c.Health.Interval, defaultInterval}, {&c.Health.Timeout, defaultProbe}, {&c.Poll, defaultPoll},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if c.RefCache.Entries == 0 {
		c.RefCache.Entries = defaultEntries
	}
	if c.RefCache.TTL <= 0 {
		c.RefCache.TTL = defaultTTL
	}
	return c
}
