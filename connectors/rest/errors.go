package rest

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"postern/connectors"
)

// judge says what an answer means: by the declared rules, the first that fits,
// and else by its status. It is nil where the call has done what it is for.
func (c *client) judge(r request, a answer) error {
	for _, rule := range c.cfg.Errors {
		if text, fits := rule.fits(a); fits {
			if rule.None {
				return nil
			}
			e := &connectors.Error{Kind: rule.Kind, Attr: rule.Attr, Err: c.story(r, a)}
			if rule.Tell {
				e.Reason = text
			}
			return e
		}
	}
	if a.status >= 200 && a.status < 300 {
		return nil
	}
	return &connectors.Error{Kind: meaning(r, a), Err: c.story(r, a)}
}

// fits reports whether a rule is about an answer, and what text it found there.
func (r ErrorRule) fits(a answer) (string, bool) {
	if r.Status != 0 && r.Status != a.status {
		return "", false
	}
	if r.Anyhow {
		return "", true
	}
	v, ok := r.At.get(a.doc)
	if !ok || v == nil {
		return "", false
	}
	for _, text := range texts(v, nil) {
		if r.Pattern == nil || r.Pattern.MatchString(text) {
			return text, true
		}
	}
	return "", false
}

// texts gathers the strings, numbers and booleans of a value.
func texts(v any, into []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			into = texts(v[k], into)
		}
	case []any:
		for _, item := range v {
			into = texts(item, into)
		}
	default:
		if s, ok := scalar(v); ok {
			into = append(into, s)
		}
	}
	return into
}

// duplicate is how applications say in English that a value is taken.
var duplicate = regexp.MustCompile(`(?i)already (been taken|exist|in use|taken|used)|duplicate|must be unique|not unique|is taken`)

// meaning is what a status stands for where nothing is declared.
func meaning(r request, a answer) connectors.Kind {
	write := r.call.Method != http.MethodGet
	switch s := a.status; {
	case s == http.StatusNotFound || s == http.StatusGone:
		return connectors.NotFound
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusProxyAuthRequired:
		return connectors.Denied
	case s == http.StatusConflict && r.ifMatch == "":
		return connectors.Exists
	case s == http.StatusConflict || s == http.StatusPreconditionFailed:
		return connectors.GuardFailed
	case s == http.StatusBadRequest || s == http.StatusUnprocessableEntity:
		for _, text := range texts(a.doc, nil) {
			if duplicate.MatchString(text) {
				return connectors.Exists
			}
		}
		return connectors.Invalid
	case s == http.StatusRequestTimeout:
		return connectors.Timeout
	case s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable:
		return connectors.Unavailable
	case s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented:
		return connectors.Unsupported
	case s >= 500 && write: // it may have been done before it went wrong
		return connectors.Timeout
	case s >= 500, s < 400:
		return connectors.Unavailable
	}
	return connectors.Invalid
}

// story tells of an answer for the log: a text of the application, cut short.
func (c *client) story(r request, a answer) error {
	text := strings.Join(texts(a.doc, nil), "; ")
	if a.doc == nil {
		text = string(a.text)
	}
	if c.traced != nil { // before it is cut: half a secret is not recognised
		text = c.traced.redact(text)
	}
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	if text == "" {
		return fmt.Errorf("%s %s answers %d", r.call.Method, r.call.Target, a.status)
	}
	return fmt.Errorf("%s %s answers %d: %q", r.call.Method, r.call.Target, a.status, text)
}

// kindIs reports whether an error is of a kind.
func kindIs(err error, k connectors.Kind) bool {
	e, ok := errors.AsType[*connectors.Error](err)
	return ok && e.Kind == k
}
