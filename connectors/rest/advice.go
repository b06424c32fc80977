package rest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
)

// ruled adds to the error of an answer which declared rule has made it one.
func (c *collection) ruled(a answer, err error) error {
	for i, rule := range c.app.client.cfg.Errors {
		if _, fits := rule.fits(a); fits && a.status != 0 {
			return fmt.Errorf("by rule %d of errors: %w", i+1, err)
		}
	}
	return err
}

// advice says what to do about an error.
func advice(err error) string {
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		return ""
	}
	text := err.Error()
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case says("certificate signed by unknown authority"):
		return "name the authority that signed its certificate: tls: { ca: FILE }"
	case says("certificate is valid for", "certificate is not valid for"):
		return "see the host in url, or say which name the certificate has: tls: { serverName: NAME }"
	case says("server gave HTTP response to HTTPS client"):
		return "url begins with https://, and the application speaks plain HTTP there"
	case says("malformed HTTP response"):
		return "see whether url should begin with https://"
	case says("connection refused", "no such host", "no route to host", "network is unreachable"):
		return "see host and port in url, whether the application runs, and whether a proxy is needed"
	case says(errElsewhere.Error()):
		return "put the address that it redirects to into url"
	case says("the answer is not JSON"):
		return "see the answer: a page for people means another path or a log-in; for XML say as: xml"
	case says(errTooLarge.Error()):
		return "ask for smaller pages, or raise maxAnswer"
	case e.Kind == connectors.Denied:
		return "see auth, and what the account may do"
	case e.Kind == connectors.NotFound:
		return "see the path of the call, or whether there is such an object"
	case e.Kind == connectors.Timeout && !says("answers"):
		return "raise timeout, if it needs longer"
	case says("there is nothing at", "where it should be", "should be"):
		return "see the pointers of the call"
	}
	return ""
}
