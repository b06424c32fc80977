package main

import (
	"context"
	"iter"
	"net/http/httptest"
	"slices"
	"testing"

	"postern/connectors"
	"postern/gateway"
	"postern/gateway/httpapi"
	"postern/mapping"
	"postern/scim"

	"github.com/rs/zerolog"
)

// backing is of what a world's gateway is made, so that another can be put over
// the same backend and the same identity table.
type backing struct {
	config Config
	maps   []*mapping.Mapping
	// connect gives the connectors by resource type, without some of the
	// capabilities that the configuration can switch off.
	connect func(t *testing.T, without ...string) map[string]connectors.Connector
}

// connectDirectories opens the directories of a configuration once more.
func connectDirectories(c Config, maps []*mapping.Mapping) func(*testing.T, ...string) map[string]connectors.Connector {
	return func(t *testing.T, without ...string) map[string]connectors.Connector {
		t.Helper()
		weaker := c
		weaker.Backends = slices.Clone(c.Backends)
		for i := range weaker.Backends {
			weaker.Backends[i].LDAP.Without = without
		}
		directories, err := openDirectories(t.Context(), weaker, maps, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		connected := make(map[string]connectors.Connector)
		for _, d := range directories {
			t.Cleanup(func() { d.Close() })
		}
		for _, r := range c.Resources {
			connected[r.Name], _ = directories[r.Backend].Collection(r.Name)
		}
		return connected
	}
}

// weaker is a client of another gateway over the world's backend, whose
// connectors can do less, and which walks a list that has more than a few
// entries.
func (w *world) weaker(t *testing.T, few int, less func(*connectors.Capabilities), without ...string) *client {
	t.Helper()
	connected := w.behind.connect(t, without...)
	o := gateway.Options{Store: w.app.store, FirstLook: few, Log: zerolog.Nop()}
	for i, r := range w.behind.config.Resources {
		weak := weakened{Connector: connected[r.Name], less: less, t: t}
		o.Targets = append(o.Targets, gateway.Target{Mapping: w.behind.maps[i], Connector: weak, Backend: r.Backend, Pairwise: r.Pairwise})
	}
	c := w.beside(t, o)
	c.less = less
	return c
}

// evaluations says, by resource type, how the filters of a client are evaluated.
func (w *world) evaluations(t *testing.T, c *client) map[string]scim.Evaluation {
	t.Helper()
	connected := w.behind.connect(t)
	evs := make(map[string]scim.Evaluation)
	for i, r := range w.behind.config.Resources {
		can := connected[r.Name].Capabilities()
		if c.less != nil {
			c.less(&can)
		}
		evs[r.Name] = w.behind.maps[i].Evaluation(c.base, can)
	}
	return evs
}

// beside returns a client of another gateway, until the test ends.
func (w *world) beside(t *testing.T, o gateway.Options) *client {
	t.Helper()
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := clientsOf(w.behind.config)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{store: w.app.store, gateway: g, handler: httpapi.New(httpapi.Options{Gateway: g, Clients: clients, Log: zerolog.Nop()})}
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	return &client{t: t, base: server.URL + "/scim/v2", token: w.token, leak: w.leak, app: a}
}

// weakened takes capabilities away, and sees that nothing is asked that they
// would be needed for.
type weakened struct {
	connectors.Connector
	less func(*connectors.Capabilities)
	t    *testing.T
}

func (w weakened) Capabilities() connectors.Capabilities {
	c := w.Connector.Capabilities()
	if w.less != nil {
		w.less(&c)
	}
	return c
}

func (w weakened) Unwrap() connectors.Connector { return w.Connector }

func (w weakened) Search(ctx context.Context, q connectors.Query) iter.Seq2[connectors.Entry, error] {
	if asked := connectors.KindsOf(q.Where) &^ w.Capabilities().Conds; asked != 0 {
		w.t.Errorf("a search asks for %s, of kinds %b that are not there", q.Where, asked)
	}
	return w.Connector.Search(ctx, q)
}
