package idstore_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/idstore"
)

func TestParsePublicID(t *testing.T) {
	for _, test := range []struct {
		text string
		want string // "" where it is refused
	}{
		{"2819c223-7f76-453a-919d-413861904646", "2819c223-7f76-453a-919d-413861904646"},
		{"2819C223-7F76-453A-919D-413861904646", "2819c223-7f76-453a-919d-413861904646"},
		{"ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
		{"", ""},
		{"00000000-0000-0000-0000-000000000000", ""},
		{"2819c223-7f76-453a-919d-41386190464", ""},
		{"2819c223-7f76-453a-919d-4138619046460", ""},
		{"2819c2237f76453a919d413861904646", ""},
		{"{2819c223-7f76-453a-919d-413861904646}", ""},
		{"urn:uuid:2819c223-7f76-453a-919d-413861904646", ""},
		{"2819c223-7f76-453a-919d-41386190464g", ""},
		{"2819c22-37f76-453a-919d-413861904646", ""},
		{"2819c223-7f76-453a-919d--13861904646", ""},
		{"２819c223-7f76-453a-919d-4138619046", ""},
	} {
		id, ok := idstore.ParsePublicID(test.text)
		if ok != (test.want != "") || ok && id.String() != test.want {
			t.Errorf("parse %q: %q, %v, want %q", test.text, id, ok, test.want)
		}
	}
}

func FuzzParsePublicID(f *testing.F) {
	f.Add("2819c223-7f76-453a-919d-413861904646")
	f.Add("2819C223-7F76-453A-919D-41386190464-")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := idstore.ParsePublicID(text)
		if !ok {
			return
		}
		if again, ok := idstore.ParsePublicID(id.String()); !ok || again != id || len(text) != 36 {
			t.Errorf("%q printed as %q, read as %q", text, id, again)
		}
	})
}

func TestOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		keyA, keyB := idstore.AppendOrdered(nil, a), idstore.AppendOrdered(nil, b)
		if (a < b) != (bytes.Compare(keyA, keyB) < 0) {
			t.Errorf("%d and %d sort as %x and %x", a, b, keyA, keyB)
		}
		if n, ok := idstore.Ordered(keyA); !ok || n != a {
			t.Errorf("%d was read as %d, %v", a, n, ok)
		}
	})
}

