package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "token")
	decode := func() (At[Secret], Problems) {
		root, problems := Parse(filepath.Join(folder, "config.yaml"), []byte("s: { file: token }\n"))
		return root.Map(&problems).Secret("s"), problems
	}
	for _, test := range []struct{ content, want string }{
		{"hunter2", "hunter2"},
		{"hunter2\n", "hunter2"},
		{"hunter2\r\n", "hunter2"},
		{" hunter2 \n\n", " hunter2 \n"},
		{"", ""},
		{"\n", ""},
	} {
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, problems := decode()
		if (test.want == "") != problems.HasErrors() {
			t.Errorf("%q: problems %v", test.content, problems)
		}
		if got, err := s.Value.Resolve(); got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q: %q, %v", test.content, got, err)
		}
	}
	if err := os.WriteFile(file, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := decode()
	if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Value.Resolve(); got != "two" || err != nil {
		t.Errorf("after the file was replaced: %q, %v", got, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, problems := decode(); len(problems) != 1 || problems[0].Path != "s.file" || problems[0].Col != 12 {
		t.Errorf("a file that is not there: %v", problems)
	}
}

func TestSecretPrintsRedacted(t *testing.T) {
	t.Setenv("POSTERN_TEST_SECRET", "hunter2")
	root, problems := Parse("f", []byte("a: { env: POSTERN_TEST_SECRET }\nb: [{ sha256: "+strings.Repeat("ab", 32)+" }]\n"))
	m := root.Map(&problems)
	env, digest := m.Secret("a"), m.Tokens("b")[0]
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{env, digest, env.Value, digest.Value, &env.Value, struct{ S Secret }{env.Value}} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, "hunter2") || strings.Contains(text, "abab") || strings.Contains(text, "171, 171") {
				t.Errorf("%s shows %s", format, text)
			}
		}
	}
	if _, err := digest.Value.Resolve(); err == nil {
		t.Error("a digest was turned back into its secret")
	}
	if _, err := (Secret{}).Digest(); err == nil {
		t.Error("no secret has a digest")
	}
}
