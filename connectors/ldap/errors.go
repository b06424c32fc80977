package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// failure makes a connectors.Error of a request that got no answer. wrote says
// that the request would have changed something.
func failure(err error, wrote bool) *connectors.Error {
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return e
	}
	e := &connectors.Error{Kind: connectors.Unavailable, Reason: "the directory can not be reached", Err: err}
	w, ok := errors.AsType[*wire.Error](err)
	switch {
	case !ok:
		return &connectors.Error{Kind: connectors.Internal, Err: err}
	case w.Unsent:
		e.Unsent = true
	case !w.Broken || wrote:
		e.Kind, e.Reason = connectors.Timeout, "the directory did not answer in time"
	}
	if errors.Is(err, context.Canceled) && !w.Broken {
		e.Reason = "the request was cancelled"
	}
	return e
}

// An operation is what a result code is about, for its classification.
type operation struct {
	name  string // "search", "add", …: for the log
	attrs []connectors.Attr
	// naming is the attribute that names the entry, if the operation makes a name.
	naming connectors.Attr
	dn     string // for the log
}

// refused makes a connectors.Error of a result code (RFC 4511 appendix A).
func (f *facts) refused(op operation, res wire.Result) *connectors.Error {
	e := &connectors.Error{Err: op.failed(res)}
	e.Kind, e.Reason = classify(res.Code)
	text := strings.ToLower(res.Text)
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch e.Kind {
	case connectors.Internal:
		if res.Code == wire.Other && op.naming != "" { // OpenLDAP, of a name that does not fit its index
			e.Kind, e.Attr, e.Reason = connectors.Invalid, op.naming, "the directory does not take this name; it may be too long"
		}
	case connectors.Exists:
		if res.Code == wire.EntryAlreadyExists {
			// "in use" is a unique attribute of Active Directory, 00000524 the
			// account name of [MS-ERREF]; anything else is the name.
			e.Attr = f.mentioned(op.attrs, res.Text)
			if says("implied by userprincipalname") { // another's account name is what stands before the @
				e.Attr = "userPrincipalName"
			}
			if e.Attr == "" && says("00000524", "00000562", "samaccountname") {
				e.Attr = "sAMAccountName"
			}
			if e.Attr == "" {
				e.Attr = op.naming
			}
		}
	case connectors.Invalid:
		e.Attr = f.mentioned(op.attrs, res.Text)
		switch {
		case res.Code == wire.ConstraintViolation &&
			says("non-unique", "not unique", "same attribute value", "already in use", "000021c7", "000021c8"):
			e.Kind, e.Reason = connectors.Exists, "the value is in use"
			if e.Attr == "" && says("000021c8") {
				e.Attr = "userPrincipalName"
			}
		case op.password() != "" && (e.Attr == "" || isPassword(e.Attr)) && passwordRefused(res) != "":
			e.Attr, e.Reason = op.password(), passwordRefused(res)
		case says("7-bit clean"): // a plugin of 389-DS
			e.Reason = "the directory allows only ASCII characters here"
		case res.Code == wire.ObjectClassViolation && says("requires", "missing"):
			e.Reason = "the directory requires the attribute"
		}
	case connectors.GuardFailed:
		if says("not found in the schema") {
			e.Kind, e.Reason = connectors.Invalid, "the attribute is not known to the directory"
			e.Attr = f.mentioned(op.attrs, res.Text)
		}
	case connectors.Denied:
		pw := op.password()
		switch {
		case says("0000052d") && slices.Contains(op.attrs, "userAccountControl") && pw == "":
			e.Kind, e.Attr, e.Reason = connectors.Invalid, "userAccountControl", "the account has no password that meets the directory's policy"
		case pw == "" || res.Code != wire.UnwillingToPerform && res.Code != wire.ConfidentialityNeeded:
		case says("0000001f") || res.Code == wire.ConfidentialityNeeded:
			e.Attr, e.Reason = pw, passwordClear
		case passwordRefused(res) != "":
			e.Kind, e.Attr, e.Reason = connectors.Invalid, pw, passwordRefused(res)
		}
	}
	return e
}

// failed is the whole story of a refusal, for the log.
func (op operation) failed(res wire.Result) error {
	name := op.name
	if op.dn != "" {
		name += fmt.Sprintf(" %q", op.dn)
	}
	return &wire.ResultError{Op: name, Result: res}
}

// classify says what a result code means wherever nothing else is known.
func classify(code int) (connectors.Kind, string) {
	switch code {
	case wire.NoSuchObject:
		return connectors.NotFound, ""
	case wire.EntryAlreadyExists:
		return connectors.Exists, "the value is in use"
	case wire.NoSuchAttribute, wire.AttributeOrValueExists, wire.AssertionFailed:
		return connectors.GuardFailed, "the entry has changed"
	case wire.UndefinedType:
		return connectors.Invalid, "the attribute is not known to the directory"
	case wire.ConstraintViolation, wire.InvalidSyntax, wire.InappropriateMatching:
		return connectors.Invalid, "the directory does not allow the value"
	case wire.ObjectClassViolation, wire.NamingViolation, wire.InvalidDNSyntax, wire.NotAllowedOnRDN:
		return connectors.Invalid, "the directory's schema does not allow it"
	case wire.NotAllowedOnNonLeaf:
		return connectors.Denied, "there are other objects below the object"
	case wire.InsufficientAccess, wire.UnwillingToPerform:
		return connectors.Denied, "the directory refuses it"
	case wire.StrongAuthRequired, wire.ConfidentialityNeeded:
		return connectors.Denied, "the directory demands an encrypted connection"
	case wire.Busy, wire.Unavailable, wire.InvalidCredentials, wire.Referral:
		return connectors.Unavailable, "the directory does not serve at the moment"
	case wire.TimeLimitExceeded:
		return connectors.Timeout, "the directory's time limit was exceeded"
	case wire.SizeLimitExceeded, wire.AdminLimitExceeded:
		return connectors.TooMany, "there are more results than the directory gives"
	case wire.UnavailableCritical, wire.AffectsMultipleDSAs:
		return connectors.Unsupported, "the directory can not do that"
	default:
		return connectors.Internal, "the directory reports an error"
	}
}

// mentioned finds the attribute that a diagnostic message is about: one that
// was written, else a quoted word that is an attribute.
func (f *facts) mentioned(attrs []connectors.Attr, text string) connectors.Attr {
	var quoted connectors.Attr
	for i := 0; i < len(text); {
		if !wordByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && wordByte(text[i]) {
			i++
		}
		word := text[start:i]
		if i < len(text) && text[i] == '=' && (start == 0 || text[start-1] != '(') {
			continue // the beginning of a DN
		}
		for _, a := range attrs {
			if strings.EqualFold(string(a), word) {
				return a
			}
		}
		marked := start > 0 && (text[start-1] == '\'' || text[start-1] == '"')
		if _, known := f.schema.matching[connectors.Attr(strings.ToLower(word))]; known && marked && quoted == "" {
			quoted = connectors.Attr(word)
		}
	}
	return quoted
}

func wordByte(c byte) bool {
	l := c | 0x20
	return l >= 'a' && l <= 'z' || c >= '0' && c <= '9' || c == '-' || c == ';' || c == '.'
}

func unsupported(reason string) *connectors.Error {
	return &connectors.Error{Kind: connectors.Unsupported, Reason: reason}
}

func notFound() *connectors.Error { return &connectors.Error{Kind: connectors.NotFound} }
