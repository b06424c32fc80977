package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// broken is a client that leaves after some bytes.
type broken struct {
	*httptest.ResponseRecorder
	left int
}

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("gone")
	}
	return b.ResponseRecorder.Write(p)
}

// An answer in pieces is the whole answer, and what it was made of is given back
// before the first.
func TestStream(t *testing.T) {
	for _, pieces := range []int{0, 1, 3} {
		made := 0
		w := httptest.NewRecorder()
		err := stream(w, http.StatusOK, func(dst []byte, flush func([]byte) []byte) []byte {
			for range pieces {
				if made > 1 || w.Body.Len() > 0 && made == 0 {
					t.Errorf("%d pieces: sent before it was made", pieces)
				}
				dst = flush(append(dst, "abc"...))
				if string(dst) != "c" {
					t.Fatalf("%d pieces: a flush leaves %q", pieces, dst)
				}
			}
			return append(dst, "end"...)
		}, func() { made++ })
		length := w.Header().Get("Content-Length")
		if err != nil || w.Body.String() != strings.Repeat("abc", pieces)+"end" || made != 1 || (length == "3") != (pieces == 0) {
			t.Errorf("%d pieces: %q, %v, made %d times, length %q", pieces, w.Body, err, made, length)
		}
	}
	w := &broken{httptest.NewRecorder(), 5}
	err := stream(w, http.StatusOK, func(dst []byte, flush func([]byte) []byte) []byte {
		for range 4 {
			dst = flush(append(dst, "abc"...))
		}
		return dst
	})
	if _, left := errors.AsType[*gone](err); !left || w.Body.String() != "abcab" {
		t.Errorf("a client that leaves: %v after %q", err, w.Body)
	}
}
