package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TestIssuedTokens lets a client in by a token that an identity provider gave it, and
// says what is wrong with others.
func TestIssuedTokens(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "1", Use: "sig"}}})
	}))
	defer issuer.Close()
	token := func(audience string, ends time.Duration) string {
		t.Helper()
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(s).Claims(jwt.Claims{Issuer: "https://sts.example.com/tenant/", Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(time.Now().Add(ends))}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	t.Setenv("POSTERN_DEMO_PASSWORD", "unused")
	serves := func() *client {
		t.Helper()
		c, maps := sampleConfig(t, "demo.yaml", "\nbackends:", "\n  issued:\n    jwt: { issuer: \"https://sts.example.com/tenant/\", audience: scim, keys: \""+issuer.URL+"\" }\n    access: { User: read }\nbackends:")
		told, problems := askIssuers(t.Context(), c)
		if down.Load() != problems.HasErrors() || !down.Load() && !strings.Contains(strings.Join(told, ""), "1 keys") {
			t.Errorf("check --connect, the issuer down %v: %q %v", down.Load(), told, problems)
		}
		served, _ := memoryApp(t, c, maps, memoryCollection)
		return served
	}
	w := serves()
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"good", token("scim", time.Hour), http.StatusOK},
		{"the agreed one of another client", writerToken, http.StatusOK},
		{"for another", token("other", time.Hour), http.StatusUnauthorized},
		{"ended", token("scim", -time.Hour), http.StatusUnauthorized},
		{"cut", token("scim", time.Hour)[:200], http.StatusUnauthorized},
		{"no token", "a.b.c", http.StatusUnauthorized},
	} {
		w.token = c.token
		a := w.get("/Users?count=1")
		if a.status != c.status || c.status == http.StatusUnauthorized && !strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %s %s", c.name, a.status, a.header.Get("WWW-Authenticate"), a.body)
		}
	}
	w.token = token("scim", time.Hour)
	w.wantError(w.do("POST", "/Users", userBody("x", "")), http.StatusForbidden, "")

	down.Store(true)
	w = serves()
	w.token = token("scim", time.Hour)
	if a := w.get("/Users?count=1"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("while the issuer can not be asked: %d %s", a.status, a.body)
	}
	w.token = writerToken
	w.want(w.get("/Users?count=1"), http.StatusOK)
}
