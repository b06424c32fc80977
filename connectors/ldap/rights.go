package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// How a kind of server tells what the bind identity may do with an entry.
const (
	rightsUntold    = iota
	rightsEffective // allowedAttributesEffective of the entry ([MS-ADTS] §3.1.1.4.5.19): what may be written
	rightsControl   // the Get Effective Rights control (draft-ietf-ldapext-acl-model-08 §9): each attribute's rights
)

// rights are what the bind identity may do with attributes, under lower-case names.
// What is not told is nil.
type rights struct {
	readable, writable func(a connectors.Attr) bool
}

// rights asks what the bind identity may do with an entry's attributes.
func (c *collection) rights(ctx context.Context, f *facts, name string, attrs []connectors.Attr) (rights, error) {
	switch f.rights {
	case rightsEffective:
		found, err := c.dir.lookUp(ctx, name, "(objectClass=*)", "objectClass", "allowedAttributesEffective")
		if err != nil || len(found) == 0 {
			return rights{}, err
		}
		// Where nothing may be written the attribute is not there.
		return rights{writable: func(a connectors.Attr) bool {
			return slices.ContainsFunc(found["allowedattributeseffective"], func(v string) bool { return sameAttr(v, a) })
		}}, nil
	case rightsControl:
		who := c.dir.config.BindDN
		if who == "" || !slices.Contains(f.root.controls, wire.ControlRights) {
			return rights{}, nil
		}
		body := wire.AppendSearch(nil, wire.Search{Base: name, Scope: wire.BaseObject, Filter: appendEverything(nil)}, attrs, []connectors.Attr{"objectClass"})
		body, m := wire.BeginControls(body)
		body = wire.EndControls(wire.AppendRights(body, "dn:"+who), m)
		reply, err := c.dir.pool.read(ctx, body)
		if err != nil || reply.Code != wire.Success || len(reply.Entries) == 0 {
			return rights{}, err
		}
		return f.parseRights(reply.Entries[0])
	}
	return rights{}, nil
}

// parseRights reads attributeLevelRights: "cn:rsc, sn:rscwo", where "none" is none, and
// says nothing of attributes that the entry's classes do not allow.
func (f *facts) parseRights(entry string) (rights, error) {
	e, err := wire.ParseEntry(entry)
	if err != nil {
		return rights{}, err
	}
	letters := map[string]string{}
	var classes []string
	for name, values := range e.Attributes() {
		if strings.EqualFold(name, "objectClass") {
			classes = slices.Collect(values.All())
		}
		if !strings.EqualFold(name, "attributeLevelRights") {
			continue
		}
		for v := range values.All() {
			for one := range strings.SplitSeq(v, ",") {
				attr, has, _ := strings.Cut(strings.TrimSpace(one), ":")
				letters[strings.ToLower(attr)] = has
			}
		}
	}
	if len(letters) == 0 {
		return rights{}, nil
	}
	has := func(wanted string) func(connectors.Attr) bool {
		return func(a connectors.Attr) bool {
			name, _, _ := strings.Cut(strings.ToLower(string(a)), ";")
			own, told := letters[name]
			return !told || !f.schema.operational[name] && !f.schema.allows(classes, name) || own != "none" && !strings.ContainsFunc(wanted, func(r rune) bool { return !strings.ContainsRune(own, r) })
		}
	}
	return rights{readable: has("rs"), writable: has("w")}, nil
}

// checkRights says which of the attributes that a collection is used with the bind
// identity may not read or write, by the example of one entry.
func (c *collection) checkRights(ctx context.Context, f *facts, name string, use Use) []Finding {
	r, err := c.rights(ctx, f, name, use.Attrs)
	about := func(l Level, a connectors.Attr, hint, format string, args ...any) Finding {
		return Finding{Level: l, Collection: c.Name, Attr: a, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	var untold []string
	if r.readable == nil {
		untold = append(untold, "read")
	}
	if r.writable == nil {
		untold = append(untold, "written")
	}
	var found []Finding
	if len(untold) > 0 {
		why := ""
		if err != nil {
			why = fmt.Sprintf(" (%v)", err)
		}
		found = append(found, about(Info, "", "", "the server does not tell which attributes may be %s by the bind identity%s", strings.Join(untold, " and "), why))
	}
	if f.systemSchema {
		found = append(found, c.checkConfidential(ctx, f, use.Attrs)...)
	}
	for _, a := range use.Attrs {
		switch {
		case !f.schema.has(a):
		case r.readable != nil && !isPassword(a) && !r.readable(a):
			found = append(found, about(Failure, a, "grant it read and search, or take the attribute out of the map",
				"the bind identity may not read the attribute of %q: it would look as if nobody had it", name))
		case r.writable != nil && slices.ContainsFunc(use.Written, func(w connectors.Attr) bool { return sameAttr(string(w), a) }) &&
			!f.readOnly(a) && !isPassword(a) && !c.named(name, a) && !r.writable(a):
			found = append(found, about(Warning, a, "grant it write, or say write: never",
				"the bind identity may not write the attribute of %q: requests that change it are refused", name))
		}
	}
	return found
}

// checkConfidential tells of attributes that Active Directory shows, and finds by, only
// to who has the right CONTROL_ACCESS to them (fCONFIDENTIAL of searchFlags, [MS-ADTS]
// §2.2.9), and from all others hides without a word.
func (c *collection) checkConfidential(ctx context.Context, f *facts, attrs []connectors.Attr) []Finding {
	names, err := c.dir.listValues(ctx, f.root.schemaContext, "(&(objectClass=attributeSchema)(searchFlags:"+bitAnd+":=128))", "lDAPDisplayName", true)
	if err != nil {
		return nil // the schema could be read a moment ago
	}
	var found []Finding
	for _, a := range attrs {
		if !isPassword(a) && slices.ContainsFunc(names, func(n string) bool { return sameAttr(n, a) }) {
			found = append(found, Finding{Level: Warning, Collection: c.Name, Attr: a, Hint: "grant it all extended rights to the attribute",
				Message: "the attribute is confidential: without the right CONTROL_ACCESS the bind identity sees nobody's value, and finds nobody by it"})
		}
	}
	return found
}

// named reports whether an attribute names the entry: it is changed by a rename, which
// is a right of its own.
func (c *collection) named(name string, a connectors.Attr) bool {
	d, err := parseDN(name)
	return err == nil && len(d) > 0 && slices.ContainsFunc(d[0], func(p ava) bool { return sameAttr(p.attr, a) })
}