func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`)).Draw(t, "text")
		if got, err := idstore.ReadText(idstore.AppendText(nil, text)); err != nil || got != text {
			t.Errorf("%q was read as %q, %v", text, got, err)
		}
	})
}

func publicIDs() *rapid.Generator[idstore.PublicID] {
	return rapid.Custom(func(t *rapid.T) (id idstore.PublicID) {
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		return id
	})
}

func domains() *rapid.Generator[idstore.Domain] {
	return rapid.SampledFrom([]idstore.Domain{"", "okta", "entra"})
}

func instants() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 1<<50).Draw(t, "time")).UTC()
	})
}

func anchors() *rapid.Generator[idstore.Anchor] {
	return rapid.Custom(func(t *rapid.T) idstore.Anchor {
		return idstore.Anchor{Backend: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "backend"), Key: rapid.String().Draw(t, "key")}
	})
}

// The layout carries what splits, merges and relinks will make: several links, aliases, ids and externalIds of several domains.
func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := idstore.Record{Entity: 7, Type: "User", Created: instants().Draw(r, "created")}
		for i, a := range rapid.SliceOfN(anchors(), 0, 3).Draw(r, "links") {
			want.Links = append(want.Links, idstore.Link{Anchor: a, Primary: i == 0})
		}
		for range rapid.IntRange(0, 4).Draw(r, "ids") {
			want.IDs = append(want.IDs, idstore.ID{Domain: domains().Draw(r, "domain"), Public: publicIDs().Draw(r, "id"), Alias: rapid.Bool().Draw(r, "alias")})
		}
		for range rapid.IntRange(0, 3).Draw(r, "externalIds") {
			want.ExternalIDs = append(want.ExternalIDs, idstore.ExternalID{Domain: domains().Draw(r, "domain"), Value: rapid.String().Draw(r, "value"), Alias: rapid.Bool().Draw(r, "alias")})
		}
		inTx(t, func(tx idstore.Tx) error {
			value, err := idstore.EncodeRecord(tx, want)
			if err != nil {
				return err
			}
			got, err := idstore.DecodeRecord(tx, want.Entity, value)
			if !reflect.DeepEqual(got, want) {
				r.Errorf("%+v was read as %+v", want, got)
			}
			return err
		})
	})
}

func TestIntentRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := idstore.Intent{
			ID:         idstore.IntentID(rapid.Uint64().Draw(r, "intent")),
			Kind:       idstore.IntentKind(rapid.IntRange(1, 3).Draw(r, "kind")),
			Scope:      idstore.Scope{Type: "User", IDs: domains().Draw(r, "ids"), Externals: domains().Draw(r, "externals")},
			Entity:     idstore.EntityID(rapid.Uint64().Draw(r, "entity")),
			Public:     publicIDs().Draw(r, "id"),
			Backend:    rapid.SampledFrom([]string{"", "a"}).Draw(r, "backend"),
			Name:       rapid.String().Draw(r, "name"),
			ExternalID: rapid.String().Draw(r, "externalId"),
			Begun:      instants().Draw(r, "begun"),
		}
		if n := rapid.IntRange(0, 3).Draw(r, "anchors"); n > 0 {
			want.Anchors = rapid.SliceOfN(anchors(), n, n).Draw(r, "anchors")
		}
		inTx(t, func(tx idstore.Tx) error {
			value, err := idstore.EncodeIntent(tx, want)
			if err != nil {
				return err
			}
			got, err := idstore.DecodeIntent(tx, idstore.Row{Key: idstore.AppendOrdered(nil, uint64(want.ID)), Value: value})
			if !reflect.DeepEqual(got, want) {
				r.Errorf("%+v was read as %+v", want, got)
			}
			return err
		})
	})
}

// FuzzRows reads rows that a damaged file might hold.
func FuzzRows(f *testing.F) {
	sample := idstore.Record{
		Type: "User", Created: time.UnixMilli(1700000000000),
		Links:       []idstore.Link{{Anchor: idstore.Anchor{Backend: "a", Key: "k"}, Primary: true}},
		IDs:         []idstore.ID{{Public: idstore.PublicID{1}}},
		ExternalIDs: []idstore.ExternalID{{Domain: "okta", Value: "2819c223-7f76-453a-919d-413861904646"}},
	}
	prepare := func(tx idstore.Tx) ([]byte, error) { return idstore.EncodeRecord(tx, sample) }
	inTx(f, func(tx idstore.Tx) error {
		value, err := prepare(tx)
		f.Add([]byte{1, 1}, value)
		if err != nil {
			return err
		}
		value, err = idstore.EncodeIntent(tx, idstore.Intent{Kind: idstore.Delete, Scope: idstore.Scope{Type: "User"}, Anchors: []idstore.Anchor{{Backend: "a", Key: "k"}}})
		f.Add([]byte{1, 1}, value)
		return err
	})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		inTx(t, func(tx idstore.Tx) error {
			if _, err := prepare(tx); err != nil {
				return err
			}
			if _, err := idstore.DecodeRecord(tx, 1, value); err != nil && !errors.Is(err, idstore.ErrCorrupt) {
				return err
			}
			if _, err := idstore.DecodeIntent(tx, idstore.Row{Key: key, Value: value}); err != nil && !errors.Is(err, idstore.ErrCorrupt) {
				return err
			}
			return nil
		})
	})
}

// TestDamagedRows: every byte of every row changed in turn ends in an answer or in ErrCorrupt, never in a panic.
func TestDamagedRows(t *testing.T) {
	scope := idstore.Scope{Type: "User", Externals: "okta"}
	a := idstore.Anchor{Backend: "directory", Key: "k"}
	inTx(t, func(tx idstore.Tx) error {
		in, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Create, Scope: scope, ExternalID: "x"})
		if err != nil {
			return err
		}
		r, err := idstore.Bind(tx, in.ID, a)
		if err != nil {
			return err
		}
		if _, err := idstore.Begin(tx, idstore.Intent{Kind: idstore.Delete, Scope: scope, Entity: r.Entity}); err != nil {
			return err
		}
		id, _ := r.PublicID("")
		use := func() error {
			var all []error
			_, err := idstore.Resolve(tx, scope, id)
			all = append(all, err)
			_, _, err = idstore.ByAnchors(tx, scope, []idstore.Anchor{a})
			all = append(all, err)
			_, err = idstore.ByExternalID(tx, scope, "x")
			all = append(all, err)
			for _, err := range idstore.Intents(tx) {
				all = append(all, err)
			}
			_, err = idstore.IntentsForEntity(tx, r.Entity)
			return errors.Join(append(all, err)...)
		}
		if err := use(); err != nil {
			return err
		}
		noticed := 0
		for table := range idstore.Table(idstore.TableCount) {
			var rows []idstore.Row
			for row, err := range tx.Scan(table, nil) {
				if err != nil {
					return err
				}
				rows = append(rows, idstore.Row{Key: bytes.Clone(row.Key), Value: bytes.Clone(row.Value)})
			}
			for _, row := range rows {
				for i := range row.Value {
					for _, bad := range [][]byte{append(bytes.Clone(row.Value[:i]), row.Value[i]^0x55), append(bytes.Clone(row.Value[:i]), append([]byte{0xff}, row.Value[i+1:]...)...)} {
						if err := tx.Put(table, row.Key, bad); err != nil {
							return err
						}
						if err := use(); errors.Is(err, idstore.ErrCorrupt) {
							noticed++
						}
					}
				}
				if err := tx.Put(table, row.Key, row.Value); err != nil {
					return err
				}
			}
		}
		if noticed == 0 {
			t.Error("no damage was noticed")
		}
		return use()
	})
}

func TestPrepare(t *testing.T) {
	for _, test := range []struct {
		name  string
		value []byte // of the schema version
		want  error
	}{
		{"as it is", []byte{idstore.SchemaVersion}, nil},
		{"newer", []byte{idstore.SchemaVersion + 1}, idstore.ErrNewer},
		{"unreadable", []byte{0xff}, idstore.ErrCorrupt},
		{"missing", nil, idstore.ErrCorrupt},
	} {
		inTx(t, func(tx idstore.Tx) error {
			if err := tx.Put(idstore.TableMeta, []byte("other"), []byte{1}); err != nil {
				return err
			}
			change := tx.Delete(idstore.TableMeta, []byte("schema"))
			if test.value != nil {
				change = tx.Put(idstore.TableMeta, []byte("schema"), test.value)
			}
			if err := idstore.Prepare(tx); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
			return change
		})
	}
}
