package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

const startTLS = "1.3.6.1.4.1.1466.20037"

// StartTLS upgrades a connection on which nothing was sent yet (RFC 4511
// §4.14). What the server sends in the clear after its answer is refused.
func StartTLS(ctx context.Context, nc net.Conn, config *tls.Config) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	b, m := Begin(nil, TagSequence)
	b = AppendInt(b, TagInteger, 1)
	b = AppendExtended(b, startTLS)
	if _, err := nc.Write(End(b, m)); err != nil {
		return nil, fmt.Errorf("StartTLS: %w", err)
	}
	in := newStream(nc, readBuffer)
	message, err := in.next()
	if err != nil {
		return nil, fmt.Errorf("StartTLS: %w", err)
	}
	r := NewReader(message)
	id := r.Int(TagInteger)
	rest := r.rest
	res, err := parseResult(rest)
	switch {
	case err != nil:
		return nil, fmt.Errorf("StartTLS: %w", err)
	case id > 1 || rest[0] != opExtendedResponse || in.br.Buffered() > 0:
		return nil, fmt.Errorf("StartTLS: unexpected answer")
	case res.Code != Success:
		return nil, &ResultError{Op: "StartTLS", Result: res}
	}
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return tc, nil
}
