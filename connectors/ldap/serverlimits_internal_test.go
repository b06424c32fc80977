package ldap

import (
	"slices"
	"testing"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// TestTimeLimit: a search that the server gives up leaves nothing open, as a write
// would: the client may ask again.
func TestTimeLimit(t *testing.T) {
	code := wire.Success
	server := fake(t, func(r fakeRequest) []byte {
		if answer := selfDescription(r, openLDAP); answer != nil {
			return answer
		}
		return message(r.id, result(0x65, code))
	})
	d := openFake(t, server.url)
	u := users(t, d)
	code = wire.TimeLimitExceeded
	for _, q := range []connectors.Query{{}, {Limit: 5}} {
		n := 0
		for _, err := range u.Search(t.Context(), q) {
			if n++; connectors.KindOf(err) != connectors.Unavailable {
				t.Errorf("%+v: %v", q, err)
			}
		}
		if n != 1 {
			t.Errorf("%+v: %d answers", q, n)
		}
	}
}

func TestIndexedByLines(t *testing.T) {
	got := indexedByLines([]string{"objectClass eq", "uid,cn eq,sub", "sn pres,sub", "default pres,eq", "title", "mail,l "})
	if want := []string{"objectClass", "uid", "cn", "title", "mail", "l"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := indexedByLines([]string{"title", "default sub"}); got != nil {
		t.Errorf("%q", got)
	}
}
