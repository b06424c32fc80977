package mapping

import (
	"fmt"
	"testing"
	"time"

	"postern/connectors"
	"postern/scim"

	"pgregory.net/rapid"
)

// TestTimesComparedAsText asks a backend that compares times as texts for what it
// has set itself: all that the filter holds for is found.
func TestTimesComparedAsText(t *testing.T) {
	m := lawMapping(t)
	schema := map[connectors.Attr]connectors.Matching{"modified": {Rule: connectors.RuleExact, ReadOnly: true, Ordering: true, SingleValue: true}}
	base := time.Date(2024, 1, 2, 3, 4, 59, 0, time.UTC)
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return base.Add(time.Duration(rapid.IntRange(-30, 30).Draw(t, "tenths")) * 100 * time.Millisecond)
	})
	narrow := 0
	rapid.Check(t, func(t *rapid.T) {
		stored := at.Draw(t, "stored")
		text := stored.Format(rapid.SampledFrom([]string{"20060102150405Z", "20060102150405.0Z", "20060102150405.999999Z"}).Draw(t, "form"))
		op := rapid.SampledFrom([]string{"eq", "gt", "ge", "lt", "le"}).Draw(t, "op")
		f, err := scim.ParseFilter(m.rt, fmt.Sprintf("meta.lastModified %s %q", op, at.Draw(t, "asked").Format(time.RFC3339Nano)))
		if err != nil {
			t.Fatal(err)
		}
		cond, exact, err := m.Lower(f, connectors.Capabilities{Conds: connectors.AllConds, Matching: schema}, Lookup{})
		if err != nil || exact || cond.Kind() == connectors.CondAll {
			t.Fatalf("%s becomes %s, exact %v, %v", f, cond, exact, err)
		}
		e := connectors.Entry{Fields: []connectors.Field{{Attr: "modified", Values: []connectors.Value{connectors.Value(text)}}}}
		found := connectors.Match(cond, e, schema) == connectors.True
		if scim.Match(f, m.Project(e, nil)) && !found {
			t.Fatalf("%s does not find %s: %s", f, text, cond)
		}
		if !found {
			narrow++
		}
	})
	if narrow == 0 {
		t.Error("everything was found, always")
	}
}
