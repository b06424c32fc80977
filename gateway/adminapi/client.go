package adminapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// A Client calls a Handler.
type Client struct {
	http http.Client
	end  func() error
}

// Dial returns a client of the handler that listens on a local socket, or an
// error where nobody does.
func Dial(ctx context.Context, socket string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	conn, err := dial(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	t := &http.Transport{DialContext: dial}
	return &Client{http: http.Client{Transport: t}, end: func() error { t.CloseIdleConnections(); return nil }}, nil
}

// Local returns a client of a handler in the same process.
func Local(h http.Handler) *Client {
	pipes := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(pipes) }()
	t := &http.Transport{DialContext: pipes.dial}
	return &Client{http: http.Client{Transport: t}, end: func() error { t.CloseIdleConnections(); return server.Close() }}
}

// Close ends the client.
func (c *Client) Close() error { return c.end() }

// pipeListener hands out connections within the process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// Call makes a call. each and progress, where they are not nil, get what comes
// before the result. An *Error is the handler's refusal.
func Call[Item, Result any](ctx context.Context, c *Client, name string, request any, each func(Item) error, progress func(Progress)) (result Result, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return result, err
	}
	return receive[Item, Result](ctx, c, name, bytes.NewReader(body), each, progress)
}

// receive makes a call with a body and reads its lines.
func receive[Item, Result any](ctx context.Context, c *Client, name string, body io.Reader, each func(Item) error, progress func(Progress)) (result Result, err error) {
	res, err := c.post(ctx, name, body)
	if err != nil {
		return result, err
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			if ctx.Err() != nil {
				return result, ctx.Err()
			}
			return result, fmt.Errorf("the gateway's answer was cut off: %w", err)
		}
		var e struct {
			Item, Done json.RawMessage
			Progress   *Progress
			Error      *Error
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return result, err
		}
		switch {
		case e.Error != nil:
			return result, e.Error
		case e.Done != nil:
			return result, json.Unmarshal(e.Done, &result)
		case e.Progress != nil && progress != nil:
			progress(*e.Progress)
		case e.Item != nil && each != nil:
			var item Item
			if err := json.Unmarshal(e.Item, &item); err != nil {
				return result, err
			}
			if err := each(item); err != nil {
				return result, err
			}
		}
	}
}

func (c *Client) post(ctx context.Context, name string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://postern"+prefix+name, body)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return nil, errors.New(string(bytes.TrimSpace(text)))
	}
	return res, nil
}

// Fetch copies the bytes that a call answers with, and returns what form they
// have.
func (c *Client) Fetch(ctx context.Context, name string, to io.Writer) (form string, err error) {
	res, err := c.post(ctx, name, nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if _, err := io.Copy(to, res.Body); err != nil {
		return "", err
	}
	if why := res.Trailer.Get(trailer); why != "" {
		return "", &Error{Message: why}
	}
	if form = res.Trailer.Get(complete); form == "" {
		return "", errors.New("the gateway's answer was cut off")
	}
	return form, nil
}
