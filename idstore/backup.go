package idstore

import (
	"context"
	"io"
)

// Backuper is an optional ability of a Store: to write a copy of its file that is the state of one instant, while others read
// and write. The copy can be put in the place of the file.
type Backuper interface {
	Backup(ctx context.Context, w io.Writer) error
}

// BackupForm says what a backup is.
type BackupForm string

// The forms of a backup.
const (
	BackupFile   BackupForm = "file"   // the driver's own: what it opens
	BackupExport BackupForm = "export" // JSON Lines: what Import reads
)

// Backup writes the state of one instant, while others read and write: a copy of the file where the driver can, and otherwise an
// export. It returns which of the two. Where it fails, what was written is of no use.
func Backup(ctx context.Context, s Store, w io.Writer) (BackupForm, error) {
	if b, ok := s.(Backuper); ok {
		return BackupFile, b.Backup(ctx, w)
	}
	return BackupExport, s.View(ctx, func(tx Tx) error {
		_, err := Export(tx, contextWriter{ctx, w})
		return err
	})
}

// contextWriter fails once its context is over.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (w contextWriter) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}
