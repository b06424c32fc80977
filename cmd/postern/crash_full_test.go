package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestFullDisk fills the disk: what needs the table written is refused with a
// sentence that says so, before anything is done, and everything else goes on. With
// room again all is as before.
func TestFullDisk(t *testing.T) {
	if !limitsFiles {
		t.Skip("this system limits no files, which stands for a full disk here")
	}
	w := newCrashWorld(t, "demo", false)
	w.what = "a full disk"
	p, next := w.hire(), w.newPerson()
	p.external = "x"
	w.must(w.patch("/Users/"+p.id, replaceOp("externalId", p.external)))
	w.check()
	refused := func(method, path, body string) {
		t.Helper()
		a, err := w.ask(method, path, body)
		w.must(err)
		if a.status != http.StatusServiceUnavailable || a.text("detail") != "the identity table can not be written at the moment" || a.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
		}
	}
	full := func() {
		t.Helper()
		for range 3 { // the first failure is not the last that can be answered
			refused("POST", "/Users", next.body())
			refused("DELETE", "/Users/"+p.id, "")
			refused("PATCH", "/Users/"+p.id, patchBody(replaceOp("externalId", "y"), replaceOp("title", "never")))
		}
		if w.entry(next.number) != nil || w.entry(p.number) == nil {
			t.Error("something was done in the directory that could not be recorded")
		}
		w.is(p)
	}
	w.must(w.process.tell("/fill", map[string][]string{"at": {"0"}}, nil, nil))
	full()
	p.title = "t1" // needs no table
	w.must(w.patch("/Users/"+p.id, replaceOp("title", p.title)))
	w.is(p)
	w.must(w.process.tell("/empty", nil, nil, nil))
	w.must(w.post(next))
	w.check()

	// Started on a disk that is full already.
	w.process.kill()
	next = w.newPerson()
	var err error
	w.process, err = startCrashProcess(t, w.file, 0, fmt.Sprintf("%s=%d", crashRoom, fullDisk))
	w.must(err)
	full()
	w.process.kill()
	w.must(w.start(0))
	w.must(w.post(next))
	w.checkAll()

	// With no table yet. What the first start leaves is no obstacle to the next.
	w.process.kill()
	for room := 4 << 10; room <= 16<<10; room += 4 << 10 {
		w.must(os.Remove(w.table))
		p, err := startCrashProcess(t, w.file, 0, fmt.Sprintf("%s=%d", crashRoom, room))
		said := p.log.String()
		if err == nil || !strings.Contains(said, w.table) || !strings.Contains(said, "see that the disk has room") {
			t.Errorf("with room for %d bytes: %v, %s", room, err, said)
		}
		w.noPanic(said)
		if p, err = startCrashProcess(t, w.file, 0); err != nil {
			t.Fatalf("after a start with room for %d bytes: %v", room, err)
		}
		p.kill()
	}
}
