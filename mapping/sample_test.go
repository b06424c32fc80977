package mapping

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSamples compiles the mappings of all samples that need no other types and
// schemas than the standard's; cmd/postern compiles the others.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nschemas:") {
			continue
		}
		mappings, problems := compileText(t, filepath.Base(file), text)
		if len(problems) > 0 {
			t.Errorf("%s:\n%s", file, problems.Error())
		}
		for name, m := range mappings {
			if m == nil || len(m.Attrs()) == 0 {
				t.Errorf("%s: nothing of %s is mapped", file, name)
			}
		}
	}
}
