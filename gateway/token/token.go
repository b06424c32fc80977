// Package token tells whether a bearer token is a JSON Web Token (RFC 7519) that an
// issuer gave for this gateway, as Microsoft Entra ID and other identity providers
// give them in place of a secret that is agreed on.
package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Config says which tokens are taken.
type Config struct {
	Issuer string // iss, exactly
	// Audiences are those of which aud has to name one: whom the token is for.
	Audiences []string
	// Claims must be there besides, with these texts; of a list one element.
	Claims map[string]string
	// Keys is the URL of the issuer's key set (RFC 7517 §5), or with KeysFile a file
	// that holds one. With neither it is what the issuer says of itself (OpenID Connect
	// Discovery 1.0 §4).
	Keys, KeysFile string
}

var (
	// ErrInvalid is in the chain where a token is not taken.
	ErrInvalid = errors.New("the token is not taken")
	// ErrUnavailable is in the chain where the issuer's keys can not be had: nobody
	// can say whether the token is good.
	ErrUnavailable = errors.New("the issuer's keys can not be read")
)

// algorithms are those with a public key (RFC 7518 §3.1). One that is signed with a
// secret, or not at all, is never taken.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// leeway is how far the clocks of the issuer and of this machine may be apart.
const leeway = time.Minute

// longest bounds a token, in bytes.
const longest = 16 << 10

// A Verifier holds tokens against one Config. It may be used by many goroutines.
type Verifier struct {
	config Config
	keys   *keySet
	now    func() time.Time
}

// New returns a verifier. The issuer is not asked before the first token.
func New(c Config) (*Verifier, error) {
	if c.Issuer == "" || len(c.Audiences) == 0 {
		return nil, errors.New("an issuer and an audience are needed")
	}
	v := &Verifier{config: c, now: time.Now}
	v.keys = &keySet{issuer: c.Issuer, url: c.Keys, now: func() time.Time { return v.now() }, client: newClient(), turn: make(chan struct{}, 1)}
	if c.KeysFile != "" {
		return v, v.keys.load(c.KeysFile)
	}
	return v, nil
}

// Looks reports whether a text has the form of a token (RFC 7515 §7.1).
func Looks(text string) bool {
	return len(text) <= longest && strings.Count(text, ".") == 2
}

// Verify returns nil where the token is taken, and an error with ErrInvalid or
// ErrUnavailable in its chain, which does not hold the token.
func (v *Verifier) Verify(ctx context.Context, text string) error {
	invalid := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
	if !Looks(text) {
		return invalid("it is no JSON Web Token")
	}
	t, err := jwt.ParseSigned(text, algorithms)
	if err != nil || len(t.Headers) != 1 {
		return invalid("it can not be read, or is signed in a way that is not taken")
	}
	// Before anything is asked of the issuer: whoever makes up tokens must not make this
	// gateway ask.
	var claims jwt.Claims
	var all map[string]any
	if err := t.UnsafeClaimsWithoutVerification(&claims, &all); err != nil {
		return invalid("its claims can not be read")
	}
	if err := v.admits(claims, all); err != nil {
		return invalid("%w", err)
	}
	keys, err := v.keys.find(ctx, t.Headers[0].KeyID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != t.Headers[0].Algorithm {
			continue
		}
		if t.Claims(k.Key, &claims) == nil {
			return nil
		}
	}
	return invalid("none of the issuer's keys has signed it")
}

// admits reports what is wrong with claims (RFC 7519 §4.1).
func (v *Verifier) admits(c jwt.Claims, all map[string]any) error {
	now := v.now()
	switch {
	case c.Issuer != v.config.Issuer:
		return errors.New("another issuer")
	case !slices.ContainsFunc(v.config.Audiences, c.Audience.Contains):
		return errors.New("another audience")
	case c.Expiry == nil:
		return errors.New("it never ends")
	case now.Add(-leeway).After(c.Expiry.Time()):
		return errors.New("it has ended")
	case c.NotBefore != nil && now.Add(leeway).Before(c.NotBefore.Time()), c.IssuedAt != nil && now.Add(leeway).Before(c.IssuedAt.Time()):
		return errors.New("it is not valid yet")
	}
	for name, want := range v.config.Claims {
		switch got := all[name].(type) {
		case string:
			if got == want {
				continue
			}
		case []any:
			if slices.Contains(got, any(want)) {
				continue
			}
		}
		return fmt.Errorf("another %s", name)
	}
	return nil
}

// Check reads the keys, and returns how many there are.
func (v *Verifier) Check(ctx context.Context) (int, error) {
	found, err := v.keys.find(ctx, "")
	return len(found), err
}
