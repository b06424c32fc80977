package main

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// certificates gives the listener's certificate, read again when its files
// change. While new files are not a pair the old certificate is used.
type certificates struct {
	files TLS

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed time.Time // the newer of the files' times when they were last tried
}

func (c *certificates) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := newest(c.files.CertFile, c.files.KeyFile)
	if c.loaded != nil && changed.Equal(c.changed) {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile)
	if err != nil {
		if c.loaded != nil {
			return c.loaded, nil
		}
		return nil, err
	}
	c.loaded, c.changed = &pair, changed
	return c.loaded, nil
}

// newest is the time of the file that was changed last; the zero time where
// there is none.
func newest(files ...string) (t time.Time) {
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(t) {
			t = info.ModTime()
		}
	}
	return t
}
