package idstoretest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"postern/idstore"
)

// errCount is for a store that holds less than it should.
var errCount = errors.New("an update is missing")

func export(ctx context.Context, s idstore.Store) (text string, err error) {
	var b bytes.Buffer
	err = s.View(ctx, func(tx idstore.Tx) error {
		_, err := idstore.Export(tx, &b)
		return err
	})
	return b.String(), err
}

func testTransfer(t *testing.T, open Open) {
	t.Run("export and import", func(t *testing.T) {
		s, reopen := open(t)
		people := adopt(t, s, users, anchor(1), anchor(2), anchor(3))
		update(t, s, func(tx idstore.Tx) error {
			_, err := idstore.Merge(tx, people[1].Entity, people[0].Entity, idstore.MergeOptions{Leftover: idstore.ActionDelete})
			return err
		})
		remove(t, s, users, people[2].Entity)
		begin(t, s, idstore.Intent{Kind: idstore.Create, Scope: private, ExternalID: "x"})
		text, err := export(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		other, again := open(t)
		cut := func(tx idstore.Tx) error {
			_, err := idstore.Import(tx, bytes.NewReader([]byte(text[:len(text)-20])))
			return err
		}
		wantErr(t, "import of what was cut off", other.Update(t.Context(), cut), idstore.ErrInvalid)
		update(t, other, func(tx idstore.Tx) error {
			_, err := idstore.Import(tx, bytes.NewReader([]byte(text)))
			return err
		})
		if reopen != nil {
			other = again()
		}
		if got, err := export(t.Context(), other); err != nil || got != text {
			t.Errorf("exported again, %v:\n%s\nwas\n%s", err, got, text)
		}
	})

	t.Run("backup while serving", func(t *testing.T) {
		s, _ := open(t)
		adopt(t, s, users, anchor(0))
		before, err := export(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		// With the first bytes of the backup an update comes in; it waits for nothing and is not in the backup.
		w := &interruptedWriter{first: func() error {
			return s.Update(context.Background(), func(tx idstore.Tx) error {
				_, err := idstore.Adopt(tx, users, []idstore.Anchor{anchor("later")})
				return err
			})
		}}
		form, err := idstore.Backup(t.Context(), s, w)
		if err != nil || w.Len() == 0 {
			t.Fatalf("backup: %d bytes, %v", w.Len(), err)
		}
		if after, err := export(t.Context(), s); err != nil || after == before {
			t.Errorf("%v, %v", errCount, err)
		}
		if form == idstore.BackupExport && w.String() != before {
			t.Errorf("the backup is\n%s\nwant\n%s", w, before)
		}
		if _, can := s.(idstore.Backuper); can != (form == idstore.BackupFile) {
			t.Errorf("form %q", form)
		}
	})

	t.Run("a backup that fails", func(t *testing.T) {
		s, _ := open(t)
		_, err := idstore.Backup(t.Context(), s, &interruptedWriter{first: func() error { return errOnPurpose }})
		wantErr(t, "a writer that fails", err, errOnPurpose)
		cancelled, cancel := context.WithCancel(t.Context())
		_, err = idstore.Backup(cancelled, s, &interruptedWriter{first: func() error { cancel(); return cancelled.Err() }})
		wantErr(t, "cancelled", err, context.Canceled)
		adopt(t, s, users, anchor(1)) // the store is none the worse
		_, err = idstore.Backup(cancelled, s, io.Discard)
		wantErr(t, "cancelled before", err, context.Canceled)
	})
}

// interruptedWriter does something with the first write.
type interruptedWriter struct {
	bytes.Buffer
	first func() error
}

func (w *interruptedWriter) Write(b []byte) (int, error) {
	if first := w.first; first != nil {
		w.first = nil
		if err := first(); err != nil {
			return 0, err
		}
	}
	return w.Buffer.Write(b)
}
