package main

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"

	"postern/mapping"
)

// The conformance tables are the recorded exchanges in testdata/conformance, one
// file for each topic. Every world carries out every case that it can.
//
// A file is read by lines. Empty lines mean nothing, but end a pattern; a line
// that begins with "# " is a comment. What stands before the first case is done
// once for the file, and what it makes is there for all cases, which must leave
// it as it is.
//
//	## RFC 7644 §3.5.2.2: remove ...   a case begins: the section, and what it holds
//	needs active, bind                 the world must map these attributes ("bind": have a directory
//	                                   that users can sign in to)
//	lacks name.formatted               the world must not have these
//	client entra                       who sends from here on: rfc (the default), entra, okta,
//	                                   interop, partial (put: keep, replaceMembers: add), reader, nobody
//	name n                             {n} is a user name, {n.stem} a text, that nothing else has
//	user u1 {"title":"x"}              a user, with these attributes
//	group g1 u1 u2                     a group, with these members
//
// An exchange is a request and what its answer must be:
//
//	PATCH /Groups/{g1}                 the target as it goes out
//	?filter=userName eq "{u1.name}"    one more parameter of the query, encoded
//	If-Match: {u1.etag}                a header; "-" sends none of this name
//	ops [{"op":"add", ...}]            the body, up to =>: a PatchOp message of these operations;
//	                                   or User {...}, Group {...}, Search {...}, Bulk [...]: with the
//	                                   schema added;
//	                                   or {...}, [...]: as it stands;
//	                                   or bytes "...": any bytes, with the escapes of Go
//	=> 400 invalidValue                the status, and the scimType of an error
//	detail title                       a fragment of an error's detail
//	ETag: {u1.etag}                    a header; "-" is none, "not x" another, "any" is there
//	empty                              there is no body
//	{"title":null,"emails":[...]}      a pattern of the body: members that are named must match, null
//	                                   must be absent, "{any}" is anything, lists match as sets
//	order u1 u2                        of what was made, the list has these, in this order
//	as u2                              the resource in the answer, from here on
//	save v meta.version                {v} is what is found there; or, of a header, save v ETag
//
// Other steps:
//
//	find userName eq "x" => u1 u2      of all that was made, this is found ("none", or a status and a
//	                                   scimType); find /Groups displayName pr => g1
//	state u1 title = "x"               what the directory holds, seen past the gateway: texts, true and
//	state g1 members = u1              false for active, or the names of resources; nothing is absent
//	state u1 gone                      it holds no such entry
//	binds u1 "password"                the user can sign in; binds not u1 "password"
//
// {u1} is the id of u1; {u1.name}, {u1.etag}, {u1.location} are what it was made
// with; {any}, {base}, {enterprise}, {missing} (an id that nothing has) and {me}
// (the user name that the client reader stands for) are
// always there. «text»*1000 is the text so many times.
const conformanceDir = "testdata/conformance"

// conformanceTables reads all tables.
func conformanceTables(t testing.TB) []*conformTable {
	t.Helper()
	dir := os.DirFS(conformanceDir)
	names, err := fs.Glob(dir, "*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no tables in %s: %v", conformanceDir, err)
	}
	var tables []*conformTable
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		table, err := parseConformTable(name, string(text))
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	return tables
}

func testConformance(t *testing.T, w *world) {
	for _, table := range conformanceTables(t) {
		t.Run(table.name, func(t *testing.T) { table.run(t, w.with(t)) })
	}
}

// abilities are what a case may need: the mapped attributes (those of groups also as
// Group.displayName), whether groups may be members ("nested"), whether there is
// a directory behind that users sign in to ("bind"), whether it keeps spaces at the ends
// of a name ("spaces") and lets no reference outlive what it names ("integrity"), and
// whether active is by a state codec, and so is never taken away ("state").
func abilities(resources []*mapping.Mapping, bind bool) map[string]bool {
	able := map[string]bool{"bind": bind, "spaces": true, "integrity": true, "state": true}
	for _, m := range resources {
		for a := range m.Uses() { // with what is only written
			able[m.PathOf(a)] = true
			able[m.ResourceType().Name+"."+m.PathOf(a)] = true
		}
		for _, into := range m.References() {
			able["nested"] = able["nested"] || m.ResourceType().Name == "Group" && slices.Contains(into, "Group")
		}
	}
	return able
}

// TestConformanceCasesHaveAWorld finds cases that nothing would run: with a
// condition that no world meets, or that was misspelt.
func TestConformanceCasesHaveAWorld(t *testing.T) {
	var worlds []map[string]bool
	known := make(map[string]bool)
	add := func(resources []*mapping.Mapping, bind bool) {
		worlds = append(worlds, abilities(resources, bind))
		maps.Copy(known, worlds[len(worlds)-1])
	}
	t.Setenv("POSTERN_DEMO_PASSWORD", "unused")
	t.Setenv("POSTERN_BIND_PASSWORD", "unused")
	for _, sample := range []string{"demo.yaml", "openldap.yaml", "ds389.yaml", "active-directory.yaml"} {
		_, resources := sampleConfig(t, sample)
		add(resources, true)
		add(resources, sample != "demo.yaml") // the memory connector has the demo's mapping
	}
	for _, table := range conformanceTables(t) {
		for _, c := range table.cases {
			for _, ability := range slices.Concat(c.needs, c.lacks) {
				if !known[ability] {
					t.Errorf("%s:%d: no world has %q", table.name, c.line, ability)
				}
			}
			if !slices.ContainsFunc(worlds, c.runsIn) {
				t.Errorf("%s:%d: no world runs this case", table.name, c.line)
			}
		}
	}
}
