package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"sync/atomic"

	"postern/scim"
)

// cursors makes and reads the cursors of RFC 9865: places in snapshots, sealed
// with a key of the process and bound to the list that they were given out for.
// One of another client, of another query or of another process can not be told
// from one that was made up.
type cursors struct {
	aead   cipher.AEAD
	sealed atomic.Uint64
}

func newCursors() (*cursors, error) {
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &cursors{aead: aead}, err
}

// bookmark is where a page of a snapshot begins. most, if not 0, bounds it, so that
// a page before another one does not reach into it.
type bookmark struct {
	snapshot   uint64
	from, most uint32
}

// cursorText is base64 in the alphabet for URLs: every character is unreserved
// (RFC 3986 §2.3), as RFC 9865 §2 wants.
var cursorText = base64.RawURLEncoding

// nonceTail is how much of a nonce goes with a cursor. The rest is zero: nonces
// are counted, so that none is used twice under a key.
const nonceTail = 8

func (c *cursors) seal(key listKey, p bookmark) string {
	plain := binary.BigEndian.AppendUint64(make([]byte, 0, 16), p.snapshot)
	plain = binary.BigEndian.AppendUint32(plain, p.from)
	plain = binary.BigEndian.AppendUint32(plain, p.most)
	nonce := make([]byte, c.aead.NonceSize(), 64)
	tail := nonce[len(nonce)-nonceTail:]
	binary.BigEndian.PutUint64(tail, c.sealed.Add(1))
	return cursorText.EncodeToString(c.aead.Seal(append(make([]byte, 0, 64), tail...), nonce, plain, key[:]))
}

func (c *cursors) open(key listKey, s string) (p bookmark, ok bool) {
	b, err := cursorText.DecodeString(s)
	if err != nil || len(b) < nonceTail || cursorText.EncodeToString(b) != s { // one text for one cursor
		return p, false
	}
	nonce := make([]byte, c.aead.NonceSize())
	copy(nonce[len(nonce)-nonceTail:], b)
	plain, err := c.aead.Open(nil, nonce, b[nonceTail:], key[:])
	if err != nil || len(plain) != 16 {
		return p, false
	}
	return bookmark{binary.BigEndian.Uint64(plain), binary.BigEndian.Uint32(plain[8:]), binary.BigEndian.Uint32(plain[12:])}, true
}

// follow goes to where a cursor points.
func (l *lister) follow(cursor string) (*snapshot, error) {
	p, ok := l.g.cursors.open(l.key(), cursor)
	if !ok {
		return nil, scim.InvalidCursor()
	}
	snap := l.g.snapshots.get(l.c.Client, p.snapshot)
	if snap == nil {
		return nil, scim.ExpiredCursor()
	}
	l.from = int(p.from)
	if p.most > 0 {
		l.count = min(l.count, int(p.most))
	}
	return snap, nil
}

// turn says how to go on from a page.
func (l *lister) turn(page *Page, snap *snapshot) {
	next := min(l.from, len(snap.items)) + l.count
	if l.q.Cursor == nil {
		page.Start = l.q.Start
		l.g.snapshots.touch(snap, next+1)
		return
	}
	l.g.snapshots.touch(snap, 0)
	if l.count == 0 {
		return
	}
	if next < len(snap.items) {
		page.Next = l.g.cursors.seal(l.key(), bookmark{snapshot: snap.id, from: uint32(next)})
	}
	if l.from > 0 {
		before := max(l.from-l.q.Count, 0)
		page.Previous = l.g.cursors.seal(l.key(), bookmark{snapshot: snap.id, from: uint32(before), most: uint32(l.from - before)})
	}
}
