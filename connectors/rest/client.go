package rest

import (
	"bytes"
	"context"
	crypto "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"postern/connectors"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/time/rate"
)

// A client makes calls to one application and to nobody else.
type client struct {
	cfg     Config
	base    *url.URL
	http    *retryablehttp.Client
	slots   chan struct{}
	rate    *rate.Limiter // nil is no limit
	breaker *breaker
	login   login
	traced  *tracer // nil where nobody looks on

	open   sync.RWMutex // held for reading by every call
	closed context.Context
}

func newClient(cfg Config) (*client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of an application", cfg.URL)
	}
	transport, err := newTransport(cfg)
	if err != nil {
		return nil, err
	}
	others, err := elsewhere(transport, cfg)
	if err != nil {
		return nil, err
	}
	c := &client{cfg: cfg, base: base, slots: make(chan struct{}, cfg.Concurrency),
		breaker: &breaker{Breaker: cfg.Breaker, now: time.Now}}
	c.login.turn = make(chan struct{}, 1)
	c.http = &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: origins{c, transport, others}, Timeout: cfg.Timeout, CheckRedirect: c.redirect},
		RetryWaitMin: 50 * time.Millisecond,
		RetryWaitMax: 5 * time.Second,
		RetryMax:     cfg.Retries,
		CheckRetry:   c.mayRepeat,
		Backoff:      backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	if cfg.Rate > 0 {
		c.rate = rate.NewLimiter(rate.Limit(cfg.Rate), max(1, int(cfg.Rate)))
		c.http.PrepareRetry = func(req *http.Request) error { return c.rate.Wait(req.Context()) }
	}
	return c, nil
}

type repeatKey struct{}

// mayRepeat decides whether a call is tried again: after what says that nothing
// was done, and otherwise only where it does no harm to do it twice.
func (c *client) mayRepeat(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	safe := ctx.Value(repeatKey{}) != nil
	switch {
	case errors.Is(err, errElsewhere), errors.Is(err, errHeld):
		return false, nil
	case err != nil:
		return safe || unsent(err), nil
	case resp.StatusCode == http.StatusTooManyRequests:
		return waitable(ctx, resp), nil
	case resp.StatusCode == http.StatusServiceUnavailable, resp.StatusCode == http.StatusBadGateway, resp.StatusCode == http.StatusGatewayTimeout:
		return safe && waitable(ctx, resp), nil
	}
	return false, nil
}

// unsent reports whether an error came before there was a connection.
func unsent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// longestWait is how long a Retry-After is waited for; who asks for more is told
// to the client.
const longestWait = 10 * time.Second

func waitable(ctx context.Context, resp *http.Response) bool {
	wait := retryAfter(resp)
	end, ok := ctx.Deadline()
	return wait <= longestWait && (!ok || time.Until(end) > wait)
}

// longestAfter is what a Retry-After is taken for that is longer.
const longestAfter = 1 << 30 * time.Second

// retryAfter reads Retry-After (RFC 9110 §10.2.3).
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		s, err := strconv.Atoi(text)
		if err != nil || s >= int(longestAfter/time.Second) {
			return longestAfter
		}
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// backoff doubles from the least, with as much again by chance, and never tries
// before the application wants to be asked.
func backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := min(most, least<<min(attempt, 10))
	return max(wait/2+rand.N(wait/2+1), retryAfter(resp))
}

// A request is one call to be made.
type request struct {
	call    *Call
	values  map[string]string
	query   string // more parameters, escaped
	at      *url.URL
	body    any
	hasBody bool
	ifMatch string
}

// An answer is what came back, with its document if there is one.
type answer struct {
	status int
	header http.Header
	url    *url.URL
	doc    any
	text   []byte // of what is no document
}

// safe reports whether a call may be made twice.
func (r request) safe() bool {
	return r.call.Method == http.MethodGet || r.call.Safe || r.call.Key != ""
}

// target is where the call goes: below the base, or where a page said that the
// next is.
func (c *client) target(r request) (*url.URL, error) {
	u := *c.base
	if r.at != nil {
		if !c.sameOrigin(r.at) {
			return nil, &connectors.Error{Kind: connectors.Unavailable, Err: errElsewhere}
		}
		u = *r.at
		u.Fragment = ""
	} else {
		path, query, err := r.call.Target.expand(r.values)
		if err != nil {
			return nil, err
		}
		raw := strings.TrimRight(c.base.EscapedPath(), "/") + "/" + path
		if u.Path, err = url.PathUnescape(raw); err != nil {
			return nil, err
		}
		u.RawPath, u.RawQuery = raw, query
	}
	if r.query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += r.query
	}
	return &u, nil
}

