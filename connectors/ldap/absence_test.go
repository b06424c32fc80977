package ldap

import (
	"testing"

	"postern/connectors"
	"postern/connectors/ldap/wire"
)

// TestAbsenceRefused writes to a server that does not take the value by which the
// absence of one is found out: the write goes through without that guard, while
// what it refuses of the write itself stays refused.
func TestAbsenceRefused(t *testing.T) {
	user := guidOf(1)
	for _, c := range []struct {
		name    string
		answers []int // to one Modify after the other
		want    string
	}{
		{"taken", []int{wire.Success}, ""},
		{"the value is refused", []int{wire.ConstraintViolation, wire.Success}, ""},
		{"the write is refused", []int{wire.ConstraintViolation, wire.ConstraintViolation}, "invalid"},
		{"there is a value", []int{wire.AttributeOrValueExists}, "guard failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			modified := 0
			server := fake(t, func(r fakeRequest) []byte {
				switch answer := selfDescription(r, samba); {
				case answer != nil:
					return answer
				case r.op == opSearch:
					return found(r, "CN=u,ou=people,dc=x", map[string][]string{"objectGUID": {user}, "cn": {"u"}})
				case r.op != opModify:
					return nil
				}
				modified++
				return message(r.id, result(0x67, c.answers[modified-1]))
			})
			users, _ := openFake(t, server.url).Collection("User")
			guard := connectors.Guard{Level: connectors.GuardValues, Read: []connectors.Field{{Attr: "title"}}}
			change := connectors.Change{Attr: "description", Add: []connectors.Value{"x"}}
			_, err := users.Apply(t.Context(), connectors.Anchor(user), []connectors.Change{change}, guard, nil)
			if got := ""; err != nil || c.want != "" {
				if err != nil {
					got = connectors.KindOf(err).String()
				}
				if got != c.want {
					t.Errorf("got %v, want %q", err, c.want)
				}
			}
			if modified != len(c.answers) {
				t.Errorf("%d requests were sent, want %d", modified, len(c.answers))
			}
		})
	}
}
