package mapping

import (
	"fmt"
	"os"
	"testing"

	"postern/connectors"
	"postern/scim"
)

// sampleMapping compiles a resource of a sample.
func sampleMapping(b *testing.B, file, kind string) *Mapping {
	b.Helper()
	text, err := os.ReadFile("../configs/" + file)
	if err != nil {
		b.Fatal(err)
	}
	mappings, problems := compileText(b, file, text)
	if problems.HasErrors() {
		b.Fatal(problems.Error())
	}
	return mappings[kind]
}

// typicalUser has a value for every attribute, in the order of a full read.
func typicalUser(m *Mapping) (connectors.Entry, Names) {
	e, names := connectors.Entry{Anchor: "a"}, make(Names)
	refs := m.References()
	for _, a := range m.Attrs() {
		f := connectors.Field{Attr: a}
		switch {
		case refs[a] != nil:
			for i := range 3 {
				f.Refs = append(f.Refs, connectors.Target{Collection: refs[a][0], Anchor: connectors.Anchor(fmt.Sprintf("anchor-of-16-by%d", i))})
				names[a] = append(names[a], fmt.Sprintf("2819c223-7f76-453a-919d-41386190464%d", i))
			}
		case a == "createTimestamp" || a == "modifyTimestamp" || a == "pwdAccountLockedTime":
			f.Values = []connectors.Value{"20240102030405Z"}
		default:
			f.Values = []connectors.Value{"some value of " + connectors.Value(a)}
		}
		e.Fields = append(e.Fields, f)
	}
	return e, names
}

func largeGroup(m *Mapping, n int) (connectors.Entry, Names) {
	f := connectors.Field{Attr: "member"}
	ids := make([]string, n)
	for i := range n {
		f.Refs = append(f.Refs, connectors.Target{Collection: "User", Anchor: connectors.Anchor(fmt.Sprintf("%016d", i))})
		ids[i] = fmt.Sprintf("2819c223-7f76-453a-919d-%012d", i)
	}
	return connectors.Entry{Fields: []connectors.Field{{Attr: "cn", Values: []connectors.Value{"Staff"}}, f}}, Names{"member": ids}
}

func BenchmarkProject(b *testing.B) {
	m := sampleMapping(b, "openldap.yaml", "User")
	e, names := typicalUser(m)
	b.ReportAllocs()
	for b.Loop() {
		m.Project(e, names)
	}
}

func BenchmarkFingerprint(b *testing.B) {
	m := sampleMapping(b, "openldap.yaml", "User")
	e, _ := typicalUser(m)
	b.ReportAllocs()
	for b.Loop() {
		fp, _ := m.Fingerprint(e)
		_ = fp.With("701984").String()
	}
}

func BenchmarkProjectGroup(b *testing.B) {
	m := sampleMapping(b, "openldap.yaml", "Group")
	e, names := largeGroup(m, 5000)
	b.ReportAllocs()
	for b.Loop() {
		m.Project(e, names)
	}
}

func BenchmarkFingerprintGroup(b *testing.B) {
	m := sampleMapping(b, "openldap.yaml", "Group")
	e, _ := largeGroup(m, 5000)
	b.ReportAllocs()
	for b.Loop() {
		m.Fingerprint(e)
	}
}

func BenchmarkPlan(b *testing.B) {
	m := sampleMapping(b, "openldap.yaml", "User")
	e, _ := typicalUser(m)
	p, err := scim.DecodePatch(m.ResourceType(), []byte(`{"Operations":[{"op":"replace","path":"title","value":"Boss"}]}`), scim.DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Plan(e, p, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLower(b *testing.B) {
	m := sampleMapping(b, "openldap.yaml", "User")
	f, err := scim.ParseFilter(m.ResourceType(), `userName eq "jdoe"`)
	if err != nil {
		b.Fatal(err)
	}
	caps := connectors.Capabilities{Conds: connectors.AllConds, Matching: map[connectors.Attr]connectors.Matching{"uid": {Rule: connectors.RuleIgnoreCase}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.Lower(f, caps, Lookup{}); err != nil {
			b.Fatal(err)
		}
	}
}
