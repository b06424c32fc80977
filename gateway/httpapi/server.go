// Package httpapi is the SCIM protocol over HTTP (RFC 7644 §3): it authenticates,
// limits and parses requests, calls the gateway's use cases, and renders their
// results. Every answer with a body, on every path, is SCIM JSON.
package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"postern/gateway"
	"postern/scim"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"
)

// Options is what a Handler is made of.
type Options struct {
	Gateway *gateway.Gateway
	Clients []Client
	// BasePath is where the protocol's endpoints begin beside DefaultBasePath.
	BasePath string
	// PublicURL is the base of meta.location and $ref. Default: from the request.
	PublicURL string
	// MaxBody bounds a request's body, in bytes. Default 8 MiB.
	MaxBody int64
	// PageSize is the count of a list that asks for none, MaxPageSize the
	// greatest that is served. Defaults 100 and 1,000.
	PageSize, MaxPageSize int
	// BulkOperations bounds the operations of a bulk request. Default 1,000.
	BulkOperations int
	// Timeout bounds one request. Default 50 s, less than identity providers wait.
	Timeout time.Duration
	Log     zerolog.Logger
}

// A Handler serves the SCIM protocol.
type Handler struct {
	Options
	bases     []string             // the longest first
	types     map[string]resources // by endpoint
	clients   credentials
	router    *mux.Router
	discovery discovery
	large     chan struct{}       // one token for each large answer that is being made
	coming    chan struct{}       // one token for each large body that is received or waits
	bodies    *semaphore.Weighted // the bytes of large bodies that are being worked on
}

// DefaultBasePath is where the protocol's endpoints begin.
const DefaultBasePath = "/scim/v2"

// maxLarge is how many answers that may hold a large group are made at once:
// more would not be made sooner, but take memory.
const maxLarge = 8

// largeBody is from how many bytes on a body is large: what is made of one takes
// many times its length. maxBodies of them are worked on at once, and of their bytes
// no more than maxAtWork times the limit of one, while maxComing are received or wait
// for that; of others no more than largeBody is read.
const (
	largeBody = 256 << 10
	maxBodies = 8
	maxAtWork = 2
	maxComing = 16
)

// New returns a handler.
func New(o Options) *Handler {
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.MaxBody == 0 {
		o.MaxBody = 8 << 20
	}
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	if o.MaxPageSize == 0 {
		o.MaxPageSize = 1000
	}
	if o.BulkOperations == 0 {
		o.BulkOperations = 1000
	}
	if o.Timeout == 0 {
		o.Timeout = 50 * time.Second
	}
	h := &Handler{Options: o, clients: newCredentials(o.Clients), router: mux.NewRouter().SkipClean(true).UseEncodedPath(), large: make(chan struct{}, maxLarge), coming: make(chan struct{}, maxComing), bodies: semaphore.NewWeighted(maxAtWork * o.MaxBody)}
	h.discovery = discovery{types: o.Gateway.ResourceTypes(), maxPage: o.MaxPageSize, bulkOperations: o.BulkOperations, maxBody: o.MaxBody}
	h.types = make(map[string]resources)
	for _, rt := range h.discovery.types {
		h.types[rt.Endpoint] = resources{h: h, rt: rt, large: largeAttributes(rt)}
	}
	h.bases = []string{DefaultBasePath}
	if base := strings.TrimRight(o.BasePath, "/"); base != "" && base != DefaultBasePath {
		h.bases = append(h.bases, base)
		slices.SortFunc(h.bases, func(a, b string) int { return len(b) - len(a) })
	}
	for _, base := range h.bases {
		h.routes(base)
	}
	h.router.Handle("/healthz", methods{http.MethodGet: h.public(health)})
	h.router.NotFoundHandler = h.known(func(*request) error {
		return scim.Errorf(http.StatusNotFound, "", "no such endpoint; the protocol's begin with %s", strings.Join(h.bases, " or "))
	})
	return h
}

// basePath returns what the path of a request begins with.
func (h *Handler) basePath(path string) string {
	for _, base := range h.bases {
		if strings.HasPrefix(path, base+"/") || path == base {
			return base
		}
	}
	return DefaultBasePath
}

