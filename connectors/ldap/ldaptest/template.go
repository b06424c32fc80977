package ldaptest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"postern/connectors/servertest"
)

// template is a folder that takes seconds to make and is the same for every
// server of its kind: made once per machine, kept as one file, unpacked for
// each start.
type template struct {
	kind     Kind
	source   []byte   // the code that makes it
	programs []string // the programs that make it or read it
	build    func(ctx context.Context, dir string) error
}

// key changes with anything the template is made from: the code, and each
// program's path, size and time, which change when its package does.
func (t template) key() (string, error) {
	hash := sha256.New()
	hash.Write(t.source)
	for _, name := range t.programs {
		path, err := servertest.LookProgram(name)
		if err != nil {
			return "", err
		}
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "\n%s %d %d", path, info.Size(), info.ModTime().UnixNano())
	}
	return fmt.Sprintf("%s-%x", t.kind, hash.Sum(nil)[:12]), nil
}

// cacheDir is the folder the templates are kept in.
func cacheDir() (string, error) {
	if parent, err := os.UserCacheDir(); err == nil {
		if dir, err := servertest.UserDir(parent); err == nil {
			return dir, nil
		}
	}
	return servertest.UserDir(os.TempDir())
}

// cloneTemplate unpacks the template into dir, making it first if there is
// none yet or if the one that is there is broken.
func cloneTemplate(ctx context.Context, dir string, t template) error {
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	key, err := t.key()
	if err != nil {
		return err
	}
	path := filepath.Join(cache, key+".tar")
	if unpack(path, dir) == nil {
		return nil
	}
	one, err := servertest.WaitLock(ctx, filepath.Join(cache, string(t.kind)+".lock"))
	if err != nil {
		return err
	}
	defer one.Release()
	if unpack(path, dir) == nil {
		return nil // Made by whoever had the lock.
	}
	if err := t.make(ctx, cache, path); err != nil {
		return fmt.Errorf("making the template of %s: %w", t.kind, err)
	}
	return unpack(path, dir)
}

// make builds the template and puts it at path, in the place of older ones.
func (t template) make(ctx context.Context, cache, path string) error {
	dir, owner, err := scratch(ctx, "", t.kind)
	if err != nil {
		return err
	}
	defer func() {
		servertest.KillStrays(dir)
		_ = os.RemoveAll(dir)
		owner.Release()
	}()
	root := filepath.Join(dir, "template")
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if err := t.build(ctx, root); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(cache, string(t.kind)+"-*.tar*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return pack(root, path)
}

// pack writes the folder root as a tar file with its SHA-256 at the end, first
// under another name, so that path is there whole or not at all.
func pack(root, path string) (err error) {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	hash := sha256.New()
	w := tar.NewWriter(io.MultiWriter(file, hash))
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		return packFile(w, root, name, d)
	})
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		_, err = file.Write(hash.Sum(nil))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func packFile(w *tar.Writer, root, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil // Sockets and pipes are made anew by the server.
	}
	header, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	if header.Name, err = filepath.Rel(root, name); err != nil {
		return err
	}
	if err := w.WriteHeader(header); err != nil || info.IsDir() {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	_, err = io.Copy(w, file)
	return err
}

// unpack fills dir from the file that pack wrote. It writes nothing unless the
// file is whole and nobody but this user could have written it.
func unpack(path, dir string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || !servertest.OwnedByUs(info) || info.Size() < sha256.Size {
		return fmt.Errorf("%q is not a template of this user", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content, sum := content[:len(content)-sha256.Size], content[len(content)-sha256.Size:]
	if got := sha256.Sum256(content); !bytes.Equal(got[:], sum) {
		return fmt.Errorf("%q is broken", path)
	}
	r := tar.NewReader(bytes.NewReader(content))
	for {
		header, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := unpackFile(r, header, dir); err != nil {
			return err
		}
	}
}

func unpackFile(r io.Reader, header *tar.Header, dir string) error {
	if !filepath.IsLocal(header.Name) {
		return fmt.Errorf("%q leads out of the template", header.Name)
	}
	name, mode := filepath.Join(dir, header.Name), fs.FileMode(header.Mode).Perm()
	if header.Typeflag == tar.TypeDir {
		if err := os.MkdirAll(name, 0o700); err != nil {
			return err
		}
		return os.Chmod(name, mode|0o700)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, r); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Chmod(mode), file.Close())
}