// do makes a call. An error is an *connectors.Error, by the table of errors; a
// write whose fate is not known is Timeout.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, gaveUp(err)
	}
	c.open.RLock()
	defer c.open.RUnlock()
	if c.closed.Err() != nil {
		return answer{}, errClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.closed, cancel)()
	u, err := c.target(r)
	if err != nil {
		if errors.Is(err, errPath) {
			return answer{}, &connectors.Error{Kind: connectors.NotFound, Unsent: true, Err: err}
		}
		return answer{}, err
	}
	body, contentType, err := encodeBody(r)
	if err != nil {
		return answer{}, err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return answer{}, gaveUp(ctx.Err())
	}
	refused := 0 // the log-in that was not taken
	for {
		if c.rate != nil {
			if err := c.rate.Wait(ctx); err != nil {
				return answer{}, gaveUp(err)
			}
		}
		pass, ok := c.breaker.allow()
		if !ok {
			return answer{}, &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Reason: "the application is down", Err: errors.New("the circuit is open")}
		}
		a, shown, outcome, err := c.once(ctx, r, u, body, contentType, refused)
		c.breaker.done(pass, outcome)
		if err != nil {
			return a, err
		}
		if a.status == http.StatusUnauthorized && refused == 0 && c.renewable() {
			refused = shown // the token or the session ended; nothing was done
			continue
		}
		return a, c.judge(r, a)
	}
}

func gaveUp(err error) *connectors.Error {
	return &connectors.Error{Kind: connectors.Unavailable, Reason: "the request was given up", Unsent: true, Err: err}
}

// once sends a request, with what may be repeated by itself, and reads the answer.
// shown is the log-in that it was sent with, later than the one that was refused.
func (c *client) once(ctx context.Context, r request, u *url.URL, body []byte, contentType string, refused int) (a answer, shown int, o outcome, err error) {
	if r.safe() {
		ctx = context.WithValue(ctx, repeatKey{}, true)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.call.Method, u.String(), body)
	if err != nil {
		return a, 0, unknown, &connectors.Error{Kind: connectors.Internal, Unsent: true, Err: errors.New("the call can not be made")}
	}
	req.URL.RawPath = u.RawPath
	req.Header.Set("Accept", accept(r.call.Form))
	for _, headers := range []map[string]string{c.cfg.Headers, r.call.Headers} {
		for k, v := range headers {
			req.Header.Set(k, v)
		}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if r.ifMatch != "" {
		req.Header.Set("If-Match", r.ifMatch)
	}
	if r.call.Key != "" {
		req.Header.Set(r.call.Key, crypto.Text())
	}
	if shown, err = c.authenticate(ctx, req, refused); err != nil {
		return a, 0, unknown, err
	}
	if body == nil {
		req.Body = nil
	}
	resp, err := c.http.Do(req)
	if err == nil {
		a, err = c.read(r, resp)
	}
	switch {
	case err == nil && (a.status == http.StatusBadGateway || a.status == http.StatusServiceUnavailable || a.status == http.StatusGatewayTimeout):
		return a, shown, down, nil
	case err == nil:
		return a, shown, up, nil
	}
	return a, shown, c.blame(ctx, err), c.broken(ctx, r, err)
}

// blame says whether a failure is the application's.
func (c *client) blame(ctx context.Context, err error) outcome {
	if ctx.Err() != nil || errors.Is(err, errTooLarge) || errors.Is(err, errElsewhere) {
		return unknown
	}
	return down
}

// broken classifies a call that has no answer.
func (c *client) broken(ctx context.Context, r request, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the URL may hold a secret
	}
	e := &connectors.Error{Kind: connectors.Unavailable, Err: fmt.Errorf("%s %s: %w", r.call.Method, r.call.Target, err)}
	timeout := ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded)
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		timeout = true
	}
	write := r.call.Method != http.MethodGet
	switch {
	case unsent(err):
		e.Unsent = true
	case errors.Is(err, errTooLarge) && !write:
		e.Kind, e.Reason = connectors.TooMany, "the application's answer is too large"
	case timeout || write: // of a write nobody knows
		e.Kind = connectors.Timeout
	}
	return e
}

var errTooLarge = errors.New("the answer is larger than maxAnswer")

// read takes in the answer, up to the limit.
func (c *client) read(r request, resp *http.Response) (answer, error) {
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header, url: resp.Request.URL}
	text, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxAnswer+1))
	if err != nil {
		return a, err
	}
	if int64(len(text)) > c.cfg.MaxAnswer {
		return a, errTooLarge
	}
	a.text = text
	if len(bytes.TrimSpace(text)) == 0 {
		return a, nil
	}
	a.doc, err = decodeBody(resp.Header.Get("Content-Type"), r.call.Form, text)
	if err != nil && a.status < 300 && r.call.Method == http.MethodGet {
		return a, err
	}
	return a, nil
}
