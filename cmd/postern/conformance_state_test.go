package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"postern/connectors"

	goldap "github.com/go-ldap/ldap/v3"
)

// beyond is the backend seen past the gateway.
type beyond interface {
	// find returns the anchor of the one object that has this value.
	find(collection, attr, value string) (string, error)
	// read returns an object's attributes, with lower-case names, and how others
	// refer to it; ok is false when there is none.
	read(collection, anchor string) (values map[string][]string, self string, ok bool, err error)
}

// ldapBeyond looks with the administrator's eyes.
type ldapBeyond struct {
	conn          *goldap.Conn
	bases, anchor map[string]string // by collection
}

func (b ldapBeyond) search(collection, attr, value string) ([]*goldap.Entry, error) {
	res, err := b.conn.Search(goldap.NewSearchRequest(b.bases[collection], goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 2, 10, false,
		fmt.Sprintf("(%s=%s)", attr, goldap.EscapeFilter(value)), []string{"*", "+", b.anchor[collection], "nsAccountLock", "memberOf"}, nil))
	if err != nil {
		return nil, err
	}
	return res.Entries, nil
}

func (b ldapBeyond) find(collection, attr, value string) (string, error) {
	entries, err := b.search(collection, attr, value)
	if err != nil || len(entries) != 1 {
		return "", fmt.Errorf("%d entries with %s %q: %w", len(entries), attr, value, err)
	}
	return string(entries[0].GetRawAttributeValue(b.anchor[collection])), nil
}

func (b ldapBeyond) read(collection, anchor string) (map[string][]string, string, bool, error) {
	entries, err := b.search(collection, b.anchor[collection], anchor)
	if err != nil || len(entries) == 0 {
		return nil, "", false, err
	}
	values := make(map[string][]string)
	for _, a := range entries[0].Attributes {
		values[strings.ToLower(a.Name)] = a.Values
	}
	return values, strings.ToLower(entries[0].DN), true, nil
}

// connectorBeyond has connectors of its own to the same objects.
type connectorBeyond struct {
	collections map[string]connectors.Connector
	attrs       map[string][]connectors.Attr // by collection
}

func (b connectorBeyond) find(collection, attr, value string) (anchor string, err error) {
	n := 0
	q := connectors.Query{Where: connectors.Equal{Attr: connectors.Attr(attr), Value: connectors.Value(value)}}
	for e, err := range b.collections[collection].Search(context.Background(), q) {
		if err != nil {
			return "", err
		}
		anchor, n = string(e.Anchor), n+1
	}
	if n != 1 {
		return "", fmt.Errorf("%d objects with %s %q", n, attr, value)
	}
	return anchor, nil
}

func (b connectorBeyond) read(collection, anchor string) (map[string][]string, string, bool, error) {
	e, err := b.collections[collection].Get(context.Background(), connectors.Anchor(anchor), b.attrs[collection])
	if err != nil {
		return nil, "", false, nil
	}
	values := make(map[string][]string)
	for _, f := range e.Fields {
		name := strings.ToLower(string(f.Attr))
		for _, v := range f.Values {
			values[name] = append(values[name], string(v))
		}
		for _, target := range f.Refs {
			values[name] = append(values[name], fmt.Sprintf("%x", target.Anchor))
		}
	}
	return values, fmt.Sprintf("%x", anchor), true, nil
}

// state is the statement that looks past the gateway.
func (p *conformParser) state(rest string) func(*conformRun) {
	who, what, _ := strings.Cut(rest, " ")
	p.known(who)
	if what == "gone" {
		return func(r *conformRun) {
			if values, _, ok := r.entry(who); ok {
				r.errorf("%s is still there: %v", who, values)
			}
		}
	}
	path, list, ok := strings.Cut(what, " =")
	if !ok {
		wrong("write state u1 title = \"x\"")
	}
	p.uses(path)
	var want []string // quoted, or names
	for list = strings.TrimSpace(list); list != ""; list = strings.TrimSpace(list) {
		item, err := strconv.QuotedPrefix(list)
		if err != nil {
			item, _, _ = strings.Cut(list, " ")
			if item != "true" && item != "false" {
				p.known(item)
			}
		} else {
			p.uses(item)
		}
		want, list = append(want, item), list[len(item):]
	}
	return func(r *conformRun) { r.holds(who, r.fill(path, plainly), want) }
}

// entry reads a resource past the gateway.
func (r *conformRun) entry(who string) (map[string][]string, string, bool) {
	n := r.names[who]
	if n.anchor == "" {
		r.fatalf("%s was not looked up past the gateway", who)
	}
	values, self, ok, err := r.beyond.read(n.collection, n.anchor)
	if err != nil {
		r.fatalf("reading %s past the gateway: %v", who, err)
	}
	return values, self, ok
}

// holds checks what an attribute of an entry holds.
func (r *conformRun) holds(who, path string, want []string) {
	values, _, ok := r.entry(who)
	if !ok {
		r.errorf("%s is gone", who)
		return
	}
	attr := r.attrOf(r.names[who].collection, path)
	got, wanted := slices.Clone(values[attr]), []string(nil)
	if path == "active" {
		got = []string{strconv.FormatBool(enabled(attr, got))}
	}
	for _, item := range want {
		if text, err := strconv.Unquote(item); err == nil {
			wanted = append(wanted, r.fill(text, plainly))
		} else if item == "true" || item == "false" {
			wanted = append(wanted, item)
		} else {
			_, self, _ := r.entry(item)
			wanted = append(wanted, self)
			got = lowered(got)
		}
	}
	got = slices.DeleteFunc(got, func(v string) bool { return v == "" || strings.EqualFold(v, r.nobody) }) // what a schema demands of an empty group
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		r.errorf("%s of %s is %q in the directory, want %q", attr, who, got, wanted)
	}
}

func lowered(list []string) []string {
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}

// attrOf is the backend's attribute, in lower case, that a path is mapped to.
func (r *conformRun) attrOf(collection, path string) string {
	m := r.maps[collection]
	for _, a := range m.Attrs() {
		if m.PathOf(a) == path {
			return strings.ToLower(string(a))
		}
	}
	r.fatalf("%s is not mapped", path)
	return ""
}

// enabled reads the attribute that says whether an account is enabled, each kind
// of directory by its own documentation.
func enabled(attr string, values []string) bool {
	switch attr {
	case "useraccountcontrol":
		bits, err := strconv.Atoi(values[0])
		return err == nil && bits&2 == 0
	case "nsaccountlock":
		return len(values) == 0 || !strings.EqualFold(values[0], "true")
	case "/status": // of a user of Redmine
		return values[0] == "1"
	default: // pwdAccountLockedTime
		return len(values) == 0
	}
}
