package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// exchange is what one request's log line is made of.
type exchange struct {
	http.ResponseWriter
	id     string
	client string
	status int
	err    error // why it failed, whole
	// unknown are names in the body that no schema has, as many as the line shows;
	// more counts the others.
	unknown []string
	more    int
	log     zerolog.Logger
	held    func() // gives back what the request holds until it is answered; or nil
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

func requestID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Bounds of what a line shows of names that clients make up.
const (
	maxUnknown     = 100
	maxUnknownName = 200
)

// unknownName notes a name in the body that no schema has, once.
func (ex *exchange) unknownName(name string) {
	name = strings.ToValidUTF8(name[:min(len(name), maxUnknownName)], "")
	switch {
	case slices.Contains(ex.unknown, name):
	case len(ex.unknown) == maxUnknown:
		ex.more++
	default:
		ex.unknown = append(ex.unknown, name)
	}
}

// release gives back what the request holds.
func (ex *exchange) release() {
	if ex.held != nil {
		ex.held()
		ex.held = nil
	}
}

// WriteHeader remembers the status. The answer is made by then, and a client may
// take its time to receive it.
func (ex *exchange) WriteHeader(status int) {
	ex.release()
	if ex.status == 0 {
		ex.status = status
	}
	ex.ResponseWriter.WriteHeader(status)
}

// Write is an answer with 200 where nothing else was said.
func (ex *exchange) Write(b []byte) (int, error) {
	if ex.status == 0 {
		ex.status = http.StatusOK
	}
	return ex.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is below.
func (ex *exchange) Unwrap() http.ResponseWriter { return ex.ResponseWriter }

// line logs the exchange: what failed here or behind us as an error with its
// whole story, everything else at info.
func (ex *exchange) line(r *http.Request, took time.Duration) {
	level := zerolog.InfoLevel
	if ex.status >= 500 && ex.status != http.StatusNotImplemented {
		level = zerolog.ErrorLevel
	}
	e := ex.log.WithLevel(level)
	if ex.log.GetLevel() > level {
		return
	}
	e.Str("request", ex.id).Str("method", r.Method).Str("path", r.URL.Path).Int("status", ex.status).Dur("took_ms", took)
	if ex.client != "" {
		e.Str("client", ex.client)
	}
	if _, left := errors.AsType[*gone](ex.err); ex.err != nil && !left && ex.status != http.StatusNotFound {
		e.AnErr("why", ex.err)
	}
	if len(ex.unknown) > 0 {
		e.Strs("unknown", ex.unknown)
	}
	if ex.more > 0 {
		e.Int("more", ex.more)
	}
	e.Msg("request")
}
