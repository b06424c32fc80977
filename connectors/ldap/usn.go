package ldap

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// Each write in Active Directory gets the next number of its domain controller, which is the uSNChanged of the object
// from then on ([MS-ADTS] §3.1.1.1.9); of one that was deleted too, which stays for months. The DirSync control takes a
// right that is close to reading every password hash, and tells only of the attributes that are named to it.

// usnAttrs are what is read of an object.
var usnAttrs = []connectors.Attr{"objectGUID", "isDeleted"}

// probeUSN says why it can not be known what was written, or "".
func (d *Directory) probeUSN(ctx context.Context, f *facts) (string, error) {
	if _, _, err := d.usn(ctx); err != nil {
		if _, refused := errors.AsType[*wire.ResultError](err); refused {
			return fmt.Sprintf("the bind identity can not read which domain controller answers: %v", err), nil
		}
		return "", err
	}
	deleted := "CN=Deleted Objects," + f.context(d.collections[d.names[0]].baseNorm)
	reply, err := d.pool.read(ctx, request{
		Search: wire.Search{Base: deleted, Scope: wire.SingleLevel, SizeLimit: 1, Filter: appendEverything(nil)}, deleted: true,
	}.append(nil, 0, ""))
	if err == nil && len(reply.Entries) == 0 {
		return fmt.Sprintf("the bind identity sees nothing in %q: grant it the right to list that container (docs/operations.md, \"What others do\"), unless nothing was ever deleted here", deleted), nil
	}
	return "", err
}

// context returns the naming context that a base is in.
func (f *facts) context(base string) string { return suffixOf(f.root.contexts, base) }

// usn returns the number up to which all writes can be seen, and what names the domain controller's database. It is a
// *wire.ResultError where these can not be read.
func (d *Directory) usn(ctx context.Context) (high int64, database string, err error) {
	root, err := d.lookUp(ctx, "", "(objectClass=*)", "highestCommittedUSN", "dsServiceName")
	if err != nil {
		return 0, "", err
	}
	service, err := d.lookUp(ctx, strings.Join(root["dsservicename"], ""), "(objectClass=*)", "invocationId")
	if err != nil {
		return 0, "", err
	}
	high, err = strconv.ParseInt(strings.Join(root["highestcommittedusn"], ""), 10, 64)
	database = strings.Join(service["invocationid"], "")
	if err != nil || database == "" {
		return 0, "", &wire.ResultError{Op: "search", Result: wire.Result{Code: wire.NoSuchAttribute, Text: "no highestCommittedUSN or invocationId"}}
	}
	return high, database, nil
}

// usns asks again and again what has been written in the naming context. A cookie is the number of the last write that
// was told, and the database that has counted it.
func (w *watch) usns(ctx context.Context, cookie, reason string) error {
	ctx, _ = followOnly(ctx, w.server)
	at := int64(-1)
	var counted string
	if number, in, ok := strings.Cut(cookie, " "); ok {
		counted = in
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			at = n
		}
	}
	for {
		high, database, err := w.dir.usn(ctx)
		if err != nil {
			return w.watchFailure(err)
		}
		if database = hex.EncodeToString([]byte(database)); at >= 0 && (database != counted || high < at) {
			at, reason = -1, "another database answers, or an older state of it"
		}
		counted = database
		next := strconv.FormatInt(high, 10) + " " + counted
		switch {
		case at < 0:
			w.cookie = next
			w.dir.cache.forgetAll()
			if !w.emit(connectors.Event{Kind: connectors.Resync, Reason: reason}) {
				return nil
			}
		case high > at:
			if more, err := w.written(ctx, at+1, next); err != nil || !more {
				return err
			}
		}
		at = high
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// written tells of the objects whose last write has a number from one on. The cookie comes with the last of them.
func (w *watch) written(ctx context.Context, from int64, cookie string) (more bool, err error) {
	r := request{
		Search: wire.Search{
			Base: w.f.context(w.baseNorm), Scope: wire.WholeSubtree,
			Filter: appendItem(nil, filterAtLeast, "uSNChanged", connectors.Value(strconv.FormatInt(from, 10))),
		},
		extra: usnAttrs, paged: w.f.paging, deleted: true,
	}
	var entries []string
	for messages, err := range w.dir.pages(ctx, r) {
		if err != nil {
			return false, w.watchFailure(err)
		}
		entries = append(entries, messages...)
	}
	return w.told(ctx, entries, cookie)
}

// An object is one that was written.
type object struct {
	anchor connectors.Anchor
	dn     string
	gone   bool // or nowhere near the base
}

// told tells of objects.
func (w *watch) told(ctx context.Context, entries []string, cookie string) (more bool, err error) {
	var objects []object
	var unknown []connectors.Anchor
	for _, m := range entries {
		e, err := wire.ParseEntry(m)
		if err != nil {
			return false, &connectors.Error{Kind: connectors.Internal, Err: err}
		}
		_, plain := splitExtendedDN(e.DN)
		o := object{dn: strings.Clone(plain), gone: !w.holds(plain)}
		for name, values := range e.Attributes() {
			switch {
			case sameAttr(name, w.anchor.attr):
				o.anchor, _ = w.anchor.form.anchor(values.First())
			case sameAttr(name, "isDeleted"):
				o.gone = o.gone || strings.EqualFold(values.First(), "TRUE")
			}
		}
		if o.anchor == "" {
			continue // an object that shows no GUID is none that anybody knows
		}
		objects = append(objects, o)
		if _, known := w.held.at[o.anchor]; !known && !o.gone {
			unknown = append(unknown, o.anchor)
		}
	}
	containers, err := w.containersAmong(ctx, unknown)
	if err != nil {
		return false, err
	}
	for i, o := range objects {
		if i == len(objects)-1 {
			w.cookie = cookie
		}
		_, container := w.held.at[o.anchor]
		switch {
		case o.gone && !w.gone(o.anchor, ""):
			return false, nil
		case !o.gone && !w.changed(o.anchor, o.dn, container || containers[o.anchor]):
			return false, nil
		}
	}
	return true, nil
}
