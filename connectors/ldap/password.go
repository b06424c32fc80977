package ldap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// The reasons for which a directory refuses a password. None tells more of it
// than the client that sent it knows.
const (
	passwordPolicy   = "the password does not meet the directory's policy"
	passwordTooShort = "the password is too short"
	passwordTooLong  = "the password is too long"
	passwordSimple   = "the password is too simple"
	passwordNamed    = "the password is made of what the directory knows of its owner"
	passwordHistory  = "the password is in the history of former passwords"
	passwordTooYoung = "the password was changed too recently to be changed again"
	passwordKept     = "the directory does not let this password be changed"
	passwordClear    = "the directory takes passwords over an encrypted connection only"
)

// isPassword reports whether an attribute holds passwords.
func isPassword(a connectors.Attr) bool {
	return strings.EqualFold(string(a), "userPassword") || strings.EqualFold(string(a), "unicodePwd")
}

// password returns the password among the attributes of the operation.
func (op operation) password() connectors.Attr {
	if i := slices.IndexFunc(op.attrs, isPassword); i >= 0 {
		return op.attrs[i]
	}
	return ""
}

// passwordRefused says why a server refused a password, or "" if it was not for
// the password. The password policy control says it in a number. Without one it
// is in the words of OpenLDAP's ppolicy, of 389-DS and of Samba. Active
// Directory tells no more than that some rule is broken ([MS-ERREF] 0000052D).
func passwordRefused(res wire.Result) string {
	if n, ok := res.Controls.PolicyError(); ok {
		switch n {
		case wire.PolicyTooShort:
			return passwordTooShort
		case wire.PolicyTooLong:
			return passwordTooLong
		case wire.PolicyInHistory:
			return passwordHistory
		case wire.PolicyTooYoung:
			return passwordTooYoung
		case wire.PolicyNotAllowed:
			return passwordKept
		}
	}
	text := strings.ToLower(res.Text)
	for _, words := range []struct{ part, reason string }{
		{"too short", passwordTooShort},
		{"characters long", passwordTooShort}, // "must be at least 8 characters long"
		{"too long", passwordTooLong},
		{"in history", passwordHistory},
		{"already used", passwordHistory},
		{"too young", passwordTooYoung},
		{"within password minimum age", passwordTooYoung},
		{"based off of user entry", passwordNamed},
		{"complexity", passwordSimple},
		{"must contain at least", passwordSimple}, // "3 character categories", "1 digit character", …
		{"too many consecutive", passwordSimple},
		{"palindrome", passwordSimple},
		{"dictionary", passwordSimple},
		{"quality", passwordSimple},
		{"invalid password syntax", passwordSimple},
		{"0000052d", passwordPolicy},
		{"0000052c", passwordPolicy},
		{"password", passwordPolicy},
	} {
		if strings.Contains(text, words.part) {
			return words.reason
		}
	}
	return ""
}

// errClear is for the log.
var errClear = errors.New("a connection without TLS")

// passwordInClear refuses to send unicodePwd over a connection without TLS.
// Active Directory would refuse it too ([MS-ADTS] §3.1.1.3.1.5.1), but only
// after it has been sent.
func (d *Directory) passwordInClear(a connectors.Attr) *connectors.Error {
	if !strings.EqualFold(string(a), "unicodePwd") || d.config.Encrypted() {
		return nil
	}
	return &connectors.Error{Kind: connectors.Denied, Attr: a, Reason: passwordClear, Err: errClear}
}

// setPassword gives an entry a password by the Password Modify operation (RFC
// 3062), which has the server hash it. It goes to the name, for which there is
// no assertion: what is named must have been looked at just before.
func (c *collection) setPassword(ctx context.Context, f *facts, name string, attr connectors.Attr, password connectors.Value) error {
	body := wire.AppendPasswordModify(nil, name, string(password))
	body, controls := wire.BeginControls(body)
	if f.policy {
		body = wire.AppendPolicy(body)
	}
	reply, err := c.dir.pool.write(ctx, wire.EndControls(body, controls))
	if err != nil {
		return failure(err, true)
	}
	if reply.Code != wire.Success {
		return f.refused(operation{name: "password modify", dn: name, attrs: []connectors.Attr{attr}}, reply.Result)
	}
	return nil
}

// takePassword takes the password out of the modifications, if it is to be set
// by an operation of its own.
func (w *rewrite) takePassword() {
	w.password = modification{}
	if !w.f.passwords {
		return
	}
	i := slices.IndexFunc(w.mods, func(m modification) bool { return m.replace && len(m.add) == 1 && isPassword(m.attr) })
	if i >= 0 {
		w.password = w.mods[i]
		w.mods = slices.Delete(w.mods, i, i+1)
	}
}

// thenPassword sets the password after the rest is written, and takes the rest
// back if the password is refused. What has then been written is what the
// modifications say: a password comes with no lenient change.
func (w *rewrite) thenPassword(ctx context.Context, e connectors.Entry) (connectors.Entry, error) {
	if w.password.attr == "" {
		return e, nil
	}
	if w.rename == nil && len(w.mods) == 0 { // nothing has looked at the name yet
		if _, err := w.find(ctx, nil, true); err != nil {
			return connectors.Entry{}, err
		}
	}
	err := w.c.setPassword(ctx, w.f, w.place.dn, w.password.attr, w.password.add[0])
	switch {
	case err == nil:
		e, err = w.c.get(ctx, w.f, w.self.Anchor, w.want)
		if err != nil {
			err = written(err)
		}
		return e, err
	case connectors.KindOf(err) == connectors.Timeout:
		return connectors.Entry{}, err
	}
	if back := w.takeBack(ctx); back != nil {
		return connectors.Entry{}, w.halfDone(err, back)
	}
	return connectors.Entry{}, err
}

// takeBack undoes what carryOut did: the modifications the other way round, then
// the rename.
func (w *rewrite) takeBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	w.guard = connectors.Guard{}
	var undo []modification
	for _, m := range w.mods {
		if m.absent {
			continue
		}
		if m.replace {
			m.add = m.was
		} else {
			m.del, m.add = m.add, m.del
		}
		undo = append(undo, m)
	}
	w.mods = undo
	if len(undo) > 0 {
		if _, err := w.modify(ctx); err != nil {
			return err
		}
	}
	if w.rename == nil {
		return nil
	}
	_, err := move{w: w, from: w.rename, to: w.former}.carryOut(ctx)
	return err
}
