package main

import (
	"errors"
	"strings"
	"testing"
)

// TestIDsAfterCrash kills the gateway in a deletion when the object is gone: a command
// that opens the table finishes it first, as a gateway would.
func TestIDsAfterCrash(t *testing.T) {
	w := newCrashWorld(t, "demo", false)
	w.what = "a command after a crash"
	p := w.hire()
	w.must(w.process.arm(6))
	if err := w.remove("/Users/"+p.id, false); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	<-w.process.ended
	if step := w.process.step(); step != "killed at step 6: after a delete" {
		t.Fatal(step)
	}
	d := &desk{t: t, file: w.file}
	if out := d.must("history", p.id); !strings.Contains(out, "delete") {
		t.Errorf("the history says %q", out)
	}
	if out := d.table(); !strings.Contains(out, p.id) || strings.Contains(out, `{"intent"`) {
		t.Errorf("the table holds %s", out)
	}
	w.tells(p.id, "")
	w.must(w.start(0))
	w.checkAll()
}
