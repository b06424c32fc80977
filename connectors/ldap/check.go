package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// A Level says how much a Finding matters.
type Level uint8

const (
	Info    Level = iota // what there is
	Warning              // it works, but not as one may expect
	Failure              // it does not work
)

// String returns the level as `check` prints it.
func (l Level) String() string { return [...]string{"info", "warning", "error"}[min(l, Failure)] }

// A Finding is something that Check has to say of a server, a collection or an
// attribute of a collection. It is for the administrator: it may hold DNs.
type Finding struct {
	Level      Level
	Server     string // URL, if it is about one server
	Collection string // name, if it is about one collection
	Attr       connectors.Attr
	Key        string // of the collection's part of the file, if it is about one: base, filter, anchor, objectClass
	Message    string
	Hint       string // what to do about it, if that can be said
}

// String returns the finding on one line.
func (f Finding) String() string {
	var where []string
	if f.Server != "" {
		where = append(where, f.Server)
	}
	if f.Collection != "" {
		where = append(where, f.Collection)
	}
	if f.Attr != "" {
		where = append(where, string(f.Attr))
	}
	return strings.Join(append(where, f.Message), ": ")
}

// A Use says which attributes a collection is used with.
type Use struct {
	Attrs []connectors.Attr // all of them
	// Unique are those that the gateway looks for the values of before it writes.
	Unique  []connectors.Attr
	Written []connectors.Attr // those that clients may change
	// Unsearched are those that no filter asks for: passwords, and what new entries get
	// besides.
	Unsearched []connectors.Attr
}

// Check asks the directory whether the configuration fits it: every server,
// every collection's base, filter and anchor, and of the attributes that each
// collection is used with whether the schema knows them and, where the server
// tells, whether they are indexed and the bind identity has the rights to them.
func (d *Directory) Check(ctx context.Context, uses map[string]Use) []Finding {
	var found []Finding
	for _, s := range d.pool.all() {
		f := d.checkServer(ctx, s)
		found = append(found, f)
		if f.Level != Failure && d.pool.several() {
			found = append(found, d.checkContent(ctx, s)...)
		}
	}
	f, err := d.known(ctx)
	if err != nil {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Level == Failure }) {
			found = append(found, Finding{Level: Failure, Message: err.Error(), Hint: advice(err)})
		}
		return found // else the servers said why
	}
	found = append(found, Finding{Message: f.report()})
	found = append(found, d.checkIntegrity(ctx, f))
	for _, name := range d.names {
		message := "what others do is followed"
		if why := d.collections[name].unwatched(f); why != "" {
			message = "what others do is not followed: " + why
		}
		found = append(found, Finding{Collection: name, Message: message})
	}
	x, err := d.indexes(ctx, f)
	if err != nil || x == nil {
		found = append(found, Finding{Message: "which attributes are indexed is not told to the bind identity"})
	}
	for _, name := range d.names {
		c, use := d.collections[name], uses[name]
		told, example := c.checkScope(ctx, f)
		found = append(found, told...)
		if example != "" {
			found = append(found, c.checkRights(ctx, f, example, use)...)
		}
		if x != nil {
			found = append(found, c.checkIndexes(f, x, use)...)
		}
		for _, a := range use.Attrs {
			if problem := c.checkAttr(f, a, use); problem.Message != "" {
				problem.Collection, problem.Attr = name, a
				found = append(found, problem)
			}
		}
	}
	return found
}

// checkServer connects to one server, whether or not the pool uses it.
func (d *Directory) checkServer(ctx context.Context, s *server) Finding {
	ctx, cancel := d.pool.limit(ctx)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return Finding{Level: Failure, Server: s.url, Message: err.Error(), Hint: s.advice(err)}
	}
	conn.Close()
	_, unknown := s.bind.(anonymous)
	switch {
	case unknown:
		return Finding{Level: Warning, Server: s.url, Message: "connected, anonymously"}
	case s.tls == nil:
		return Finding{Level: Info, Server: s.url, Message: "connected and bound, without encryption"}
	case s.tls.InsecureSkipVerify:
		return Finding{Level: Warning, Server: s.url, Message: "connected and bound; the certificate was not verified"}
	default:
		return Finding{Level: Info, Server: s.url, Message: "connected and bound; the certificate is good"}
	}
}

// checkContent asks a server for the bases: each must hold all of them, and one
// that does not would be found out when the others are down.
func (d *Directory) checkContent(ctx context.Context, s *server) []Finding {
	var found []Finding
	only, _ := followOnly(ctx, s)
	for _, name := range d.names {
		c := d.collections[name]
		if _, err := d.lookUp(only, c.Base, "(objectClass=*)", "1.1"); err != nil {
			found = append(found, Finding{Level: Failure, Server: s.url, Collection: name, Message: fmt.Sprintf("the base %q can not be read here: %v", c.Base, err), Hint: baseHint})
		}
	}
	return found
}

