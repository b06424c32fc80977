package ldap

import (
	"crypto/tls"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"postern/configs"
)

// Decode decodes a backend's `ldap` section. A password on the way to another machine must be
// encrypted, unless the section says `plaintext: allowed`.
func Decode(n *configs.Node, ps *configs.Problems) Config {
	m := n.Map(ps)
	m.Required("servers")
	servers, replicas := decodeServers(m, ps)
	startTLS := m.Bool("startTLS")
	plaintext := m.Enum("plaintext", "refused", "allowed").Value == "allowed"
	c := Config{
		Servers:     configs.Values(servers),
		Replicas:    configs.Values(replicas),
		StartTLS:    startTLS.Value,
		TLS:         decodeTLS(m.Child("tls"), ps),
		PoolSize:    m.Int("poolSize", 1, 256).Value,
		Timeout:     m.Duration("timeout").Value,
		PageSize:    m.Int("pageSize", 1, 100_000).Value,
		Pin:         m.Duration("pin").Value,
		ReturnAfter: m.Duration("returnAfter").Value,
		Poll:        m.Duration("poll").Value,
		Dialect:     m.Enum("dialect", "active-directory", "openldap", "ds389").Value,
		References:  m.Enum("references", ReferencesRepair, ReferencesServer).Value,
	}
	if bind := m.Child("bind"); bind != nil {
		decodeBind(bind, &c, ps)
	}
	for _, item := range m.List("without") {
		if name := item.Enum(ps, Switches()...); name.Value != "" {
			c.Without = append(c.Without, name.Value)
		}
	}
	if health := m.Child("health"); health != nil {
		hm := health.Map(ps)
		c.Health.Interval = hm.Duration("interval").Value
		c.Health.Timeout = hm.Duration("timeout").Value
		hm.Done()
	}
	if cache := m.Child("refCache"); cache != nil {
		rm := cache.Map(ps)
		c.RefCache.Entries = rm.Int("entries", -1, 100_000_000).Value
		c.RefCache.TTL = rm.Duration("ttl").Value
		rm.Done()
	}
	m.Done()

	upgradable := false
	for _, s := range slices.Concat(servers, replicas) {
		upgradable = checkServer(s, c.StartTLS || plaintext, ps) || upgradable
	}
	if c.StartTLS && len(servers) > 0 && !upgradable {
		ps.Add(startTLS.Problem("has no effect: no server is an ldap:// URL").AsWarning())
	}
	if len(servers) == 0 && len(replicas) > 0 {
		ps.Add(replicas[0].Problem("there is no server that can be written to").WithHint("a server without role: replica"))
	}
	return c
}

// decodeServers reads the list of servers, or the one: each a URL, or a URL with
// its role.
func decodeServers(m *configs.Map, ps *configs.Problems) (servers, replicas []configs.At[string]) {
	seen := map[string]bool{}
	for _, n := range m.List("servers") {
		var at configs.At[string]
		replica := false
		if n.Kind() == configs.Mapping {
			sm := n.Map(ps)
			sm.Required("url")
			at, replica = sm.String("url"), sm.Enum("role", "primary", "replica").Value == "replica"
			sm.Done()
		} else {
			at = n.String(ps)
		}
		switch {
		case at.Value == "":
			continue
		case seen[strings.ToLower(at.Value)]:
			ps.Add(at.Problem("this server is named already"))
		case replica:
			replicas = append(replicas, at)
		default:
			servers = append(servers, at)
		}
		seen[strings.ToLower(at.Value)] = true
	}
	return servers, replicas
}

func decodeTLS(n *configs.Node, ps *configs.Problems) TLSConfig {
	m := n.Map(ps)
	c := TLSConfig{
		CAFile:     m.Authorities("ca").Value,
		ServerName: m.String("serverName").Value,
	}
	if m.Has("cert") || m.Has("key") {
		m.Required("cert", "key")
	}
	cert := m.File("cert")
	c.CertFile, c.KeyFile = cert.Value, m.File("key").Value
	if c.CertFile != "" && c.KeyFile != "" {
		if _, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile); err != nil {
			ps.Add(cert.Problem("not a certificate with its key: %s", err))
		}
	}
	verify := m.Enum("verify", "always", "never")
	if verify.Value == "never" {
		c.InsecureSkipVerify = true
		ps.Add(verify.Problem("whoever answers is believed to be the directory, and is given the password").
			WithHint("name the authority that signed its certificate: ca").AsWarning())
	}
	m.Done()
	return c
}

