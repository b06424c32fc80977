package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"postern/connectors"
	"postern/connectors/ldap"
	"postern/idstore"
)

const (
	// crashConfig makes the test binary a gateway that can be killed at each of its
	// steps: the configuration file.
	crashConfig = "POSTERN_CRASH_CONFIG"
	// crashAt is the step at which it ends, counted from its start; 0 for none.
	crashAt = "POSTERN_CRASH_AT"
	// crashRoom is the size beyond which it can write no file.
	crashRoom = "POSTERN_CRASH_ROOM"
	// crashPatience is gateway.Options.Patience in milliseconds.
	crashPatience = "POSTERN_CRASH_PATIENCE"
)

// fullDisk is the size of files that a full disk still has room for: the first
// pages of a table, and no more.
const fullDisk = 16 << 10

// serveUntilKilled is `postern serve` with steps to be killed at, and with a second
// listener for what the tests have to say. It prints both addresses once it
// answers.
func serveUntilKilled(ctx context.Context, file string) (err error) {
	log, err := newLogger("info")
	if err != nil {
		return err
	}
	c, maps, problems, err := load(file)
	if err := errors.Join(err, report(os.Stderr, problems)); err != nil {
		return err
	}
	for i := range c.Backends { // what goes on by itself would be counted with the steps
		c.Backends[i].LDAP.Without = append(c.Backends[i].LDAP.Without, ldap.WithoutWatch)
	}
	s := &steps{}
	if at, err := strconv.Atoi(os.Getenv(crashAt)); err == nil {
		s.arm(at, nil)
	}
	if room, err := strconv.ParseUint(os.Getenv(crashRoom), 10, 64); err == nil {
		if err := limitFiles(room); err != nil {
			return err
		}
	}
	a := &app{}
	if ms, err := strconv.Atoi(os.Getenv(crashPatience)); err == nil {
		a.patience = time.Duration(ms) * time.Millisecond
	}
	defer func() { err = errors.Join(err, a.close()) }()
	table, err := openStore(c.Store)
	if err != nil {
		return err
	}
	a.store = killStore{table, s}
	if a.directories, err = openDirectories(ctx, c, maps, log); err != nil {
		return err
	}
	collections := make(map[string]connectors.Connector)
	for _, r := range c.Resources {
		below, _ := a.directories[r.Backend].Collection(r.Name)
		sweeper, ok := connectors.As[interface {
			connectors.Sweeper
			connectors.Repairer
		}](below)
		if !ok {
			return fmt.Errorf("the connector of %s sweeps nothing", r.Name)
		}
		collections[r.Name] = killConnector{below, sweeper, s}
	}
	if err := a.wire(ctx, c, maps, collections, log); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	handler := crashHandler(a, c, s)
	go func() { log.Error().Err(http.Serve(control, handler)).Send() }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the tests end it by ending
		os.Exit(1)
	}()
	fmt.Printf("serving %s %s\n", l.Addr(), control.Addr())
	return serve(ctx, l, c.Limits, a, log)
}

// crashHandler is what the tests say to the gateway that they kill, and what
// administrators do.
func crashHandler(a *app, c Config, s *steps) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", a.admin(c))
	handle := func(path string, do func(*http.Request) (any, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := do(r)
			if err != nil {
				w.WriteHeader(http.StatusConflict)
				answer = err.Error()
			}
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				panic(http.ErrAbortHandler)
			}
		})
	}
	handle("/arm", func(r *http.Request) (any, error) {
		at, err := strconv.Atoi(r.FormValue("at"))
		s.arm(at, nil)
		return nil, err
	})
	handle("/fill", func(r *http.Request) (any, error) { // the disk is full from a step on, 0 is now
		at, err := strconv.Atoi(r.FormValue("at"))
		if err == nil && at == 0 {
			err = limitFiles(fullDisk)
		}
		s.arm(at, func() {
			if err := limitFiles(fullDisk); err != nil {
				panic(err)
			}
		})
		return nil, err
	})
	handle("/full", func(*http.Request) (any, error) { return s.wasHit(), nil })
	handle("/empty", func(*http.Request) (any, error) {
		s.arm(0, nil)
		return nil, limitFiles(0)
	})
	handle("/table", func(r *http.Request) (any, error) { return readTable(r.Context(), a.store) })
	handle("/recover", func(r *http.Request) (any, error) { return nil, recoverNow(r.Context(), a) })
	return mux
}

// recoverNow does what the gateway would do in a while: it resolves what is open,
// and does the deferred work that failed.
func recoverNow(ctx context.Context, a *app) error {
	if _, err := a.gateway.Recover(ctx); err != nil {
		return err
	}
	err := a.store.Update(ctx, func(tx idstore.Tx) error {
		var failed []idstore.WorkID
		for w, err := range idstore.Works(tx) {
			if err != nil {
				return err
			}
			if !w.Taken {
				failed = append(failed, w.ID)
			}
		}
		for _, id := range failed {
			if _, err := idstore.ReleaseWork(tx, id, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		_, err = a.gateway.WorkOff(ctx)
	}
	return err
}

// crashTable is what an identity table holds.
type crashTable struct {
	Records []idstore.Record // their anchors are not UTF-8: see Keys
	Keys    [][][]byte       // of the links of each record
	Intents []string
	Work    []string
	Damages []string
}

func readTable(ctx context.Context, s idstore.Store) (t crashTable, err error) {
	err = s.View(ctx, func(tx idstore.Tx) error {
		for r, err := range idstore.Records(tx, 0) {
			if err != nil {
				return err
			}
			var keys [][]byte
			for _, l := range r.Links {
				keys = append(keys, []byte(l.Key))
			}
			t.Records, t.Keys = append(t.Records, r), append(t.Keys, keys)
		}
		for in, err := range idstore.Intents(tx) {
			if err != nil {
				return err
			}
			t.Intents = append(t.Intents, fmt.Sprintf("%s of entity %d since %s", in.Kind, in.Entity, in.Begun))
		}
		for w, err := range idstore.Works(tx) {
			if err != nil {
				return err
			}
			t.Work = append(t.Work, fmt.Sprintf("%s, taken %v, next %s, %q", w.Action, w.Taken, w.Next, w.LastError))
		}
		_, err := idstore.Check(tx, func(d idstore.Damage) error {
			t.Damages = append(t.Damages, fmt.Sprintf("%s %x: %s", d.Table, d.Key, d.What))
			return nil
		})
		return err
	})
	return t, err
}
