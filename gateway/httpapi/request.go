package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"

	"postern/gateway"
	"postern/scim"

	"github.com/gorilla/mux"
)

// request is one authenticated request.
type request struct {
	*http.Request
	w      http.ResponseWriter
	h      *Handler
	client *Client // nil on public endpoints
	caller gateway.Caller
	query  url.Values
	target string // the id of the resource, where the path does not have it
}

// id is the id of the resource that the request is about: the last part of the
// path, unescaped, unless that stands for another.
func (q *request) id() string {
	if q.target != "" {
		return q.target
	}
	escaped := mux.Vars(q.Request)["id"]
	if id, err := url.PathUnescape(escaped); err == nil {
		return id
	}
	return escaped
}

// parseQuery reads the query strictly: a parameter that was lost would be
// answered with something else than was asked for, such as everybody instead of
// one. A semicolon is a character like others (WHATWG URL, RFC 3986 §3.4).
func (q *request) parseQuery() error {
	values, err := url.ParseQuery(strings.ReplaceAll(q.URL.RawQuery, ";", "%3B"))
	if err != nil {
		return scim.InvalidSyntax("the query of the URL is not percent-encoded as it should be: %v", err)
	}
	for _, name := range queryParameters {
		if len(values[name]) > 1 {
			return scim.InvalidValue("%s is given twice", name)
		}
	}
	q.query = values
	return nil
}

func (q *request) param(name string) string { return q.query.Get(name) }

// isUTF8 reports whether a charset is one in which JSON is sent: UTF-8, which is also
// what is meant where none is named, or a part of it.
func isUTF8(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}

// body reads the body within the limits of type and size.
func (q *request) body() ([]byte, error) {
	if ct := q.Header.Get("Content-Type"); ct != "" {
		switch media, params, err := mime.ParseMediaType(ct); {
		case err != nil, media != "application/scim+json" && media != "application/json" && media != "text/json":
			return nil, scim.Errorf(http.StatusUnsupportedMediaType, "", "the content type is %q; send application/scim+json", ct)
		case !isUTF8(params["charset"]):
			return nil, scim.Errorf(http.StatusUnsupportedMediaType, "", "the charset is %q; send UTF-8 (RFC 8259 §8.1)", params["charset"])
		}
	}
	if e := q.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, scim.Errorf(http.StatusUnsupportedMediaType, "", "the content encoding is %q; send the body as it is", e)
	}
	if deadline, ok := q.Context().Deadline(); ok { // a body that trickles in is waited for no longer than the rest
		if err := http.NewResponseController(q.w).SetReadDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil, err
		}
	}
	r := http.MaxBytesReader(q.w, q.Body, q.h.MaxBody)
	body, err := io.ReadAll(io.LimitReader(r, largeBody))
	if err != nil {
		return nil, q.broken(err)
	}
	if len(body) < largeBody {
		return body, nil
	}
	return q.largeBody(body, r)
}

// largeBody reads the rest of a large body, and waits for its turn to be worked
// on until the request is answered. What waits takes memory too, so the rest of
// it stays with the client while there are too many that do.
func (q *request) largeBody(begun []byte, rest io.Reader) ([]byte, error) {
	leave, err := q.enter(q.h.coming, gateway.Unavailable, manyLarge)
	if err != nil {
		return nil, err
	}
	defer leave()
	body := bytes.NewBuffer(begun)
	if more := min(q.ContentLength, q.h.MaxBody) - int64(len(begun)); more > 0 {
		body.Grow(int(more) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(rest); err != nil {
		return nil, q.broken(err)
	}
	size := max(int64(body.Len()), maxAtWork*q.h.MaxBody/maxBodies)
	if q.h.bodies.Acquire(q.Context(), size) != nil {
		return nil, &gateway.Fault{Kind: gateway.Unavailable, Reason: manyLarge}
	}
	exchangeOf(q.Request).held = func() { q.h.bodies.Release(size) }
	return body.Bytes(), nil
}

const manyLarge = "too many large requests are being worked on at the moment; try again later"

// enter waits for one of a number of places. Who gets none before the request has to
// be answered is told why there was none.
func (q *request) enter(places chan struct{}, kind gateway.Kind, full string) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-q.Context().Done():
		return nil, &gateway.Fault{Kind: kind, Reason: full}
	}
}

// broken says why a body could not be read to its end.
func (q *request) broken(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return scim.Errorf(http.StatusRequestEntityTooLarge, "", "the body is larger than the limit of %d bytes", q.h.MaxBody)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return scim.Errorf(http.StatusRequestTimeout, "", "the body did not come in time")
	}
	return scim.InvalidSyntax("the body ended before its end")
}

func (q *request) selection(rt *scim.ResourceType) (scim.Selection, error) {
	return scim.ParseSelection(rt, names(q.param("attributes")), names(q.param("excludedAttributes")))
}

// names splits a comma-separated list of attribute names.
func names(list string) []string {
	if list == "" {
		return nil
	}
	parts := strings.Split(list, ",")
	kept := parts[:0]
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			kept = append(kept, p)
		}
	}
	return kept
}

func (q *request) precondition() (scim.Precondition, error) {
	return scim.ParsePrecondition(q.Header.Values("If-Match"), q.Header.Values("If-None-Match"))
}

// base returns what meta.location and $ref begin with.
func (q *request) base() string {
	if q.h.PublicURL != "" {
		return q.h.PublicURL
	}
	scheme := "http://"
	if q.TLS != nil {
		scheme = "https://"
	}
	return scheme + q.Host + q.h.basePath(q.URL.Path)
}

// reading is how a body about the resource with this id is read.
func (q *request) reading(id string) scim.DecodeOptions {
	return scim.DecodeOptions{ID: id, Dialect: q.client.Dialect.Dialect, Ignored: q.ignored}
}

// ignored notes for the log what of a body has no place in the schemas that are
// served.
func (q *request) ignored(name string) { exchangeOf(q.Request).unknownName(name) }