func (h *Handler) routes(base string) {
	// The router tries its routes in this order, so those of every request come first.
	for _, rt := range h.discovery.types {
		on := h.types[rt.Endpoint]
		h.router.Handle(base+rt.Endpoint+"/{id:[^/.][^/]*}", methods{
			http.MethodGet:    h.may(Read, rt, on.read),
			http.MethodPut:    h.may(ReadWrite, rt, on.replace),
			http.MethodPatch:  h.may(ReadWrite, rt, on.patch),
			http.MethodDelete: h.may(ReadWrite, rt, on.delete),
		})
		h.router.Handle(base+rt.Endpoint+"/.search", methods{http.MethodPost: h.may(Read, rt, on.search)})
		h.router.Handle(base+rt.Endpoint, methods{
			http.MethodGet:  h.may(Read, rt, on.list),
			http.MethodPost: h.may(ReadWrite, rt, on.create),
		})
	}
	for path, get := range map[string]http.Handler{
		"/ServiceProviderConfig": h.public(h.serviceProviderConfig),
		"/Schemas":               h.known(h.schemas),
		"/Schemas/{id}":          h.known(h.schema),
		"/ResourceTypes":         h.known(h.resourceTypes),
		"/ResourceTypes/{id}":    h.known(h.resourceType),
	} {
		h.router.Handle(base+path, methods{http.MethodGet: get})
	}
	h.router.Handle(base, methods{http.MethodGet: h.known(h.listAll)})
	h.router.Handle(base+"/.search", methods{http.MethodPost: h.known(h.searchAll)})
	h.router.Handle(base+"/Bulk", methods{http.MethodPost: h.known(h.bulk)})
	h.router.Handle(base+"/Me", methods{
		http.MethodGet:    h.me(Read, func(on resources) endpoint { return on.read }),
		http.MethodPost:   h.known(createMe),
		http.MethodPut:    h.me(ReadWrite, func(on resources) endpoint { return on.replace }),
		http.MethodPatch:  h.me(ReadWrite, func(on resources) endpoint { return on.patch }),
		http.MethodDelete: h.me(ReadWrite, func(on resources) endpoint { return on.delete }),
	})
}

// ServeHTTP answers one request and logs it in one line that holds no query, no
// header and no body. A defect that panics is answered and logged like any other.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), h.Timeout)
	defer cancel()
	ex := &exchange{ResponseWriter: w, id: requestID(), log: h.Log}
	defer ex.release()
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			begun := ex.status != 0
			ex.fail(ex, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
			if begun { // the client must not take what it has for a whole answer
				ex.line(r, time.Since(began))
				panic(http.ErrAbortHandler)
			}
		}
		ex.line(r, time.Since(began))
	}()
	r = r.WithContext(context.WithValue(ctx, exchangeKey{}, ex))
	if p := r.URL.EscapedPath(); len(p) > 1 && p[len(p)-1] == '/' {
		u := *r.URL
		u.RawPath = strings.TrimRight(p, "/")
		u.Path = strings.TrimRight(u.Path, "/")
		r.URL = &u
	}
	w.Header().Set("X-Request-Id", ex.id)
	h.router.ServeHTTP(ex, r)
}

// methods answers a path by the request's method: HEAD as GET, OPTIONS with what
// there is, anything else with 405 and Allow (RFC 9110 §15.5.6).
type methods map[string]http.Handler

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if handler, ok := m[method]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Allow", m.allow())
	if method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	exchangeOf(r).fail(w, scim.Errorf(http.StatusMethodNotAllowed, "", "%s is not possible here; possible are: %s", r.Method, m.allow()))
}

func (m methods) allow() string {
	var names []string
	for _, name := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if _, ok := m[name]; ok {
			names = append(names, name)
			if name == http.MethodGet {
				names = append(names, http.MethodHead)
			}
		}
	}
	return strings.Join(append(names, http.MethodOptions), ", ")
}

func health(q *request) error {
	q.w.Header().Set("Content-Type", "application/json")
	_, err := q.w.Write([]byte("{\"status\":\"up\"}\n"))
	return err
}
