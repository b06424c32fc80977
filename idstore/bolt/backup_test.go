package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"postern/idstore"
)

// TestBackup takes copies while updates go on. Each copy opens, has no damage, and holds whole updates only: of every page of
// anchors all or none.
func TestBackup(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ids.db"))
	page := func(i int) (anchors []idstore.Anchor) {
		for k := range 50 {
			anchors = append(anchors, idstore.Anchor{Backend: "ad", Key: fmt.Sprint(i, "/", k)})
		}
		return anchors
	}
	adopt(t, s, page(0))
	ctx, cancel := context.WithCancel(t.Context())
	var written atomic.Int64
	failed := make(chan error, 1)
	go func() {
		for i := 1; ctx.Err() == nil; i++ {
			err := s.Update(context.Background(), func(tx idstore.Tx) error {
				_, err := idstore.Adopt(tx, scope, page(i))
				return err
			})
			if err != nil {
				failed <- err
				return
			}
			written.Store(int64(i))
		}
		failed <- nil
	}()
	var last int
	for range 5 {
		atLeast := int(written.Load())
		var file bytes.Buffer
		form, err := idstore.Backup(t.Context(), s, &file)
		if err != nil || form != idstore.BackupFile {
			t.Fatalf("%q, %v", form, err)
		}
		restored := open(t, write(t, file.Bytes()))
		err = restored.View(t.Context(), func(tx idstore.Tx) error {
			sum, err := idstore.Check(tx, func(d idstore.Damage) error { return fmt.Errorf("damage: %s", d) })
			if sum.Entities%50 != 0 || sum.Entities/50 < atLeast+1 || sum.Entities < last {
				t.Errorf("%d entities after %d, written were %d pages", sum.Entities, last, atLeast+1)
			}
			last = sum.Entities
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}
