package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"postern/connectors"

	"github.com/hashicorp/go-retryablehttp"
)

// A login is what was got by logging in: a token or cookies.
type login struct {
	turn    chan struct{} // held by who reads or changes the rest
	token   string
	ends    time.Time // of the token; zero does not tell
	cookies []*http.Cookie
	serial  int // counts the log-ins

	failures atomic.Int64 // counts the log-ins that failed
	failure  error        // of the last of them
}

// renewable reports whether a 401 may be cured by logging in again.
func (c *client) renewable() bool { return c.cfg.Auth.OAuth2 != nil || c.cfg.Auth.Session != nil }

// authenticate adds what shows who calls. shown counts the log-in that it is from, a
// later one than that which was refused; 0 is none.
func (c *client) authenticate(ctx context.Context, req *retryablehttp.Request, refused int) (shown int, err error) {
	auth := c.cfg.Auth
	resolve := func(secret func() (string, error)) string {
		text, e := secret()
		if e != nil && err == nil {
			err = &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: fmt.Errorf("the secret of the application: %w", e)}
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) && err == nil {
			err = &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: errors.New("the secret of the application is more than one line")}
		}
		return text
	}
	for name, secret := range auth.Headers {
		req.Header.Set(name, resolve(secret))
	}
	if len(auth.Query) > 0 {
		added := make(url.Values)
		for name, secret := range auth.Query {
			added.Set(name, resolve(secret))
		}
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&"+added.Encode(), "&")
	}
	if auth.Secret != nil {
		req.SetBasicAuth(auth.User, resolve(auth.Secret))
	}
	if auth.Bearer != nil {
		req.Header.Set("Authorization", "Bearer "+resolve(auth.Bearer))
	}
	if err != nil || !c.renewable() {
		return 0, err
	}
	if c.traced != nil && c.traced.hold(req.Request) { // it is not sent, so nobody logs in for it
		if auth.Session != nil {
			req.Header.Set("Cookie", "session=-")
		} else {
			req.Header.Set("Authorization", "Bearer -")
		}
		return 0, nil
	}
	token, cookies, shown, err := c.logIn(ctx, refused)
	if err != nil {
		return 0, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, k := range cookies {
		req.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value})
	}
	return shown, nil
}

// logIn returns the token or the cookies, got anew where there are none, where
// they end soon or where they are of the log-in that was refused. One call at a time
// logs in; those that wait for it meanwhile fail with it.
func (c *client) logIn(ctx context.Context, refused int) (token string, cookies []*http.Cookie, serial int, err error) {
	l := &c.login
	failures := l.failures.Load()
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return "", nil, 0, gaveUp(ctx.Err())
	}
	if l.serial > refused && (l.ends.IsZero() || time.Until(l.ends) > 0) {
		return l.token, l.cookies, l.serial, nil
	}
	if l.failures.Load() > failures {
		return "", nil, 0, l.failure
	}
	if c.cfg.Auth.OAuth2 != nil {
		err = c.getToken(ctx, l)
	} else {
		err = c.getSession(ctx, l)
	}
	if err != nil {
		if ctx.Err() == nil { // who gave up says nothing about what others would be told
			l.failure = err
			l.failures.Add(1)
		}
		return "", nil, 0, err
	}
	l.serial++
	return l.token, l.cookies, l.serial, nil
}

// getToken asks for a token (RFC 6749 §4.4). It is used until a tenth of its life
// is left.
func (c *client) getToken(ctx context.Context, l *login) error {
	o := c.cfg.Auth.OAuth2
	secret, err := o.Secret()
	if err != nil {
		return &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: fmt.Errorf("the client secret: %w", err)}
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if o.Scope != "" {
		form.Set("scope", o.Scope)
	}
	if o.InBody {
		form.Set("client_id", o.ClientID)
		form.Set("client_secret", secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return &connectors.Error{Kind: connectors.Internal, Unsent: true, Err: errors.New("the token can not be asked for")}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if !o.InBody { // RFC 6749 §2.3.1
		req.SetBasicAuth(url.QueryEscape(o.ClientID), url.QueryEscape(secret))
	}
	resp, err := c.plainly(req, "the token endpoint")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var t struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&t)
	if resp.StatusCode != http.StatusOK || err != nil || t.AccessToken == "" || !strings.EqualFold(t.TokenType, "bearer") {
		kind := connectors.Unavailable
		if resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
			kind = connectors.Denied
		}
		return &connectors.Error{Kind: kind, Unsent: true, Err: fmt.Errorf("the token endpoint answers %d without a bearer token", resp.StatusCode)}
	}
	l.token, l.ends = t.AccessToken, time.Time{}
	if s, err := t.ExpiresIn.Int64(); err == nil && s > 0 {
		life := time.Duration(min(s, 1<<30)) * time.Second
		l.ends = time.Now().Add(life - life/10)
	}
	return nil
}

// plainly sends a request once, and follows no redirect with what it shows.
func (c *client) plainly(req *http.Request, what string) (*http.Response, error) {
	plain := *c.http.HTTPClient
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := plain.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the URL may hold a secret
		}
		return nil, &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: fmt.Errorf("%s: %w", what, err)}
	}
	return resp, nil
}

// getSession makes the call that logs in, and keeps the cookies of its answer.
func (c *client) getSession(ctx context.Context, l *login) error {
	s := c.cfg.Auth.Session
	values := make(map[string]string, len(s.Values))
	for name, secret := range s.Values {
		text, err := secret()
		if err != nil {
			return &connectors.Error{Kind: connectors.Unavailable, Unsent: true, Err: fmt.Errorf("the secret of the application: %w", err)}
		}
		values[name] = text
	}
	r := request{call: &s.Login, values: values}
	u, err := c.target(r)
	if err != nil {
		return err
	}
	body, contentType, err := encodeBody(r)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, s.Login.Method, u.String(), strings.NewReader(string(body)))
	if err != nil {
		return &connectors.Error{Kind: connectors.Internal, Unsent: true, Err: errors.New("the call that logs in can not be made")}
	}
	req.Header.Set("Accept", accept(s.Login.Form))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for k, v := range s.Login.Headers {
		req.Header.Set(k, v)
	}
	resp, err := c.plainly(req, "the call that logs in")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	cookies := resp.Cookies()
	if resp.StatusCode >= 400 || len(cookies) == 0 {
		kind := connectors.Unavailable
		if resp.StatusCode < 500 {
			kind = connectors.Denied
		}
		return &connectors.Error{Kind: kind, Unsent: true, Err: fmt.Errorf("the call that logs in answers %d with %d cookies", resp.StatusCode, len(cookies))}
	}
	l.cookies = cookies
	return nil
}
