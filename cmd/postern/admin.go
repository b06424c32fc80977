package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"postern/configs"
	"postern/gateway/adminapi"

	"github.com/rs/zerolog"
)

// maxSocketPath is how long the name of a local socket may be, in bytes: what the
// system's structure for it holds (unix(7)).
const maxSocketPath = 107

// decodeAdmin returns where administrators reach a gateway that runs: beside the
// identity table's file, unless the file says otherwise.
func decodeAdmin(n *configs.Node, s Store, ps *configs.Problems) string {
	if n == nil {
		if s.Bolt == "" {
			return ""
		}
		return s.Bolt + ".sock"
	}
	m := n.Map(ps)
	m.Required("socket")
	socket := m.FileName("socket")
	m.Done()
	if len(socket.Value) > maxSocketPath {
		ps.Add(socket.Problem("%q is longer than the %d bytes that the name of a socket may have", socket.Value, maxSocketPath).WithHint("choose a shorter path"))
	}
	return socket.Value
}

// admin is the handler of what administrators ask.
func (a *app) admin(c Config) *adminapi.Handler {
	var domains []string
	for _, client := range c.Clients {
		if !slices.Contains(domains, client.Domain) {
			domains = append(domains, client.Domain)
		}
	}
	return &adminapi.Handler{Gateway: a.gateway, Store: a.store, Domains: domains}
}

// serveAdmin answers administrators on a local socket that its owner alone can
// use, until stop is called. A socket that a killed process left is replaced; one
// where somebody answers is not.
func serveAdmin(ctx context.Context, socket string, h http.Handler, log zerolog.Logger) (stop func() error, err error) {
	if conn, err := new(net.Dialer).DialContext(ctx, "unix", socket); err == nil {
		return nil, errors.Join(fmt.Errorf("another process answers administrators at %s; end it, or name another socket under `admin`", socket), conn.Close())
	}
	if info, err := os.Lstat(socket); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("%s is no socket and is not replaced; name another one under `admin`", socket)
		}
		if err := os.Remove(socket); err != nil {
			return nil, err
		}
	}
	var l net.Listener
	err = private(func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, "unix", socket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the socket for administrators: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- ignoreClosed(server.Serve(l)) }()
	log.Info().Str("socket", socket).Msg("answering administrators")
	return func() error {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime/4)
		defer cancel()
		err := server.Shutdown(end)
		if err != nil { // a long call: it can be made again
			err = server.Close()
		}
		return errors.Join(err, <-ended)
	}, nil
}
