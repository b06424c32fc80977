package main

import (
	"errors"
	"testing"
)

// TestIDsAfterCrash kills the gateway in a deletion before anything was deleted, and
// merges the person that it was about: the command that opens the table resolves
// what is open first, as a gateway would.
func TestIDsAfterCrash(t *testing.T) {
	w := newCrashWorld(t, "demo", false)
	w.what = "a merge after a crash"
	p, old := w.hire(), w.hire()
	w.tells(old.id, old.number, p.number)
	w.must(w.process.arm(5))
	if err := w.remove("/Users/"+old.id, false); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	<-w.process.ended
	if step := w.process.step(); step != "killed at step 5: before a delete" {
		t.Fatal(step)
	}
	d := &desk{t: t, file: w.file}
	d.must("merge", old.id, p.id, "--yes")
	w.tells(old.id, p.number)
	w.must(w.start(0))
	w.is(p)
	w.checkAll()
}
