package main

import (
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"

	"postern/configs"
	"postern/gateway/token"
)

// A Client is a SCIM client that may call.
type Client struct {
	Name    string
	Domain  string // the provisioning domain; the client's name unless the file says otherwise
	Dialect string // rfc, entra, okta or interop
	// KeepOmitted: a PUT keeps what it leaves out. AddReferences: the replacement of
	// a list of references (members) adds to it.
	KeepOmitted, AddReferences bool
	Me                         string // the userName of the user that the client stands for at /Me
	Tokens                     []configs.Secret
	Issued                     *token.Config // of whom signed tokens are taken; nil is nobody
	issuedAt                   configs.At[string]
	Access                     map[string]Access // by resource type; a type that is not in it is closed
}

// Access is what a client may do with resources of one type.
type Access string

// The kinds of access.
const (
	AccessRead      Access = "read"
	AccessReadWrite Access = "read-write"
)

// shortestToken is the length below which a bearer token can be guessed in earnest.
const shortestToken = 16

func decodeClients(n *configs.Node, types []string, ps *configs.Problems) []Client {
	m := n.Map(ps)
	m.NotEmpty("client")
	var clients []Client
	var domains []configs.At[string]
	owners := make(map[[sha256.Size]byte]string)
	for key, node := range m.Each() {
		cm := node.Map(ps)
		cm.Required("access")
		if !cm.Has("jwt") {
			cm.Required("token")
		}
		domain := cm.String("domain")
		c := Client{
			Name:          key.Value,
			Domain:        domain.Or(key.Value),
			Dialect:       cm.Enum("dialect", "rfc", "entra", "okta", "interop").Or("rfc"),
			KeepOmitted:   cm.Enum("put", "clear", "keep").Value == "keep",
			AddReferences: cm.Enum("replaceMembers", "replace", "add").Value == "add",
			Access:        decodeAccess(cm.Child("access"), types, ps),
		}
		if me := cm.String("me"); me.Value != "" {
			if c.Me = me.Value; c.Access["User"] == "" {
				ps.Add(me.Problem("the client may not read users, and /Me is one").WithHint("give it access to User"))
			}
		}
		for _, token := range cm.Tokens("token") {
			if usableToken(token, c.Name, owners, ps) {
				c.Tokens = append(c.Tokens, token.Value)
			}
		}
		if n := cm.Child("jwt"); n != nil {
			c.Issued, c.issuedAt = decodeIssued(n, ps)
		}
		cm.Done()
		clients, domains = append(clients, c), append(domains, domain)
	}
	for i, domain := range domains {
		checkDomain(clients[i], domain, clients, ps)
		checkIssued(clients[i], clients[:i], ps)
	}
	return clients
}

// decodeIssued reads whose signed tokens (RFC 7519) a client may show.
func decodeIssued(n *configs.Node, ps *configs.Problems) (*token.Config, configs.At[string]) {
	m := n.Map(ps)
	m.Required("issuer", "audience")
	issuer := m.String("issuer")
	c := &token.Config{Issuer: issuer.Value}
	for _, audience := range m.Strings("audience") {
		c.Audiences = append(c.Audiences, audience.Value)
	}
	if claims := m.Child("claims"); claims != nil {
		c.Claims = make(map[string]string)
		for name, value := range claims.Map(ps).Each() {
			c.Claims[name.Value] = value.Text(ps).Value
		}
	}
	address := issuer
	if keys := m.Child("keys"); keys.Kind() == configs.Mapping {
		km := keys.Map(ps)
		km.Required("file")
		c.KeysFile = km.File("file").Value
		km.Done()
	} else if keys != nil {
		address = m.String("keys")
		c.Keys = address.Value
	}
	m.Done()
	if u, err := url.Parse(address.Value); address.Value != "" && c.KeysFile == "" && (err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname()))) {
		ps.Add(address.Problem("%q is not an https:// address, from which the issuer's keys are read", address.Value).WithHint("keys: https://… or { file: … } says where they are"))
	}
	if c.KeysFile != "" {
		if _, err := token.New(token.Config{Issuer: "x", Audiences: []string{"x"}, KeysFile: c.KeysFile}); err != nil {
			ps.Add(issuer.Problem("%v", err))
		}
	}
	return c, issuer
}

// checkIssued refuses clients that one token could be of.
func checkIssued(c Client, others []Client, ps *configs.Problems) {
	for _, o := range others {
		if c.Issued == nil || o.Issued == nil || c.Issued.Issuer != o.Issued.Issuer ||
			!slices.ContainsFunc(c.Issued.Audiences, func(a string) bool { return slices.Contains(o.Issued.Audiences, a) }) {
			continue
		}
		apart := false
		for name, value := range c.Issued.Claims {
			other, both := o.Issued.Claims[name]
			apart = apart || both && other != value
		}
		if !apart {
			ps.Add(c.issuedAt.Problem("a token of this issuer may be of the client %q too", o.Name).WithHint("say by claims, such as appid, what tells the two apart"))
		}
	}
}

// usableToken reports a token that can not do its work: one that two clients hold does not tell
// who calls, and white space is lost in a header (RFC 6750 §2.1).
func usableToken(token configs.At[configs.Secret], client string, owners map[[sha256.Size]byte]string, ps *configs.Problems) bool {
	digest, err := token.Value.Digest()
	if err != nil {
		return false // reported where it was decoded
	}
	switch owner := owners[digest]; owner {
	case "":
		owners[digest] = client
	case client:
		ps.Add(token.Problem("the same token is named twice").AsWarning())
		return false
	default:
		ps.Add(token.Problem("the client %q has the same token", owner).WithHint("give each client its own"))
		return false
	}
	if text, err := token.Value.Resolve(); err == nil {
		switch {
		case strings.ContainsAny(text, " \t\r\n"):
			ps.Add(token.Problem("the token holds white space and can not be sent in a header"))
		case len(text) < shortestToken:
			ps.Add(token.Problem("the token is shorter than %d characters", shortestToken).WithHint("openssl rand -hex 32").AsWarning())
		}
	}
	return true
}

func decodeAccess(n *configs.Node, types []string, ps *configs.Problems) map[string]Access {
	m := n.Map(ps)
	access := make(map[string]Access, m.Len())
	for key, node := range m.Each() {
		level := node.Enum(ps, string(AccessRead), string(AccessReadWrite))
		if !slices.Contains(types, key.Value) {
			ps.Add(key.Problem("there is no resource %q", key.Value).Near(key.Value, types))
			continue
		}
		if level.Value != "" {
			access[key.Value] = Access(level.Value)
		}
	}
	m.NotEmpty("resource")
	return access
}

// checkDomain looks at a domain that a client shares. A domain that bears no client's name and
// that nobody else is in may be a slip; it may also be the former name of a client, whose ids and
// externalIds are to stay.
func checkDomain(c Client, domain configs.At[string], all []Client, ps *configs.Problems) {
	if domain.Value == "" || domain.Value == c.Name {
		return
	}
	var names []string
	shared := false
	for _, other := range all {
		names = append(names, other.Name)
		if other.Name == c.Name {
			continue
		}
		shared = shared || other.Domain == domain.Value
		if other.Name == domain.Value && other.Domain != domain.Value {
			ps.Add(domain.Problem("the client %q is itself in the domain %q", other.Name, other.Domain).
				WithHint("write domain: %s", other.Domain))
			return
		}
	}
	if !shared {
		ps.Add(domain.Problem("no other client is in the domain %q", domain.Value).Near(domain.Value, names).AsWarning())
	}
}
