package httpapi

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"

	"postern/gateway"
	"postern/gateway/token"
	"postern/scim"
)

// Access is what a client may do with resources of one type.
type Access uint8

const (
	NoAccess Access = iota
	Read
	ReadWrite
)

// A Token is the SHA-256 of a bearer token. The token itself is not kept.
type Token [sha256.Size]byte

// HashToken returns what is kept of a bearer token.
func HashToken(token string) Token { return sha256.Sum256([]byte(token)) }

// A Client is an identity provider or another SCIM client that may call.
type Client struct {
	Name    string
	Domain  string // the provisioning domain whose ids and externalIds it sees
	Dialect Dialect
	Tokens  []Token
	// Issued tells whether a token is one that an issuer gave this client; nil is none.
	Issued *token.Verifier
	Access map[string]Access // by resource type
	Me     string            // the userName of the user that the token stands for, or ""
}

// credentials finds a client by the hash of its token. What the look-up's time
// tells is about a hash, and so about nothing that can be guessed bit by bit.
type credentials struct {
	tokens map[Token]*Client
	issued []*Client // those whose tokens an issuer gives
}

func newCredentials(clients []Client) credentials {
	c := credentials{tokens: make(map[Token]*Client)}
	for i := range clients {
		for _, t := range clients[i].Tokens {
			c.tokens[t] = &clients[i]
		}
		if clients[i].Issued != nil {
			c.issued = append(c.issued, &clients[i])
		}
	}
	return c
}

// errNobody says that a request shows no client that is known.
var errNobody = errors.New("nobody is known by this token")

// client authenticates a request by its bearer token (RFC 6750 §2.1).
func (c credentials) client(r *http.Request) (*Client, error) {
	scheme, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(r.Header["Authorization"]) != 1 { // which of two is meant can not be told
		return nil, errNobody
	}
	text = strings.TrimSpace(text)
	if client, ok := c.tokens[HashToken(text)]; ok {
		return client, nil
	}
	if !token.Looks(text) {
		return nil, errNobody
	}
	why := errNobody
	for _, client := range c.issued {
		err := client.Issued.Verify(r.Context(), text)
		if err == nil {
			return client, nil
		}
		why = errors.Join(why, err)
	}
	if errors.Is(why, token.ErrUnavailable) {
		return nil, &gateway.Fault{Kind: gateway.Unavailable, Reason: "the keys of the token's issuer can not be read at the moment", Err: why}
	}
	return nil, why
}

// An endpoint answers a request or returns why it does not.
type endpoint func(*request) error

// public wraps an endpoint that anybody may call.
func (h *Handler) public(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.call(w, r, nil, e) })
}

// known wraps an endpoint that any client may call.
func (h *Handler) known(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := h.clients.client(r)
		if err != nil {
			h.unauthorized(w, r, err)
			return
		}
		h.call(w, r, client, e)
	})
}

// may wraps an endpoint for clients with at least this access to the type.
func (h *Handler) may(a Access, rt *scim.ResourceType, e endpoint) http.Handler {
	return h.known(func(q *request) error {
		if err := q.allowed(a, rt); err != nil {
			return err
		}
		return e(q)
	})
}

// allowed refuses a client that has less than this access to the type.
func (q *request) allowed(a Access, rt *scim.ResourceType) error {
	if q.client.Access[rt.Name] < a {
		return scim.Errorf(http.StatusForbidden, "", "this client may not %s resources of type %s", map[Access]string{Read: "read", ReadWrite: "write"}[a], rt.Name)
	}
	return nil
}

// unauthorized answers a request by nobody who is known. Why that is is for the log.
func (h *Handler) unauthorized(w http.ResponseWriter, r *http.Request, why error) {
	if f, ok := errors.AsType[*gateway.Fault](why); ok {
		exchangeOf(r).fail(w, f)
		return
	}
	challenge := `Bearer realm="scim"`
	detail := "a bearer token is needed in the Authorization header"
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case len(r.Header["Authorization"]) > 1:
		challenge += `, error="invalid_request"`
		detail = "there is more than one Authorization header"
	case strings.EqualFold(scheme, "Bearer"):
		challenge += `, error="invalid_token"`
		detail = "the bearer token is not valid"
	}
	w.Header().Set("WWW-Authenticate", challenge)
	ex := exchangeOf(r)
	ex.fail(w, scim.Errorf(http.StatusUnauthorized, "", "%s", detail))
	ex.err = errors.Join(ex.err, why)
}

func (h *Handler) call(w http.ResponseWriter, r *http.Request, client *Client, e endpoint) {
	ex := exchangeOf(r)
	q := &request{Request: r, w: w, h: h, client: client}
	if client != nil {
		ex.client = client.Name
		q.caller = gateway.Caller{Client: client.Name, Domain: client.Domain, Request: ex.id}
	}
	err := q.parseQuery()
	if err == nil {
		err = e(q)
	}
	if err != nil {
		ex.fail(w, err)
	}
}
