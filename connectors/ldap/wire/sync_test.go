package wire

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const uuidA, uuidB = "0123456789abcdef", "fedcba9876543210"

// stated is an entry with a sync state control.
func stated(dn string, state int, uuid, cookie string) []byte {
	b, m := BeginControls(entry(dn, "cn", "x"))
	b, o := BeginControl(b, controlSyncState, false)
	b, seq := Begin(b, TagSequence)
	b = AppendInt(b, TagEnumerated, int64(state))
	b = AppendString(b, TagOctetString, uuid)
	if cookie != "" {
		b = AppendString(b, TagOctetString, cookie)
	}
	return EndControls(EndControl(End(b, seq), o), m)
}

// info is a sync info message with the value.
func info(name string, value []byte) []byte {
	b, op := Begin(nil, opIntermediate)
	b = AppendString(b, 0x80, name)
	return End(AppendString(b, 0x81, value), op)
}

// element is an element with these in it.
func element(tag byte, parts ...[]byte) []byte {
	b, m := Begin(nil, tag)
	return End(append(b, slices.Concat(parts...)...), m)
}

func octets(s string) []byte { return AppendString(nil, TagOctetString, s) }
func boolean(v bool) []byte  { return AppendBool(nil, TagBoolean, v) }

func TestParseSync(t *testing.T) {
	ids := element(TagSet, octets(uuidA), octets(uuidB))
	for name, test := range map[string]struct {
		message []byte
		want    Sync
		other   bool // another intermediate response
		bad     bool
	}{
		"added":               {message: stated("cn=x", 1, uuidA, ""), want: Sync{State: SyncAdd, UUIDs: []string{uuidA}}},
		"deleted, cookie":     {message: stated("cn=x", 3, uuidA, "c"), want: Sync{State: SyncDelete, UUIDs: []string{uuidA}, Cookie: "c"}},
		"no such state":       {message: stated("cn=x", 4, uuidA, ""), bad: true},
		"short UUID":          {message: stated("cn=x", 1, "short", ""), bad: true},
		"no state":            {message: entry("cn=x", "cn", "x"), bad: true},
		"cookie":              {message: info(syncInfoMessage, AppendString(nil, 0x80, "c")), want: Sync{Kind: SyncCookie, Cookie: "c"}},
		"delete phase":        {message: info(syncInfoMessage, element(0xa1)), want: Sync{Kind: SyncDeletePhase, Done: true}},
		"delete phase, more":  {message: info(syncInfoMessage, element(0xa1, octets("c"), boolean(false))), want: Sync{Kind: SyncDeletePhase, Cookie: "c"}},
		"present phase":       {message: info(syncInfoMessage, element(0xa2, octets("c"))), want: Sync{Kind: SyncPresentPhase, Cookie: "c", Done: true}},
		"ids that are there":  {message: info(syncInfoMessage, element(0xa3, ids)), want: Sync{Kind: SyncIDs, UUIDs: []string{uuidA, uuidB}}},
		"ids that are gone":   {message: info(syncInfoMessage, element(0xa3, octets("c"), boolean(true), ids)), want: Sync{Kind: SyncIDs, Deletes: true, Cookie: "c", UUIDs: []string{uuidA, uuidB}}},
		"a short id":          {message: info(syncInfoMessage, element(0xa3, element(TagSet, octets("short")))), bad: true},
		"no ids":              {message: info(syncInfoMessage, element(0xa3)), bad: true},
		"another choice":      {message: info(syncInfoMessage, element(0xa4)), bad: true},
		"another response":    {message: info("1.2.3", octets("x")), other: true},
		"a nameless response": {message: element(opIntermediate), other: true},
	} {
		got, ok, err := ParseSync(string(test.message))
		got.Entry = Entry{}
		if (err != nil) != test.bad || ok == (test.bad || test.other) || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v, %v, want %+v", name, got, ok, err, test.want)
		}
	}
}

func FuzzParseSync(f *testing.F) {
	f.Add(stated("cn=x", 1, uuidA, "c"))
	f.Add(info(syncInfoMessage, element(0xa3, octets("c"), boolean(true), element(TagSet, octets(uuidA)))))
	f.Add(info(syncInfoMessage, element(0xa1, octets("c"), boolean(false))))
	f.Fuzz(func(t *testing.T, message []byte) {
		s, ok, err := ParseSync(string(message))
		if ok && err != nil {
			t.Errorf("both %+v and %v", s, err)
		}
		for _, id := range s.UUIDs {
			if len(id) != uuidSize {
				t.Errorf("an id of %d bytes", len(id))
			}
		}
	})
}

// TestStream gives what comes as it comes, and another request its answer meanwhile.
func TestStream(t *testing.T) {
	second := make(chan struct{})
	abandoned := make(chan int64, 1)
	c := fake(t, func(r request) []byte {
		switch {
		case r.op == opAbandon:
			abandoned <- r.id
			return []byte{}
		case strings.Contains(r.body, ControlSync) || r.id == 1:
			return slices.Concat(message(1, stated("cn=a", 1, uuidA, "")), message(1, info(syncInfoMessage, element(0xa1, octets("c")))))
		}
		return slices.Concat(message(r.id, result(opSearchDone, Success, "")), message(1, stated("cn=b", 1, uuidB, "d")))
	})
	var got []string
	body, m := BeginControls(search())
	res, err := c.Stream(t.Context(), EndControls(AppendSync(body, true, "before"), m), func(message string) bool {
		s, _, err := ParseSync(message)
		if err != nil {
			t.Error(err)
		}
		if got = append(got, s.Entry.DN+s.Cookie); len(got) == 2 {
			go func() {
				defer close(second)
				if reply, err := c.Do(t.Context(), search()); err != nil || reply.Code != Success {
					t.Error(reply, err)
				}
			}()
		}
		return len(got) < 3
	})
	<-second
	<-abandoned
	if want := []string{"cn=a", "c", "cn=bd"}; err != nil || res.Code != Success || !slices.Equal(got, want) {
		t.Errorf("%q, %+v, %v, want %q", got, res, err, want)
	}
}

// TestStreamEnds ends a stream by its context, by the server, and by the connection.
func TestStreamEnds(t *testing.T) {
	answers := map[string]func() []byte{
		"context":    func() []byte { return []byte{} },
		"server":     func() []byte { return message(1, result(opSearchDone, SyncRefreshRequired, "")) },
		"connection": func() []byte { return nil },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := fake(t, func(r request) []byte {
				if r.op == opSearch {
					if name == "context" {
						cancel()
					}
					return answer()
				}
				return []byte{}
			})
			res, err := c.Stream(ctx, search(), func(string) bool { return true })
			e, failed := errors.AsType[*Error](err)
			if failed != (name != "server") || failed && e.Broken != (name == "connection") || !failed && res.Code != SyncRefreshRequired {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}
