package gateway_test

import (
	"fmt"
	"testing"

	"postern/connectors/memory"
	"postern/gateway"
)

// What is unique is so by the backend's rule for spaces, also where the backend does
// not see to it itself; and two who come at the same time with two spellings do not
// both get it.
func TestUniqueByTheRuleOfTheBackend(t *testing.T) {
	b := newBenchOf(t, memory.Options{}, `
name: cn={displayName}
map:
  userName: uid
  displayName: { attr: cn, required: true }
`)
	create := func(userName, displayName string) error {
		_, err := b.Create(t.Context(), caller, "User", b.resource(b.user, fmt.Sprintf(`{"userName":%q,"displayName":%q}`, userName, displayName)), gateway.WriteOptions{})
		return err
	}
	if err := create("a  name", "first"); err != nil {
		t.Fatal(err)
	}
	for _, same := range []string{"a name", " A Name ", "a   NAME"} {
		if err := create(same, "of "+same); kindOf(err) != gateway.Conflict {
			t.Errorf("%q: %v, want a conflict", same, err)
		}
	}
	if err := create("aname", "another"); err != nil {
		t.Error(err)
	}
	for filter, want := range map[string]int{`userName eq "A NAME"`: 1, `userName sw "a n"`: 1, `userName ne "a name"`: 1, `userName co "  "`: 1} {
		if page, err := b.list(filter, 1, 10); err != nil || page.Total != want {
			t.Errorf("%s: %d, %v, want %d", filter, page.Total, err, want)
		}
	}
	done := make(chan error)
	for i := range 8 {
		go func() { done <- create([]string{"b  c", "B c", " b c"}[i%3], fmt.Sprint("racer ", i)) }()
	}
	made := 0
	for range 8 {
		if err := <-done; err == nil {
			made++
		} else if kindOf(err) != gateway.Conflict {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d of one name", made)
	}
}