// decodeBind decodes how to bind. Each method has keys of its own.
func decodeBind(n *configs.Node, c *Config, ps *configs.Problems) {
	m := n.Map(ps)
	method := m.Enum("method", BindSimple, BindExternal, BindKerberos)
	c.BindMethod = method.Value
	switch method.Value {
	case BindExternal:
		if c.TLS.CertFile == "" {
			ps.Add(method.Problem("an external bind needs a client certificate").WithHint("give tls a cert and a key"))
		}
	case BindKerberos:
		m.Required("principal", "keytab")
		principal := m.String("principal")
		c.Kerberos = KerberosConfig{Principal: principal.Value, KeytabFile: m.File("keytab").Value, KDCs: configs.Values(m.Strings("kdc"))}
		if principal.Value != "" {
			if _, err := newKerberos(c.Kerberos); err != nil {
				ps.Add(principal.Problem("%s", err).WithHint("as in svc-postern@CORP.EXAMPLE.COM"))
			}
		}
	default:
		if method.Value != "" || !method.Set {
			m.Required("dn", "password")
		}
		// Active Directory binds by user principal names as well, so that the text need not be a DN.
		c.BindDN, c.Password = m.String("dn").Value, m.Secret("password").Value.Resolve
	}
	m.Done()
}

// checkServer reports what is wrong with a server's URL and tells whether StartTLS can upgrade it.
func checkServer(s configs.At[string], clearAllowed bool, ps *configs.Problems) bool {
	u, err := url.Parse(s.Value)
	switch {
	case err != nil || u.Scheme == "" || u.Opaque != "":
		ps.Add(s.Problem("%q is not a URL", s.Value).WithHint("as in ldaps://dc1.example.com"))
		return false
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		ps.Add(s.Problem("%q is neither ldap:// nor ldaps://", s.Value))
		return false
	case u.Hostname() == "":
		ps.Add(s.Problem("%q names no host", s.Value).WithHint("as in ldaps://dc1.example.com"))
		return false
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		ps.Add(s.Problem("the URL may hold a host and a port only").WithHint("write %s://%s", u.Scheme, u.Host))
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			ps.Add(s.Problem("%q is not a port", port).WithHint("a number from 1 to 65535"))
		}
	}
	if u.Scheme == "ldap" && !clearAllowed && !loopback(u.Hostname()) {
		ps.Add(s.Problem("the connection to %q would not be encrypted", u.Host).
			WithHint("use ldaps://, or startTLS: true, or say plaintext: allowed"))
	}
	return u.Scheme == "ldap"
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// DecodeCollection decodes what this driver takes of a resource's section: base, filter,
// objectClass, anchor and placeholder. The section's other keys, and reporting the unknown ones,
// are left to the section's owner; References come from the mapping.
func DecodeCollection(name string, n *configs.Node, ps *configs.Problems) Collection {
	m := n.Map(ps)
	m.Required("base", "objectClass")
	base, filter := m.String("base"), m.String("filter")
	classes := m.Strings("objectClass")
	anchor, placeholder := m.String("anchor"), m.String("placeholder")

	checkDN(base, ps)
	checkDN(placeholder, ps)
	if filter.Value != "" {
		if _, err := goldap.CompileFilter(filter.Value); err != nil {
			ps.Add(filter.Problem("%q is not an LDAP filter", filter.Value).
				WithHint("as in (&(objectClass=person)(department=Sales))"))
		}
	}
	for _, name := range append(slices.Clone(classes), anchor) {
		if name.Value != "" && !descriptor(name.Value) {
			ps.Add(name.Problem("%q is not the name of an attribute or an object class", name.Value))
		}
	}
	return Collection{
		Name:        name,
		Base:        base.Value,
		Filter:      filter.Value,
		ObjectClass: configs.Values(classes),
		Anchor:      anchor.Value,
		Placeholder: placeholder.Value,
	}
}

func checkDN(a configs.At[string], ps *configs.Problems) {
	if a.Value == "" {
		return
	}
	if dn, err := goldap.ParseDN(a.Value); err != nil || len(dn.RDNs) == 0 {
		ps.Add(a.Problem("%q is not a DN", a.Value).WithHint("as in ou=People,dc=example,dc=com"))
	}
}

// descriptor tells whether s is an oid of RFC 4512 §1.4: a short name or a dotted number.
func descriptor(s string) bool {
	first := s[0] | 0x20
	numeric := s[0] >= '0' && s[0] <= '9'
	if !numeric && (first < 'a' || first > 'z') {
		return false
	}
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
		case numeric:
			if r != '.' {
				return false
			}
		case r != '-' && (r|0x20 < 'a' || r|0x20 > 'z'):
			return false
		}
	}
	return true
}
