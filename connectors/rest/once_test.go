package rest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"postern/connectors/rest"
)

// TestTryOnce sends what is tried once, also where the gateway would repeat it: the
// answer is what is asked for.
func TestTryOnce(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		var calls atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.WriteHeader(status)
		}))
		told, err := tries(t, `{ url: "`+server.URL+`" }`, rest.Trial{Call: "read", Args: []string{"7"}})
		if n := calls.Load(); n != 1 || err == nil || strings.Count(told, "GET ") != 1 {
			t.Errorf("%d: %d calls, %v:\n%s", status, n, err, told)
		}
		server.Close()
	}
}
