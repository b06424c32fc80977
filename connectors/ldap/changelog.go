package ldap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// The retro changelog of 389-DS (draft-good-ldap-changelog-04) has an entry for each write, numbered in the order in
// which they became visible in one database. What was written, passwords too, is not asked for.
const (
	changelogBase = "cn=changelog"
	changesAtOnce = 200 // numbers in one search
)

// changeAttrs are what is read of a change. targetUniqueId is written where nsslapd-attribute of the plugin says so.
var changeAttrs = []string{"changeNumber", "changeType", "changeTime", "targetDn", "newRdn", "newSuperior", attrTarget}

const attrTarget = "targetUniqueId"

// A change is one entry of the changelog.
type change struct {
	number int64
	values map[string]string // by name in lower case
}

// print is what the change with a number can be told by from another one.
func (c change) print() string {
	return shortHash(c.values["changetime"], c.values["targetdn"], c.values["targetuniqueid"])
}

// probeChanges says why the changelog is of no use, or "".
func (d *Directory) probeChanges(ctx context.Context) (string, error) {
	_, last, err := d.changeNumbers(ctx)
	if err != nil || last < 0 {
		return "the server has no retro changelog", err
	}
	found, err := d.changesIn(ctx, last, last)
	_, refused := errors.AsType[*wire.ResultError](err)
	switch {
	case err != nil && !refused:
		return "", err
	case refused, last > 0 && len(found) == 0:
		return "the bind identity can not read " + changelogBase, nil
	case len(found) > 0 && found[0].values["targetuniqueid"] == "":
		return "the retro changelog does not name what was changed (nsslapd-attribute: nsuniqueid:" + attrTarget + ")", nil
	}
	return "", nil
}

// changeNumbers returns the numbers of the first and the last change, 0 where there is none, and -1 where there is no
// changelog.
func (d *Directory) changeNumbers(ctx context.Context) (first, last int64, err error) {
	root, err := d.lookUp(ctx, "", "(objectClass=*)", "firstChangeNumber", "lastChangeNumber", "changelog")
	if err != nil {
		return 0, 0, err
	}
	if len(root["changelog"]) == 0 && len(root["lastchangenumber"]) == 0 {
		return -1, -1, nil
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(strings.Join(root[name], ""), 10, 64)
		return n
	}
	return number("firstchangenumber"), number("lastchangenumber"), nil
}

// changesIn returns the changes with the numbers from one to another, in order.
func (d *Directory) changesIn(ctx context.Context, from, to int64) ([]change, error) {
	filter, err := compileFilter(fmt.Sprintf("(&(changeNumber>=%d)(changeNumber<=%d))", from, to))
	if err != nil {
		return nil, err
	}
	reply, err := d.pool.read(ctx, wire.AppendSearch(nil, wire.Search{Base: changelogBase, Scope: wire.SingleLevel, Filter: filter}, changeAttrs))
	if err != nil {
		return nil, err
	}
	if reply.Code != wire.Success {
		return nil, &wire.ResultError{Op: "search", Result: reply.Result}
	}
	var found []change
	for _, m := range reply.Entries {
		e, err := wire.ParseEntry(m)
		if err != nil {
			return nil, err
		}
		c := change{values: map[string]string{}}
		for name, values := range e.Attributes() {
			c.values[strings.ToLower(name)] = strings.Clone(values.First())
		}
		if c.number, err = strconv.ParseInt(c.values["changenumber"], 10, 64); err != nil {
			return nil, fmt.Errorf("a change without its number: %w", err)
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b change) int { return cmp.Compare(a.number, b.number) })
	return found, nil
}