// report says what the server is and what the connector makes of it.
func (f *facts) report() string {
	var uses []string
	for _, u := range []struct {
		on   bool
		name string
	}{
		{f.assert, WithoutAssertion}, {f.post, WithoutPostRead}, {f.paging, WithoutPaging},
		{f.extDN, WithoutExtendedDN}, {f.permit, WithoutPermissive}, {f.passwords, WithoutPasswordModify},
	} {
		if u.on {
			uses = append(uses, u.name)
		}
	}
	server := strings.TrimSpace(f.root.vendorName + " " + f.root.vendorVersion)
	if server == "" {
		server = "without a name"
	}
	return fmt.Sprintf("dialect %s, server %s; conditional writes guard the %s; controls in use: %s; %d attributes in the schema",
		f.name, server, f.answers.Guard, strings.Join(uses, ", "), len(f.schema.matching))
}

const baseHint = "see whether it is spelled right and is there, and whether the bind identity may read it"

// checkScope asks for the base and for one entry of the collection, whose DN it
// returns, or "".
func (c *collection) checkScope(ctx context.Context, f *facts) (found []Finding, example string) {
	about := func(l Level, key, hint, format string, args ...any) {
		found = append(found, Finding{Level: l, Collection: c.Name, Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if _, err := c.dir.lookUp(ctx, c.Base, "(objectClass=*)", "1.1"); err != nil {
		about(Failure, "base", baseHint, "the base %q can not be read: %v", c.Base, err)
		return found, ""
	}
	if !f.schema.has(c.anchor.attr) {
		about(Failure, "anchor", f.schema.nearestAttr(c.anchor.attr, "leave it out: "+f.dialect.anchor+" is the default"),
			"the directory's schema does not know the anchor %q", c.anchor.attr)
	}
	for _, class := range c.ObjectClass {
		if _, ok := f.schema.classes[strings.ToLower(class)]; !ok && len(f.schema.classes) > 0 {
			about(Failure, "objectClass", f.schema.nearestClass(class, "add it to the schema, or take it out of objectClass"),
				"the directory's schema does not know the object class %q", class)
		}
	}
	// A condition on an unknown attribute is undefined (RFC 4511 §4.5.1.7): whoever has to
	// satisfy it is never found, negated or not.
	for _, a := range filterNames(c.Filter) {
		if !f.schema.has(a) {
			about(Failure, "filter", f.schema.nearestAttr(a, "add it to the schema, or take it out of the filter"),
				"the filter names %q, which the directory's schema does not know", a)
		}
	}
	if len(found) > 0 {
		return found, ""
	}
	reply, err := c.dir.pool.read(ctx, request{
		Search: wire.Search{Base: c.Base, Scope: wire.WholeSubtree, SizeLimit: 1, Filter: c.filter},
		extra:  c.extra,
	}.append(nil, 0, ""))
	if err == nil && reply.Code != wire.Success && reply.Code != wire.SizeLimitExceeded {
		err = &wire.ResultError{Op: "search", Result: reply.Result}
	}
	switch {
	case err != nil:
		about(Failure, "base", advice(err), "searching %q: %v", c.Base, err)
		return found, ""
	case len(reply.Entries) == 0:
		about(Warning, "filter", "if there should be some, see the filter and the rights to the attributes that it names",
			"no entry under %q passes the filter %q that the bind identity can read", c.Base, c.Filter)
		return found, ""
	}
	d := c.decoder(f, nil)
	if err := d.add(reply.Entries[0]); err != nil {
		about(Failure, "", "", "%v", err)
		return found, ""
	}
	for a := range c.required {
		about(Info, "", "", "the schema demands a value of %q: groups made here get the placeholder %q, which is not shown", a, c.Placeholder)
	}
	return found, d.dns[0]
}

// checkAttr says what is wrong with the use of an attribute, if anything is.
func (c *collection) checkAttr(f *facts, a connectors.Attr, use Use) Finding {
	m := f.schema.matching[connectors.Attr(strings.ToLower(string(a)))]
	switch {
	case !f.schema.has(a):
		return Finding{Level: Failure, Message: "the directory's schema does not know the attribute",
			Hint: f.schema.nearestAttr(a, "add it to the schema, or take it out of the map")}
	// Active Directory's classes take attributes from auxiliary classes that are
	// not in its subschema.
	case !f.systemSchema && !f.readOnly(a) && !f.schema.allows(c.ObjectClass, string(a)):
		return Finding{Level: Warning, Message: fmt.Sprintf("the object classes %q do not allow the attribute: it can be read, not written", c.ObjectClass)}
	case slices.Contains(use.Unique, a) && (m.Rule == connectors.RuleUnknown || m.Rule == connectors.RuleOther || m.Unsearchable):
		return Finding{Level: Warning, Message: "the schema has no rule by which its values are found: that they are unique is left to the directory"}
	}
	return Finding{}
}

// has reports whether the schema has the attribute, options aside.
func (s *schema) has(a connectors.Attr) bool {
	name, _, _ := strings.Cut(strings.ToLower(string(a)), ";")
	_, ok := s.matching[connectors.Attr(name)]
	return ok || slices.Contains([]string{"objectclass", "1.1"}, name)
}
