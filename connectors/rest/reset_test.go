package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/connectors"
)

// TestResets reads and writes over HTTP/2 where streams are reset, and where an answer
// comes a byte at a time: reads are tried again, writes are sent once, and nothing is
// left at work.
func TestResets(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"reset at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"reset in the answer": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"object":{"id":1,`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"a byte at a time": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var reads, writes, old atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.ProtoMajor != 2 {
					old.Add(1)
				}
				if r.Method == http.MethodGet {
					reads.Add(1)
				} else {
					writes.Add(1)
				}
				answer(w, r)
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			ca := certificateFile(t, "ca.pem", server.Certificate().Raw)
			users := opens(t, "{ url: "+server.URL+", tls: { ca: "+ca+" }, retries: 1, timeout: 300ms }", plainUsers)
			_, err := users.Get(t.Context(), "1", nil)
			if k := connectors.KindOf(err); k != connectors.Unavailable && k != connectors.Timeout {
				t.Errorf("a read: %v", err)
			}
			if again := strings.HasSuffix(name, "at once"); again != (reads.Load() == 2) {
				t.Errorf("a read is sent %d times", reads.Load())
			}
			_, err = users.Create(t.Context(), draftOf("x"), nil)
			if connectors.KindOf(err) != connectors.Timeout || writes.Load() != 1 {
				t.Errorf("a write, sent %d times: %v", writes.Load(), err)
			}
			if old.Load() > 0 {
				t.Errorf("%d calls are not HTTP/2", old.Load())
			}
		})
	}
	for runtime.NumGoroutine() > before { // those that end take a moment; go test ends who waits for ever
		time.Sleep(time.Millisecond)
	}
}
