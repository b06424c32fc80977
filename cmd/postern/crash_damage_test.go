package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// damaged prepares a gateway with some people, ends it and returns them and what
// is in its file.
func damaged(t *testing.T) (w *crashWorld, people []*person, path string, file []byte) {
	t.Helper()
	w = newCrashWorld(t, "demo", false)
	w.what = "preparing"
	for range 60 {
		people = append(people, w.hire())
	}
	w.check()
	w.process.kill()
	path = w.table
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return w, people, path, file
}

// refuses starts the gateway on what is in the file now, which it refuses with a
// sentence that says what to do, and leaves as it is.
func (w *crashWorld) refuses(path string, words ...string) {
	w.t.Helper()
	before, err := os.ReadFile(path)
	w.must(err)
	p, err := startCrashProcess(w.whole, w.file, 0)
	if err == nil {
		w.violated("the gateway serves")
	}
	said := p.log.String()
	for _, word := range append(words, path, "nothing in it was changed", "backup") {
		if !strings.Contains(said, word) {
			w.violated("it does not say %q: %s", word, said)
		}
	}
	w.noPanic(said)
	after, err := os.ReadFile(path)
	w.must(err)
	if !bytes.Equal(before, after) {
		w.violated("the file was changed")
	}
}

func (w *crashWorld) noPanic(log string) {
	w.t.Helper()
	for _, word := range []string{"goroutine ", "panic"} {
		if strings.Contains(log, word) {
			w.violated("the gateway panics: %s", log)
		}
	}
}

// TestTruncatedTable cuts the file off at every kind of place.
func TestTruncatedTable(t *testing.T) {
	w, _, path, file := damaged(t)
	used := usedBytes(t, path)
	for _, size := range []int64{0, 1, 4096, 8192, 16384, used / 2, used - 4096, used - 1} {
		w.what = "cut off"
		w.must(os.WriteFile(path, file[:size], 0o600))
		w.refuses(path, "damaged")
	}
	w.must(os.WriteFile(path, file, 0o600))
	w.must(w.start(0))
	w.checkAll()
}

// usedBytes is how much of a file its pages take; the rest waits for more.
func usedBytes(t *testing.T, path string) (size int64) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return size
}

// TestDamagedTable writes over the last pages of the file. The gateway refuses to
// start, or answers what it can and says of the rest what is wrong: never a 404 for
// somebody who is there, nor another id. With a backup all is as it was.
func TestDamagedTable(t *testing.T) {
	w, people, path, file := damaged(t)
	used := usedBytes(t, path)
	const page = 4096
	refused, noticed := 0, 0
	for _, with := range [][]byte{bytes.Repeat([]byte{0}, page), bytes.Repeat([]byte("garbage\n"), page/8)} {
		for at := used - page; at >= 2*page; at -= page {
			broken := bytes.Clone(file)
			copy(broken[at:], with)
			w.what, w.died = "the page at "+string(rune('0'+at/page%10)), string(with[:1])
			w.must(os.WriteFile(path, broken, 0o600))
			p, err := startCrashProcess(t, w.file, 0)
			w.process = p
			if err != nil {
				refused++
				w.refuses(path, "damaged")
				continue
			}
			said := 0
			for _, who := range people {
				a, err := w.ask("GET", "/Users/"+who.id, "")
				w.must(err)
				if a.status != http.StatusOK {
					w.saysDamaged(a)
					said++
				}
			}
			a, err := w.ask("GET", "/Users?count=1000", "")
			w.must(err)
			if a.status != http.StatusOK {
				w.saysDamaged(a)
				said++
			}
			list, _ := a.json["Resources"].([]any)
			for _, r := range list {
				for _, who := range people {
					if one, _ := r.(map[string]any); whoIs(one) == who.number && one["id"] != who.id {
						w.violated("%s has another id: %v", who.number, one["id"])
					}
				}
			}
			next := w.newPerson()
			a, err = w.ask("POST", "/Users", next.body())
			w.must(err)
			if a.status == http.StatusCreated {
				w.must(w.remove("/Users/"+a.id(), true))
				w.tells(a.id(), "")
			} else {
				w.saysDamaged(a)
				said++
			}
			if said > 0 {
				noticed++
			}
			w.process.kill()
			w.noPanic(w.process.log.String())
		}
	}
	t.Logf("%d refused, %d noticed later, of %d", refused, noticed, 2*(used/page-2))
	w.must(os.WriteFile(path, file, 0o600))
	w.must(w.start(0))
	w.checkAll()
}

// saysDamaged fails unless the answer says that the table is damaged and what to do.
func (w *crashWorld) saysDamaged(a answer) {
	w.t.Helper()
	if a.status != http.StatusServiceUnavailable || !strings.Contains(a.text("detail"), "damaged") || !strings.Contains(a.text("detail"), "backup") {
		w.violated("%d %s", a.status, a.body)
	}
}
