package rest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"postern/connectors"
	"postern/connectors/rest"
)

// secretsInAnswers are applications' ways to write a secret into an answer.
func secretsInAnswers(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	unquoted := string(quoted[1 : len(quoted)-1])
	numbers, entities := "", ""
	for _, c := range secret {
		numbers += fmt.Sprintf(`\u%04X`, c)
		entities += fmt.Sprintf("&#%d;", c)
	}
	raw := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(unquoted)
	return map[string]string{
		"as text":                unquoted,
		"as text, unescaped":     raw,
		"with escaped slashes":   strings.ReplaceAll(unquoted, "/", `\/`),
		"in numbers":             numbers,
		"in entities":            entities,
		"in a parameter":         url.QueryEscape(secret),
		"in a small parameter":   strings.ToLower(url.QueryEscape("/+=")) + url.QueryEscape(secret),
		"in Base64":              base64.StdEncoding.EncodeToString([]byte(secret)),
		"in Base64 for URLs":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"where a text is cut":    strings.Repeat("x", 290) + unquoted,
		"where an answer is cut": strings.Repeat("x", 4080) + unquoted,
	}
}

// TestSecretsInAnswers shows no secret, however the application writes it.
func TestSecretsInAnswers(t *testing.T) {
	const secret = `s3c"ret/of+the=test&<x>`
	parts := []string{secret, `s3c`, `of+the`, `of%2B`, `the%3D`, `the=t`, `\u0073`, `&#115;`,
		base64.StdEncoding.EncodeToString([]byte(secret))[:8], base64.RawURLEncoding.EncodeToString([]byte(secret))[:8]}
	for name, text := range secretsInAnswers(secret) {
		for _, status := range []int{200, 422, 500} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"user":{"id":7,"login":"%s","%s":1},"users":[{"id":7,"login":"%s"}]}`, text, text, text)
			}))
			section := `{ url: "` + server.URL + `", retries: 0, auth: { bearer: { env: SECRET } } }`
			for _, call := range []string{"read 7", "list", "read 8"} {
				args := strings.Fields(call)
				told, err := triesWith(t, section, secret, rest.Trial{Call: args[0], Args: args[1:]})
				all := told + "\n" + fmt.Sprint(err)
				for _, part := range parts {
					if i := strings.Index(all, part); i >= 0 {
						t.Errorf("%s, %s, status %d: tells %q: …%q…", name, call, status, part, all[max(0, i-30):min(len(all), i+40)])
						break
					}
				}
			}
			server.Close()
		}
	}
}

// triesWith is tries with a secret in the environment.
func triesWith(t *testing.T, section, secret string, trial rest.Trial) (string, error) {
	t.Helper()
	app := openRest(t, decodeConfig(t, section), []rest.Collection{trackerCollection(t)})
	defer app.Close()
	t.Setenv("SECRET", secret)
	trial.Collection, trial.Path = "User", noPath
	var told strings.Builder
	err := app.Try(t.Context(), trial, func(line string) { told.WriteString(line + "\n") })
	return told.String(), err
}

// TestSecretAtTheEnd shows no beginning of a long secret in which that ends which is
// kept of a long answer.
func TestSecretAtTheEnd(t *testing.T) {
	secret := ""
	for i := range 400 {
		secret += fmt.Sprintf("(%d)", i)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat(secret, 100))
	}))
	defer server.Close()
	told, err := triesWith(t, `{ url: "`+server.URL+`", auth: { bearer: { env: SECRET } } }`, secret, rest.Trial{Call: "read", Args: []string{"7"}})
	if strings.Contains(told+fmt.Sprint(err), "(0)") {
		t.Errorf("tells %s %v", told, err)
	}
}

// TestShortSecret shows no short secret where it stands alone.
func TestShortSecret(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"user":{"id":7,"login":%q,"name":%q}}`, r.Header.Get("Authorization"), string(body))
	}))
	defer server.Close()
	told, err := triesWith(t, `{ url: "`+server.URL+`", auth: { bearer: { env: SECRET } } }`, "qz", rest.Trial{Call: "read", Args: []string{"7"}})
	if err != nil || strings.Contains(told, "qz") {
		t.Errorf("tells %s %v", told, err)
	}
}

func noPath(connectors.Attr) string { return "" }

// TestTryKeepsPasswords does not show the password that a user is given.
func TestTryKeepsPasswords(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); len(body) > 0 {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"errors":["no good password",%s]}`, body)
			return
		}
		fmt.Fprint(w, `{"user":{"id":7,"login":"ann"}}`)
	}))
	defer server.Close()
	for _, call := range []string{"create /login=ann /nick=hunter22", "update 7 /nick=hunter22"} {
		for _, dry := range []bool{false, true} {
			app := openRest(t, decodeConfig(t, `{ url: "`+server.URL+`" }`), []rest.Collection{trackerCollection(t)})
			var told strings.Builder
			args := strings.Fields(call)
			err := app.Try(t.Context(), rest.Trial{Collection: "User", Call: args[0], Args: args[1:], Dry: dry, Path: func(a connectors.Attr) string {
				return map[connectors.Attr]string{"/nick": "password"}[a]
			}}, func(line string) { told.WriteString(line + "\n") })
			if all := told.String() + fmt.Sprint(err); strings.Contains(all, "hunter") || !strings.Contains(all, `"nick": "(secret)"`) {
				t.Errorf("%s, dry %v: tells %s", call, dry, all)
			}
			_ = app.Close()
		}
	}
}
