package servertest

import (
	"slices"
	"testing"
)

func TestAbsent(t *testing.T) {
	r := Requirement{Programs: []string{"sh", "no-such-program"}, Files: []string{"/", "/no/such/file"}}
	if got, want := r.Absent(), []string{"no-such-program", "/no/such/file"}; !slices.Equal(got, want) {
		t.Errorf("absent is %q, want %q", got, want)
	}
}

func TestLastLines(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""}, {"\n", ""}, {"a\n", "\na"}, {"a\nb\nc\n", "\nb\nc"}, {"a\nb", "\na\nb"},
	}
	for _, test := range tests {
		if got := LastLines(test.text, 2); got != test.want {
			t.Errorf("LastLines(%q, 2) = %q, want %q", test.text, got, test.want)
		}
	}
}
