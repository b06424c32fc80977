package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// golden runs every archive of a folder: its file "config.yaml" in, its file "problems" out. Each
// literal \t, \r, \xNN in config.yaml stands for that byte. UPDATE=1 writes the problems anew.
func golden(t *testing.T, folder string, run func(t *testing.T, config []byte) Problems) {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 2 {
				t.Fatalf("%d files: %v", len(archive.Files), err)
			}
			got := ""
			if problems := run(t, raw(archive.Files[0].Data)); len(problems) > 0 {
				got = problems.Error() + "\n"
			}
			if os.Getenv("UPDATE") != "" {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("problems:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// raw puts the bytes in that would be lost or unseen in an archive.
func raw(text []byte) []byte {
	return []byte(strings.NewReplacer(`\t`, "\t", `\r`, "\r", `\xE9`, "\xE9", `\x00`, "\x00", `\x1B`, "\x1B").Replace(string(text)))
}

func TestParse(t *testing.T) {
	golden(t, "parse", func(t *testing.T, config []byte) Problems {
		_, problems := Parse("config.yaml", config)
		return problems
	})
}

// positions lists every value of a tree as "path line:col kind text".
func positions(n *Node, out *[]string) {
	pos := n.Pos()
	pos.File = ""
	line := n.Path() + " " + strings.TrimPrefix(pos.String(), ":") + " " + n.Kind().String()
	if n.Kind() == Scalar {
		line += " " + n.text
	}
	*out = append(*out, line)
	for _, item := range n.items {
		positions(item, out)
	}
	for _, e := range n.entries {
		positions(e.value, out)
	}
}

func TestPositions(t *testing.T) {
	const text = "# first\nbackends:\n  corp:\n    ldap:\n      servers: [ldaps://a, 'ldaps://b']\n" +
		"map:\n  emails[type eq \"work\"].value: mail\n  urn:x:User:manager: { attr: manager, ref: User }\n" +
		"  \"ä😀\": [1, \"日本\", 2]\nlist:\n- one\n-\n  two: 2\nempty:\n"
	want := []string{
		" 2:1 a map",
		"backends 3:3 a map",
		"backends.corp 4:5 a map",
		"backends.corp.ldap 5:7 a map",
		"backends.corp.ldap.servers 5:16 a list",
		"backends.corp.ldap.servers[0] 5:17 a single value ldaps://a",
		"backends.corp.ldap.servers[1] 5:28 a single value ldaps://b",
		"map 7:3 a map",
		`map.emails[type eq "work"].value 7:33 a single value mail`,
		"map.urn:x:User:manager 8:23 a map",
		"map.urn:x:User:manager.attr 8:31 a single value manager",
		"map.urn:x:User:manager.ref 8:45 a single value User",
		"map.ä😀 9:9 a list",
		"map.ä😀[0] 9:10 a single value 1",
		"map.ä😀[1] 9:13 a single value 日本",
		"map.ä😀[2] 9:19 a single value 2",
		"list 11:1 a list",
		"list[0] 11:3 a single value one",
		"list[1] 13:3 a map",
		"list[1].two 13:8 a single value 2",
		"empty 14:7 nothing",
	}
	for name, variant := range map[string]string{
		"plain":           text,
		"byte order mark": "\ufeff" + text,
		"CRLF":            strings.ReplaceAll(text, "\n", "\r\n"),
		"CR":              strings.ReplaceAll(text, "\n", "\r"),
		"no last newline": strings.TrimSuffix(text, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			root, problems := Parse("f", []byte(variant))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var got []string
			positions(root, &got)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestBombs feeds texts whose meaning is far larger than they are.
func TestBombs(t *testing.T) {
	aliases := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for _, level := range "123456789" {
		before := string(level - 1)
		aliases += "a" + string(level) + ": &a" + string(level) + " [" + strings.Repeat("*a"+before+", ", 10) + "]\n"
	}
	for name, text := range map[string]string{
		"aliases":        aliases,
		"nested lists":   strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"deep lists":     strings.Repeat("[", 100_000),
		"nested maps":    strings.Repeat("{a: ", 9000) + strings.Repeat("}", 9000),
		"nested dashes":  strings.Repeat("- ", 9000),
		"itself":         "a: &a [*a]\n",
		"long key often": strings.Repeat("k", 1000) + ": {" + strings.Repeat("b: 1, ", 1000) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, problems := Parse("f", []byte(text)); !problems.HasErrors() {
				t.Error("no problem was found")
			}
		})
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	large := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#", largestFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		filepath.Join(folder, "none.yaml"): "there is no such file",
		folder:                             "is a folder, not a file",
		large:                              "is larger than 4 MiB",
	} {
		root, problems := Load(file)
		if root != nil || problems.Error() != file+": "+want {
			t.Errorf("%s: %v", file, problems)
		}
	}
}

func TestSamplesParse(t *testing.T) {
	for _, name := range []string{"active-directory.yaml", "openldap.yaml", "ds389.yaml", "demo.yaml"} {
		data, err := Sample(name)
		if err != nil {
			t.Fatal(err)
		}
		if root, problems := Parse(name, data); root == nil || len(problems) > 0 {
			t.Error(problems)
		}
	}
	if _, err := Sample("none.yaml"); err == nil {
		t.Error("there is a sample none.yaml")
	}
}
