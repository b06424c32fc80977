package ldap

import (
	"context"
	"slices"
	"strings"

	"postern/connectors"
)

// An index is the set of attributes, in lower case, by whose values the server
// finds entries without going through all of them. It is nil where the bind
// identity may not know.
type index map[string]bool

// has reports whether a search by the attribute's values is quick.
func (x index) has(s *schema, a connectors.Attr) bool {
	name, _, _ := strings.Cut(strings.ToLower(string(a)), ";")
	return x[name] || x[s.canonical(name)] || slices.Contains([]string{"objectclass", "entrydn", "entryuuid", "nsuniqueid", "objectguid"}, name)
}

// indexes asks the server which attributes are indexed, where its kind tells: in
// Active Directory the schema (fATTINDEX of searchFlags, [MS-ADTS] §2.2.9; links
// always are), in 389-DS and OpenLDAP the configuration, which few may read.
func (d *Directory) indexes(ctx context.Context, f *facts) (index, error) {
	found := index{}
	read := func(base, filter string, attr connectors.Attr, take func(value string)) error {
		values, err := d.listValues(ctx, base, filter, attr, f.indexes == indexSchema)
		for _, v := range values {
			take(v)
		}
		return err
	}
	var err error
	switch f.indexes {
	case indexSchema:
		err = read(f.root.schemaContext, "(&(objectClass=attributeSchema)(|(searchFlags:"+bitAnd+":=1)(linkID=*)))", "lDAPDisplayName",
			func(v string) { found[strings.ToLower(v)] = true })
	case indexEntries:
		err = read("cn=ldbm database,cn=plugins,cn=config", "(&(objectClass=nsIndex)(nsIndexType=eq))", "cn",
			func(v string) { found[strings.ToLower(v)] = true })
	case indexLines:
		var lines []string
		err = read("cn=config", "(olcDbIndex=*)", "olcDbIndex", func(v string) { lines = append(lines, v) })
		for _, name := range indexedByLines(lines) {
			found[strings.ToLower(name)] = true
		}
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found, nil
}

// indexedByLines reads "uid,cn eq,sub" (slapd-mdb(5)). A line without kinds has those of
// the line that is called default.
func indexedByLines(lines []string) (names []string) {
	standard := ""
	for _, l := range lines {
		if name, kinds, _ := strings.Cut(l, " "); name == "default" {
			standard = kinds
		}
	}
	for _, l := range lines {
		list, kinds, _ := strings.Cut(l, " ")
		if kinds == "" {
			kinds = standard
		}
		if slices.Contains(strings.FieldsFunc(kinds, func(r rune) bool { return r == ',' || r == ' ' }), "eq") && list != "default" {
			names = append(names, strings.Split(list, ",")...)
		}
	}
	return names
}

// How a kind of server tells what is indexed.
const (
	indexUnknown = iota
	indexSchema  // attributeSchema objects
	indexEntries // nsIndex entries
	indexLines   // olcDbIndex
)

// checkIndexes tells of the attributes that searches go through all entries for.
// It is a warning for those that the gateway itself searches by: whatever is
// unique, and references.
func (c *collection) checkIndexes(f *facts, x index, use Use) []Finding {
	var found []Finding
	var others []string
	for _, a := range use.Attrs {
		_, refers := c.References[a]
		switch {
		case !f.schema.has(a) || x.has(f.schema, a) || slices.Contains(use.Unsearched, a):
		case refers || slices.ContainsFunc(use.Unique, func(u connectors.Attr) bool { return sameAttr(string(u), a) }):
			found = append(found, Finding{Level: Warning, Collection: c.Name, Attr: a,
				Message: "it is not indexed for equality: every search by it, and the gateway makes many, goes through all entries"})
		default:
			others = append(others, string(a))
		}
	}
	if len(others) > 0 {
		found = append(found, Finding{Collection: c.Name, Message: "not indexed, so that filters on them go through all entries: " + strings.Join(others, ", ")})
	}
	return found
}
