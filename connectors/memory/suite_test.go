package memory_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"postern/connectors"
	"postern/connectors/connectortest"
	"postern/connectors/memory"
)

// schema is that of a directory.
var schema = map[connectors.Attr]connectors.Matching{
	"uid":           {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true},
	"cn":            {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true},
	"displayName":   {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true, SingleValue: true},
	"room":          {Rule: connectors.RuleIgnoreCase, Ordering: true, Substring: true, SingleValue: true},
	"description":   {Rule: connectors.RuleIgnoreCase, Squeezes: true, Substring: true},
	"badge":         {Rule: connectors.RuleExact, Squeezes: true, Substring: true, SingleValue: true},
	"level":         {Rule: connectors.RuleInteger, Ordering: true, SingleValue: true},
	"active":        {Rule: connectors.RuleBoolean, SingleValue: true},
	"expires":       {Rule: connectors.RuleTime, Ordering: true, SingleValue: true},
	"photo":         {Rule: connectors.RuleOctets, SingleValue: true},
	"mail":          {Rule: connectors.RuleIgnoreCase, Substring: true},
	"userPassword":  {Rule: connectors.RuleOctets},
	"telephone":     {Rule: connectors.RuleOther},
	"unknownToUser": {Rule: connectors.RuleUnknown},
}

func backend(schema map[connectors.Attr]connectors.Matching, o memory.Options) *memory.Backend {
	o.Collections = []memory.Collection{
		{
			Name: "Users", Matching: schema,
			Unique:     []connectors.Attr{"mail"},
			WriteOnly:  []connectors.Attr{"userPassword"},
			References: map[connectors.Attr][]string{"manager": {"Users"}},
			Reverse:    map[connectors.Attr]memory.Reverse{"memberOf": {Collection: "Groups", Attr: "member"}},
		},
		{
			Name: "Groups", Matching: schema,
			References: map[connectors.Attr][]string{"member": {"Users", "Groups"}},
		},
		{Name: "Devices", Matching: schema},
	}
	return memory.New(o)
}

func harness(schema map[connectors.Attr]connectors.Matching, o memory.Options) connectortest.Harness {
	named := func(attr connectors.Attr) func(connectors.Value) connectors.Draft {
		return func(v connectors.Value) connectors.Draft {
			return connectors.Draft{Name: attr, Fields: []connectors.Field{{Attr: attr, Values: []connectors.Value{v}}}}
		}
	}
	return connectortest.Harness{
		Open: func(t *testing.T, _ connectortest.Options) connectortest.Opened {
			b := backend(schema, o)
			return connectortest.Opened{
				Users: b.Collection("Users"), Groups: b.Collection("Groups"),
				RivalUsers: b.Collection("Users"), RivalGroups: b.Collection("Groups"),
				Break: func() func() {
					b.Fail(func(memory.Op, bool) error { return errors.New("no route to host") })
					return func() { b.Fail(nil) }
				},
				Stall: func() func() {
					wait := make(chan struct{})
					b.Fail(func(memory.Op, bool) error { <-wait; return nil })
					return sync.OnceFunc(func() { b.Fail(nil); close(wait) })
				},
				Plant: func(t *testing.T, group connectors.Anchor) {
					if _, err := b.Collection("Devices").Create(t.Context(), named("cn")("printer"), nil); err != nil {
						t.Fatal(err)
					}
					g := connectors.Target{Collection: "Groups", Anchor: group}
					if !b.Plant(g, "member", "Devices", "printer") || !b.Plant(g, "member", "Users", "nobody") {
						t.Fatal("the group is not there")
					}
				},
			}
		},
		Users: connectortest.Users{
			Collection: "Users", Draft: named("uid"), Naming: "uid",
			Plain: "displayName", Other: "room", Multi: "description", Exact: "badge", Integer: "level",
			Boolean: "active", Time: "expires", Binary: "photo", Long: "displayName", Unique: "mail",
			Ref: "manager", Reverse: "memberOf",
			Secret: "userPassword", Secrets: [2]connectors.Value{"first", "second"},
		},
		Groups: connectortest.Groups{
			Collection: "Groups", Draft: named("cn"), Naming: "cn", Ref: "member", Nested: true,
		},
		RenamesKeepReferences: true,
	}
}

func TestSuite(t *testing.T) {
	lowered := make(map[connectors.Attr]connectors.Matching)
	for a, m := range schema {
		lowered[connectors.Attr(strings.ToLower(string(a)))] = m
	}
	for _, tc := range []struct {
		name    string
		schema  map[connectors.Attr]connectors.Matching
		options memory.Options
	}{
		{"full", schema, memory.Options{}},
		{"lower-case schema", lowered, memory.Options{}},
		{"no schema", nil, memory.Options{}},
		{"integrity", schema, memory.Options{Integrity: true}},
		{"values guard", schema, memory.Options{Guard: new(connectors.GuardValues)}},
		{"touched guard", schema, memory.Options{Guard: new(connectors.GuardTouched)}},
		{"no guard", schema, memory.Options{Guard: new(connectors.GuardNone)}},
		{"equality alone", schema, memory.Options{Conds: new(connectors.CondAll | connectors.CondEqual)}},
		{"no search", schema, memory.Options{Conds: new(connectors.CondAll)}},
		{"no negation", schema, memory.Options{Conds: new(connectors.AllConds &^ connectors.CondNot)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := harness(tc.schema, tc.options)
			if tc.name != "full" {
				h.Crowd = 100
			}
			connectortest.Run(t, h)
		})
	}
}
