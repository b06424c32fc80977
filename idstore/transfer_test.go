package idstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"postern/idstore"
	"postern/idstore/memory"
)

func newStore(t testing.TB) *memory.Store {
	t.Helper()
	s, err := memory.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func export(t testing.TB, s idstore.Store) string {
	t.Helper()
	var text bytes.Buffer
	if err := s.View(t.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Export(tx, &text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func importInto(t testing.TB, s idstore.Store, text string) error {
	t.Helper()
	return s.Update(t.Context(), func(tx idstore.Tx) error {
		_, err := idstore.Import(tx, strings.NewReader(text))
		return err
	})
}

// TestExport: what was imported is exported as the same bytes, and every line has something in it.
func TestExport(t *testing.T) {
	s := newStore(t)
	everything(t, s)
	text := export(t, s)
	for _, want := range []string{
		`{"header":{"format":"postern identity table","version":2,"lastEntity":6,"lastIntent":3,"lastOperation":4,"lastWork":1}}`,
		`{"entity":{"entity":1,"type":"User"`, `"key":{"base64":"/wA="}`, `"alias":true`, `"value":"x-a"`, `"spentId":{"id":`, `"type":"User","deleted":`,
		`"kind":"rename"`, `"kind":"create"`, `"who":"ann","why":"one person"`, `"undoes":2`, `"undoneBy":3`, `"state":"pending"`, `"action":"disable"`,
		`{"end":{"entities":3,"spentIds":2,"intents":2,"operations":4,"work":1}}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	other := newStore(t)
	if err := importInto(t, other, text); err != nil {
		t.Fatal(err)
	}
	if again := export(t, other); again != text {
		t.Errorf("exported again:\n%s\nwas\n%s", again, text)
	}
	err := other.Update(t.Context(), func(tx idstore.Tx) error {
		if found, _, err := damages(tx); len(found) > 0 || err != nil {
			t.Errorf("damages %q, %v", found, err)
		}
		// What was true of the old store is true of the new one: numbers go on, and what was done can be undone.
		fresh, err := idstore.Adopt(tx, idstore.Scope{Type: "User"}, []idstore.Anchor{{Backend: "ad", Key: "new"}})
		if err != nil || fresh[0].Entity != 7 {
			t.Errorf("the next entity is %+v, %v", fresh, err)
		}
		o, err := idstore.Undo(tx, 1, idstore.Note{})
		if err != nil || o.ID != 5 || o.Undoes != 1 {
			t.Errorf("undo %+v, %v", o, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImportRefuses: a bad line leaves nothing of the good ones, and is named.
func TestImportRefuses(t *testing.T) {
	s := newStore(t)
	everything(t, s)
	good := export(t, s)
	lines := strings.SplitAfter(good, "\n")
	at := func(prefix string) int {
		for i, l := range lines {
			if strings.HasPrefix(l, prefix) {
				return i
			}
		}
		t.Fatalf("no line begins with %s", prefix)
		return 0
	}
	twice := func(prefix string) string {
		i := at(prefix)
		return strings.Join(lines[:i+1], "") + strings.Join(lines[i:], "")
	}
	replaced := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in the export", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, test := range []struct {
		name, text string
		want       error
		says       string
	}{
		{"nothing", "", idstore.ErrInvalid, "cut off after line 0"},
		{"no JSON", "ids\n", idstore.ErrInvalid, "line 1"},
		{"no header", strings.Join(lines[1:], ""), idstore.ErrInvalid, "line 1: an export begins with one header"},
		{"two headers", lines[0] + good, idstore.ErrInvalid, "line 2: an export begins with one header"},
		{"another format", replaced("postern identity table", "people"), idstore.ErrInvalid, `the format is "people"`},
		{"newer", replaced(`"version":2`, `"version":3`), idstore.ErrNewer, "version 3, this program knows up to 2"},
		{"cut off", strings.Join(lines[:len(lines)-2], ""), idstore.ErrInvalid, "cut off after line"},
		{"cut in a line", good[:len(good)/2], idstore.ErrInvalid, "line "},
		{"a line too few", strings.Replace(good, lines[at(`{"spentId"`)], "", 1), idstore.ErrInvalid, "the end speaks of"},
		{"an entity twice", twice(`{"entity"`), idstore.ErrInvalid, "line 3: entity 1 after entity 1"},
		{"a tombstone twice", twice(`{"spentId"`), idstore.ErrInvalid, "twice"},
		{"an intent twice", twice(`{"intent"`), idstore.ErrInvalid, "a number of intents twice"},
		{"an operation twice", twice(`{"operation"`), idstore.ErrInvalid, "a number of history twice"},
		{"work twice", twice(`{"work"`), idstore.ErrInvalid, "a number of work twice"},
		{"out of order", lines[0] + lines[at(`{"spentId"`)] + lines[1], idstore.ErrInvalid, "line 3: a line of entities after lines of spentIds"},
		{"more after the end", good + lines[1], idstore.ErrInvalid, "something follows the end"},
		{"an unknown field", replaced(`"type":"User"`, `"typ":"User"`), idstore.ErrInvalid, "unknown field"},
		{"no type", replaced(`"type":"User"`, `"type":""`), idstore.ErrInvalid, "line 2: an entity without a number or a type"},
		{"no backend", replaced(`"backend":"ad"`, `"backend":""`), idstore.ErrInvalid, "an anchor needs a backend"},
		{"no id", replaced(`"id":"`, `"id":"x`), idstore.ErrInvalid, "is no public id"},
		{"an unknown word", replaced(`"kind":"rename"`, `"kind":"move"`), idstore.ErrInvalid, `"move" is none of the words`},
		{"two primary ids", replaced(`,"alias":true`, ""), idstore.ErrInvalid, "2 primary ids"},
		{"an anchor of two", replaced(`"key":"c"`, `"key":"a"`), idstore.ErrInvalid, "is linked to another entity too"},
		{"a counter that is behind", replaced(`"lastEntity":6`, `"lastEntity":2`), idstore.ErrInvalid, "the greatest that was given out is 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fresh := newStore(t)
			before := export(t, fresh)
			err := importInto(t, fresh, test.text)
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.says) {
				t.Errorf("error %v, want %v that says %q", err, test.want, test.says)
			}
			if after := export(t, fresh); after != before {
				t.Errorf("left behind:\n%s", after)
			}
			if err := importInto(t, fresh, good); err != nil {
				t.Errorf("a good one afterwards: %v", err)
			}
		})
	}
	if err := importInto(t, s, good); !errors.Is(err, idstore.ErrInvalid) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a store that is not empty: %v", err)
	}
	used := newStore(t)
	err := used.Update(t.Context(), func(tx idstore.Tx) error {
		in, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Create, Scope: idstore.Scope{Type: "User"}})
		if err != nil {
			return err
		}
		return idstore.Drop(tx, in.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := importInto(t, used, good); !errors.Is(err, idstore.ErrInvalid) || !strings.Contains(err.Error(), "used before") {
		t.Errorf("into a store that was used: %v", err)
	}
}
