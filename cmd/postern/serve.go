package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"sync"
	"time"

	"postern/configs"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var file, level, profiler string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve SCIM in front of the backends that the file names",
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(level)
			if err != nil {
				return err
			}
			c, maps, problems, err := load(file)
			if err != nil {
				return err
			}
			if err := report(cmd.ErrOrStderr(), problems); err != nil {
				return err
			}
			a, err := open(cmd.Context(), c, maps, log)
			if err != nil {
				return err
			}
			if profiler != "" {
				if err := profile(cmd.Context(), profiler); err != nil {
					return errors.Join(err, a.close())
				}
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			var beside sync.WaitGroup
			beside.Go(func() { a.logBackends(ctx, c, maps, log) })
			err = listenAndServe(ctx, c, a, log)
			cancel()
			beside.Wait()
			return errors.Join(err, a.close())
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&profiler, "profile", "", "serve Go's profiler (net/http/pprof) on this loopback `ADDRESS`")
	return cmd
}

// report prints problems and returns errReported if one of them is an error.
func report(w io.Writer, ps configs.Problems) error {
	for _, p := range ps {
		fmt.Fprintln(w, p)
	}
	if ps.HasErrors() {
		return errReported
	}
	return nil
}

func listenAndServe(ctx context.Context, c Config, a *app, log zerolog.Logger) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	if c.TLS != nil {
		certificates := &certificates{files: *c.TLS}
		if _, err := certificates.current(nil); err != nil {
			return errors.Join(err, l.Close())
		}
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.current, NextProtos: []string{"h2", "http/1.1"}})
	}
	if c.Admin != "" {
		stop, err := serveAdmin(ctx, c.Admin, a.admin(c), log)
		switch {
		case err != nil && len(c.Admin) > maxSocketPath:
			log.Warn().Err(err).Msg("`postern ids` can not reach this gateway: name a shorter socket under `admin`")
		case err != nil:
			return errors.Join(err, l.Close())
		default:
			defer func() {
				if err := stop(); err != nil {
					log.Warn().Err(err).Msg("ending the socket for administrators")
				}
			}()
		}
	}
	log.Info().Str("address", l.Addr().String()).Bool("tls", c.TLS != nil).Msg("serving")
	return serve(ctx, l, c.Limits, a, log)
}

// shutdownTime is how long requests that are running may take to end once the
// program was asked to.
const shutdownTime = 20 * time.Second

// serve answers on the listener until the context ends, and then lets running
// requests end.
func serve(ctx context.Context, l net.Listener, limits Limits, a *app, log zerolog.Logger) error {
	or := func(d, def time.Duration) time.Duration {
		if d == 0 {
			return def
		}
		return d
	}
	var running sync.WaitGroup // requests that are being answered
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			a.handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: or(limits.HeaderTimeout, 10*time.Second),
		ReadTimeout:       or(limits.RequestTimeout, 50*time.Second) + 10*time.Second,
		WriteTimeout:      or(limits.RequestTimeout, 50*time.Second) + 60*time.Second,
		IdleTimeout:       or(limits.IdleTimeout, 2*time.Minute),
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          stdlog.New(debugLines{log}, "", 0),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var behind sync.WaitGroup // what goes on beside the requests
	behind.Go(func() { a.recoverLoop(ctx, log) })
	behind.Go(func() { a.workLoop(ctx, log) })
	behind.Go(func() { a.followLoop(ctx, log) })
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		err := server.Shutdown(end)
		if err != nil { // out of time: what still runs is cut off, and the store is closed after it
			err = errors.Join(err, server.Close())
		}
		running.Wait()
		stopped <- err
	}()
	err := server.Serve(l)
	cancel()
	if err = errors.Join(ignoreClosed(err), <-stopped); err == nil {
		log.Info().Msg("stopped")
	}
	behind.Wait()
	return err
}

// debugLines writes what the HTTP server has to say of connections (a failed
// handshake, say) to the log.
type debugLines struct{ log zerolog.Logger }

func (l debugLines) Write(line []byte) (int, error) {
	l.log.Debug().Msg(string(bytes.TrimSpace(line)))
	return len(line), nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