// changes follows the changelog. A cookie is the number of the last change that was told, and its print.
func (w *watch) changes(ctx context.Context, cookie, reason string) error {
	ctx, _ = followOnly(ctx, w.server)
	at, err := w.resume(ctx, cookie)
	if err != nil {
		return err
	}
	for {
		first, last, err := w.dir.changeNumbers(ctx)
		if err != nil {
			return w.watchFailure(err)
		}
		if at < 0 || last < at || first > at+1 {
			if at >= 0 {
				reason = "the changelog does not go back so far any more"
			}
			if at, err = w.begin(ctx, last); err != nil {
				return err
			}
			w.dir.cache.forgetAll()
			if !w.emit(connectors.Event{Kind: connectors.Resync, Reason: reason}) {
				return nil
			}
		}
		if at, err = w.advance(ctx, at, last); err != nil || at < 0 {
			return err
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// advance tells of the changes after a number up to the last one that there may be, and returns the number that it
// has come to, or -1 where nobody listens any more. The server counts a change before others can see it: what is missing
// is waited for.
func (w *watch) advance(ctx context.Context, at, last int64) (int64, error) {
	for at < last {
		to := min(at+changesAtOnce, last)
		found, err := w.dir.changesIn(ctx, at+1, to)
		if err != nil {
			return at, w.watchFailure(err)
		}
		for _, c := range found {
			if c.number > at+1 && !w.overdue(at+1) {
				return at, nil
			}
			w.cookie = c.cookie()
			if ok, err := w.change(ctx, c); err != nil || !ok {
				return -1, err
			}
			at = c.number
		}
		if at == to {
			continue
		}
		if !w.overdue(at + 1) {
			return at, nil
		}
		if before, err := w.dir.changesIn(ctx, at, at); err != nil || len(before) == 0 && at > 0 {
			return at, errChangelog(err)
		}
		at = to
	}
	return at, nil
}

// missingTime is how long a change that is counted may yet become visible.
const missingTime = time.Minute

// overdue reports whether a change has been missing for so long that it can not come any more.
func (w *watch) overdue(number int64) bool {
	if w.missing != number {
		w.missing, w.since = number, time.Now()
	}
	return time.Since(w.since) > missingTime
}

func (c change) cookie() string { return strconv.FormatInt(c.number, 10) + " " + c.print() }

// resume returns the number in a cookie, or -1 where the change is not there or is another one by now.
func (w *watch) resume(ctx context.Context, cookie string) (int64, error) {
	number, print, ok := strings.Cut(cookie, " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return -1, nil
	}
	if n == 0 {
		return 0, nil
	}
	found, err := w.dir.changesIn(ctx, n, n)
	if err != nil {
		return -1, w.watchFailure(err)
	}
	if len(found) != 1 || found[0].print() != print {
		return -1, nil
	}
	return n, nil
}

// begin returns the number of the last change that can be seen, and notes it as the place that has been come to.
func (w *watch) begin(ctx context.Context, last int64) (int64, error) {
	found, err := w.dir.changesIn(ctx, max(last-changesAtOnce, 1), last)
	switch {
	case err != nil:
		return 0, w.watchFailure(err)
	case len(found) > 0:
		latest := found[len(found)-1]
		w.cookie = latest.cookie()
		return latest.number, nil
	case last > 0:
		return 0, errChangelog(nil)
	}
	w.cookie = change{}.cookie()
	return 0, nil
}

func errChangelog(err error) error {
	return &connectors.Error{Kind: connectors.Unavailable, Reason: "the changelog can not be read", Err: err}
}

// change tells of one change, if it is in the base.
func (w *watch) change(ctx context.Context, c change) (more bool, err error) {
	name := c.values["targetdn"]
	from, _ := normalizeDN(name)
	inside := within(from, w.baseNorm)
	kind := strings.ToLower(c.values["changetype"])
	to, landed := name, inside
	if strings.HasPrefix(kind, "mod") && c.values["newrdn"] != "" {
		above := c.values["newsuperior"]
		if above == "" {
			_, above, _ = cutRDN(name)
		}
		to = c.values["newrdn"] + "," + above
		landed = w.holds(to)
	}
	if !inside && !landed {
		return true, nil
	}
	a, ok := w.anchor.form.anchor(c.values["targetuniqueid"])
	switch {
	case !ok:
		return false, unsupported("the directory does not name what was changed")
	case kind == "delete" || !landed:
		return w.gone(a, name), nil
	case to == name:
		return w.changed(a, name, false), nil
	}
	w.dir.cache.forget(name)
	w.dir.cache.forget(from)
	_, container := w.held.at[a]
	if container = container || w.held.parents[from]; !container {
		holding, err := w.containersAmong(ctx, []connectors.Anchor{a})
		if err != nil {
			return false, err
		}
		container = holding[a]
	}
	return w.changed(a, to, container), nil
}
