package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is an identity provider in the process.
type issuer struct {
	*httptest.Server
	keys  atomic.Value // of jose.JSONWebKeySet
	calls atomic.Int64
	down  atomic.Bool
	about string // what it says of its issuer; "" is the truth
}

func newIssuer(t testing.TB, keys ...jose.JSONWebKey) *issuer {
	i := &issuer{}
	i.keys.Store(jose.JSONWebKeySet{Keys: keys})
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.calls.Add(1)
		switch {
		case i.down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/.well-known/openid-configuration":
			name := i.URL
			if i.about != "" {
				name = i.about
			}
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, name, i.URL+"/keys")
		case r.URL.Path == "/keys":
			_ = json.NewEncoder(w).Encode(i.keys.Load())
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(k crypto.PublicKey, id string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: k, KeyID: id, Use: "sig"}
}

func signed(t testing.TB, alg jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := o.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func claimsOf(i *issuer, more map[string]any) map[string]any {
	c := map[string]any{"iss": i.URL, "aud": "postern", "sub": "x", "exp": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Add(-time.Hour).Unix(), "roles": []any{"a", "provisioner"}, "appid": "the-app"}
	for k, v := range more {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func verifier(t testing.TB, c Config) *Verifier {
	t.Helper()
	if c.Audiences == nil {
		c.Audiences = []string{"other", "postern"}
	}
	v, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVerify takes tokens that an issuer gave for this gateway, and no others.
func TestVerify(t *testing.T) {
	key, other := rsaKey(t), rsaKey(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := newIssuer(t, public(&key.PublicKey, "1"), public(&curve.PublicKey, "2"), jose.JSONWebKey{Key: []byte("a secret that both sides know, long enough"), KeyID: "3"})
	config := Config{Issuer: i.URL, Claims: map[string]string{"appid": "the-app", "roles": "provisioner"}}
	v := verifier(t, config)
	hour := time.Hour
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	none := func(claims map[string]any) string {
		text, _ := json.Marshal(claims)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
	}
	good := signed(t, jose.RS256, key, "1", claimsOf(i, nil))
	parts := strings.Split(good, ".")
	for _, c := range []struct {
		name, token string
		ok          bool
	}{
		{"RS256", good, true},
		{"PS512", signed(t, jose.PS512, key, "1", claimsOf(i, nil)), true},
		{"ES256", signed(t, jose.ES256, curve, "2", claimsOf(i, nil)), true},
		{"without a key id", signed(t, jose.RS256, key, "", claimsOf(i, nil)), true},
		{"one of several audiences", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"aud": []string{"x", "postern"}})), true},
		{"ended within the leeway", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"exp": at(-30 * time.Second)})), true},
		{"signed by nobody", none(claimsOf(i, nil)), false},
		{"signed with a secret", signed(t, jose.HS256, []byte("a secret that both sides know, long enough"), "3", claimsOf(i, nil)), false},
		{"another's key", signed(t, jose.RS256, other, "1", claimsOf(i, nil)), false},
		{"another's key, without an id", signed(t, jose.RS256, other, "", claimsOf(i, nil)), false},
		{"a key of another kind", signed(t, jose.ES256, curve, "1", claimsOf(i, nil)), false},
		{"a key that is not known", signed(t, jose.RS256, key, "9", claimsOf(i, nil)), false},
		{"ended", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"exp": at(-2 * time.Minute)})), false},
		{"without an end", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"exp": nil})), false},
		{"not yet", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"nbf": at(hour)})), false},
		{"given in the future", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"iat": at(hour)})), false},
		{"for another", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"aud": "someone"})), false},
		{"for nobody", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"aud": nil})), false},
		{"of another issuer", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"iss": i.URL + "/"})), false},
		{"of another application", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"appid": "the-App"})), false},
		{"without an application", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"appid": nil})), false},
		{"a number for an application", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"appid": 7})), false},
		{"without the role", signed(t, jose.RS256, key, "1", claimsOf(i, map[string]any{"roles": []string{"a"}})), false},
		{"other claims under the same signature", parts[0] + "." + strings.Split(signed(t, jose.RS256, other, "1", claimsOf(i, map[string]any{"sub": "y"})), ".")[1] + "." + parts[2], false},
		{"cut", good[:len(good)-2], false},
		{"nothing", "", false},
		{"two points", "..", false},
		{"very long", strings.Repeat("a", 20_000) + ".b.c", false},
	} {
		err := v.Verify(t.Context(), c.token)
		if c.ok != (err == nil) || err != nil && (!errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), parts[1])) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []Config{{Audiences: []string{"a"}}, {Issuer: "x"}, {Issuer: "x", Audiences: []string{"a"}, KeysFile: "no such file"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// TestKeys reads keys when they are needed, does not ask again for each token that is
// made up, and goes on with those that are known while the issuer is down.
func TestKeys(t *testing.T) {
	first, second := rsaKey(t), rsaKey(t)
	i := newIssuer(t, public(&first.PublicKey, "1"))
	v := verifier(t, Config{Issuer: i.URL, Keys: i.URL + "/keys"})
	clock := time.Now()
	v.now = func() time.Time { return clock }
	by := func(k *rsa.PrivateKey, id string) string {
		return signed(t, jose.RS256, k, id, claimsOf(i, map[string]any{"exp": clock.Add(time.Hour).Unix()}))
	}
	verify := func(what, token string, want error, calls int64) {
		t.Helper()
		before := i.calls.Load()
		if err := v.Verify(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if n := i.calls.Load() - before; n != calls {
			t.Errorf("%s: the issuer was asked %d times, want %d", what, n, calls)
		}
	}
	verify("for another", signed(t, jose.RS256, first, "1", claimsOf(i, map[string]any{"aud": "x"})), ErrInvalid, 0)
	verify("the first", by(first, "1"), nil, 1)
	verify("another", by(first, "1"), nil, 0)
	verify("an unknown key, at once", by(second, "2"), ErrInvalid, 0)
	clock = clock.Add(pause)
	i.keys.Store(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public(&first.PublicKey, "1"), public(&second.PublicKey, "2")}})
	verify("a new key", by(second, "2"), nil, 1)
	for range 20 {
		verify("made up", by(second, "made-up"), ErrInvalid, 0)
	}
	i.keys.Store(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public(&second.PublicKey, "2")}})
	clock = clock.Add(fresh)
	verify("a key that was withdrawn", by(first, "1"), ErrInvalid, 1)

	i.down.Store(true)
	clock = clock.Add(fresh)
	verify("while the issuer is down", by(second, "2"), nil, 1)
	verify("and again", by(second, "2"), nil, 0)
	clock = clock.Add(stale)
	verify("for a day", by(second, "2"), ErrUnavailable, 1)
	verify("and a moment later", by(second, "2"), ErrUnavailable, 0)
	i.down.Store(false)
	clock = clock.Add(pause)
	verify("up again", by(second, "2"), nil, 1)

	// Many at once ask once.
	clock = clock.Add(stale)
	before := i.calls.Load()
	var all sync.WaitGroup
	token := by(second, "2")
	for range 50 {
		all.Go(func() {
			if err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := i.calls.Load() - before; n != 1 {
		t.Errorf("fifty at once asked %d times", n)
	}
}

// TestKeysOf reads keys from where the configuration says, and takes none from
// where they are not.
func TestKeysOf(t *testing.T) {
	key := rsaKey(t)
	i := newIssuer(t, public(&key.PublicKey, "1"))
	token := signed(t, jose.RS256, key, "1", claimsOf(i, nil))
	set, err := json.Marshal(i.keys.Load())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := verifier(t, Config{Issuer: i.URL, KeysFile: file}).Verify(t.Context(), token); err != nil || i.calls.Load() != 0 {
		t.Errorf("from a file: %v, the issuer was asked %d times", err, i.calls.Load())
	}
	if n, err := verifier(t, Config{Issuer: i.URL}).Check(t.Context()); n != 1 || err != nil {
		t.Errorf("by what the issuer says: %d, %v", n, err)
	}
	i.about = "https://another.example.com"
	if err := verifier(t, Config{Issuer: i.URL}).Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) {
		t.Errorf("of what says that it is another: %v", err)
	}
	private, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: "1"}}})
	for name, text := range map[string]string{"no JSON": "<html>", "no keys": `{"keys":[]}`, "no set": `{}`, "private": string(private), "secret": `{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMko"}]}`,
		"large": `{"keys":[` + strings.Repeat(" ", mostKeys) + `]}`} {
		odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
		if err := verifier(t, Config{Issuer: i.URL, Keys: odd.URL}).Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		odd.Close()
	}
	mixed := maps.Clone(map[string]any{"keys": []any{map[string]any{"kty": "new", "kid": "9"}}})
	var own map[string][]any
	if err := json.Unmarshal(set, &own); err != nil {
		t.Fatal(err)
	}
	mixed["keys"] = append(mixed["keys"].([]any), own["keys"]...)
	text, _ := json.Marshal(mixed)
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }))
	defer odd.Close()
	if err := verifier(t, Config{Issuer: i.URL, Keys: odd.URL}).Verify(t.Context(), token); err != nil {
		t.Errorf("beside a key of a kind that is not known: %v", err)
	}
}

// FuzzVerify reads tokens of all kinds: none but the one that was signed is taken.
func FuzzVerify(f *testing.F) {
	key := rsaKey(f)
	i := newIssuer(f, public(&key.PublicKey, "1"))
	good := signed(f, jose.RS256, key, "1", claimsOf(i, nil))
	v := verifier(f, Config{Issuer: i.URL})
	for _, s := range []string{good, "", "a.b.c", "..", good + "=", strings.ToUpper(good)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := v.Verify(t.Context(), text); err == nil && text != good {
			t.Errorf("%q is taken", text)
		}
	})
}
