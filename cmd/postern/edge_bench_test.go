package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/memory"

	"github.com/rs/zerolog"
)

// BenchmarkEdge is what a request costs in the gateway itself, without a network
// and with a backend in memory.
func BenchmarkEdge(b *testing.B) {
	b.Setenv("POSTERN_DEMO_TOKEN", writerToken)
	b.Setenv("POSTERN_DEMO_PASSWORD", "unused")
	data, err := configs.Sample("demo.yaml")
	if err != nil {
		b.Fatal(err)
	}
	root, ps := configs.Parse("demo.yaml", data)
	c := decodeConfig(root, &ps)
	maps, err := compile(c, &ps)
	if err != nil || ps.HasErrors() {
		b.Fatal(err, ps)
	}
	c.Store.Bolt = filepath.Join(b.TempDir(), "bench.db")
	var collections []memory.Collection
	for i, r := range c.Resources {
		collections = append(collections, memoryCollection(r.Name, maps[i]))
	}
	backend := memory.New(memory.Options{Collections: collections})
	connected := map[string]connectors.Connector{"User": backend.Collection("User"), "Group": backend.Collection("Group")}
	a := &app{}
	if a.store, err = openStore(c.Store); err != nil {
		b.Fatal(err)
	}
	defer a.close()
	if err := a.wire(context.Background(), c, maps, connected, zerolog.Nop()); err != nil {
		b.Fatal(err)
	}
	call := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/scim/v2"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+writerToken)
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		if w.Code/100 != 2 {
			b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w
	}
	id := func(w *httptest.ResponseRecorder) string {
		var r struct{ ID string }
		if err := json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&r); err != nil {
			b.Fatal(err)
		}
		return r.ID
	}
	const members = 5000
	ids := make([]string, members)
	for i := range ids {
		ids[i] = id(call("POST", "/Users", userBody(fmt.Sprintf("user%05d", i), `,"displayName":"User Number","title":"Engineer","emails":[{"type":"work","value":"`+fmt.Sprintf("user%05d", i)+`@example.com"}],"name":{"givenName":"User","familyName":"Number"}`)))
	}
	group := id(call("POST", "/Groups", groupBody("large", ids...)))
	for _, bench := range []struct {
		name, method, path string
		body               func(i int) string
	}{
		{"ReadByID", http.MethodGet, "/Users/" + ids[7], nil},
		{"UserNameEq", http.MethodGet, "/Users?filter=userName+eq+%22user00007%22", nil},
		{"Patch", http.MethodPatch, "/Users/" + ids[7], func(i int) string {
			return patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"T%d"}`, i))
		}},
		{"ReadLargeGroup", http.MethodGet, "/Groups/" + group, nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				body := ""
				if bench.body != nil {
					body = bench.body(i)
				}
				call(bench.method, bench.path, body)
			}
		})
	}
}
