package main

import (
	"context"
	"errors"
	"fmt"
	stdmaps "maps"
	"slices"
	"strings"
	"time"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/rest"
	"postern/gateway"
	"postern/gateway/httpapi"
	"postern/gateway/token"
	"postern/idstore"
	"postern/idstore/bolt"
	"postern/idstore/memory"
	"postern/mapping"
	"postern/scim"

	"github.com/rs/zerolog"
)

// fullResourceType returns a resource type with everything that its schemas give
// it; the mapping takes away what the file does not map.
func fullResourceType(r Resource) (*scim.ResourceType, error) {
	return scim.NewResourceType(r.Name, r.Endpoint, r.Description, r.Schema, r.Extensions...)
}

// compile compiles the mapping of every resource and adds what is wrong with
// them to the problems. The mappings are in the order of the resources; that of
// a resource without a usable schema is nil.
func compile(c Config, ps *configs.Problems) ([]*mapping.Mapping, error) {
	endpoints := make(map[string]string, len(c.Resources))
	for _, r := range c.Resources {
		endpoints[r.Name] = r.Endpoint
	}
	compiled := make([]*mapping.Mapping, len(c.Resources))
	for i, r := range c.Resources {
		spec := mapping.Decode(r.Node, ps)
		if r.Schema == nil {
			continue // that is reported, and what follows of it would be no news
		}
		full, err := fullResourceType(r)
		if err != nil {
			return nil, err
		}
		spec.Resources = endpoints
		ps.Add(clearPasswords(c, r, spec)...)
		m, problems := mapping.Compile(spec, full)
		ps.Add(problems...)
		compiled[i] = m
		checkKeep(&c.Resources[i], m, ps)
		checkPlaces(r, m, ps)
		if m == nil || r.Schema.ID != scim.UserSchema().ID {
			continue
		}
		if _, ok := m.ResourceType().Attribute("active"); !ok {
			ps.Add(r.Node.Map(ps).KeyProblem("map", "active is not mapped: clients can not deactivate users, and are refused when they try").AsWarning())
		}
	}
	ps.Add(mapping.CheckDisplays(compiled)...)
	return compiled, nil
}

// clearPasswords finds the rules for Active Directory's passwords that no server
// would take, because it is reached without TLS.
func clearPasswords(c Config, r Resource, spec mapping.Spec) configs.Problems {
	var ps configs.Problems
	i := slices.IndexFunc(c.Backends, func(b Backend) bool { return b.Name == r.Backend })
	for _, rule := range spec.Rules {
		if strings.EqualFold(rule.Attr.Value, "unicodePwd") && i >= 0 && !c.Backends[i].LDAP.Encrypted() {
			ps.Add(rule.Attr.Problem("Active Directory takes passwords over an encrypted connection only, and backend %q has a server that is reached without", r.Backend).
				WithHint("ldaps:// for every server, or startTLS: true"))
		}
	}
	return ps
}

// load reads, decodes and compiles a configuration file: everything that can be
// found wrong without asking a backend. It is what `check` does and what `serve`
// begins with.
func load(file string) (Config, []*mapping.Mapping, configs.Problems, error) {
	c, ps := loadConfig(file)
	maps, err := compile(c, &ps)
	return c, maps, ps.Sorted(), err
}

// app is everything that a configuration opens.
type app struct {
	store       idstore.Store
	directories map[string]*ldap.Directory // by backend
	apps        map[string]*rest.App       // by backend
	gateway     *gateway.Gateway
	handler     *httpapi.Handler
	patience    time.Duration // see gateway.Options
}

// patience is how long a directory may take to carry out what a process asked for
// that ended or did not wait.
const patience = 30 * time.Second

// open opens what a configuration names and wires it. A directory that does not
// answer is no failure: it is tried again with each request.
func open(ctx context.Context, c Config, maps []*mapping.Mapping, log zerolog.Logger) (_ *app, err error) {
	a := &app{patience: patience}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if a.store, err = openStore(c.Store); err != nil {
		return nil, err
	}
	if a.directories, err = openDirectories(ctx, c, maps, log); err != nil {
		return nil, err
	}
	if a.apps, err = openApps(c, maps, log); err != nil {
		return nil, err
	}
	collections := make(map[string]connectors.Connector, len(c.Resources))
	for _, r := range c.Resources {
		var ok bool
		if r.REST != nil {
			if collections[r.Name], ok = a.apps[r.Backend].Collection(r.Name); !ok {
				return nil, fmt.Errorf("backend %q has no collection %q", r.Backend, r.Name)
			}
			continue
		}
		if collections[r.Name], ok = a.directories[r.Backend].Collection(r.Name); !ok {
			return nil, fmt.Errorf("backend %q has no collection %q", r.Backend, r.Name)
		}
	}
	return a, a.wire(ctx, c, maps, collections, log)
}

// wire puts a gateway and its HTTP edge over connectors, by resource type.
func (a *app) wire(ctx context.Context, c Config, maps []*mapping.Mapping, collections map[string]connectors.Connector, log zerolog.Logger) (err error) {
	options := gateway.Options{Store: a.store, ScanLimit: c.Limits.ScanLimit, SnapshotTTL: c.Limits.SnapshotTTL, Patience: a.patience, Log: log}
	for i, r := range c.Resources {
		options.Targets = append(options.Targets, gateway.Target{Mapping: maps[i], Connector: collections[r.Name], Backend: r.Backend, Pairwise: r.Pairwise, Keep: r.Keep})
	}
	if a.gateway, err = gateway.New(options); err != nil {
		return err
	}
	if err := a.gateway.TakeOver(ctx); err != nil {
		return advised(fmt.Errorf("identity table %q: %w", c.Store.Bolt, err))
	}
	clients, err := clientsOf(c)
	if err != nil {
		return err
	}
	a.handler = httpapi.New(httpapi.Options{Gateway: a.gateway, Clients: clients, PublicURL: c.PublicURL, BasePath: c.BasePath, MaxBody: c.Limits.Body,
		BulkOperations: c.Limits.BulkOperations, PageSize: c.Limits.PageSize, MaxPageSize: c.Limits.MaxPageSize, Timeout: c.Limits.RequestTimeout, Log: log})
	return nil
}

// recoverLoop resolves what a crash or a time-out left open, now and then until
// the context ends.
func (a *app) recoverLoop(ctx context.Context, log zerolog.Logger) {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		if _, err := a.gateway.Recover(ctx); err != nil && ctx.Err() == nil {
			log.Error().Err(err).Msg("the open intents can not be read")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// workLoop does the deferred work when it is queued, and what was put off when it
// is due, until the context ends.
func (a *app) workLoop(ctx context.Context, log zerolog.Logger) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		if _, err := a.gateway.WorkOff(ctx); err != nil && ctx.Err() == nil {
			log.Error().Err(err).Msg("the deferred work can not be read or written")
		}
		select {
		case <-a.gateway.Wake():
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) close() error {
	var errs []error
	for _, d := range a.directories {
		errs = append(errs, d.Close())
	}
	for _, d := range a.apps {
		errs = append(errs, d.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}

func openStore(s Store) (idstore.Store, error) {
	if s.Bolt == "" {
		return memory.Open()
	}
	store, err := bolt.Open(s.Bolt)
	if err != nil {
		return nil, advised(err) // and no *bolt.Store that is nil in an interface that is not
	}
	return store, nil
}

// advised adds to an error of the table what to do about it.
func advised(err error) error {
	for _, a := range storeAdvice {
		if errors.Is(err, a.kind) {
			return fmt.Errorf("%w; %s", err, a.what)
		}
	}
	return err
}

// storeAdvice says what to do about a table that the program can not start with.
var storeAdvice = []struct {
	kind error
	what string
}{
	{idstore.ErrCorrupt, "nothing in it was changed: put it aside and the newest backup in its place"},
	{idstore.ErrUnwritable, "see that the disk has room and that this user may write the file and its folder"},
	{idstore.ErrLocked, "end the process that has it open first"},
	{idstore.ErrNewer, "serve it with that version or a later one"},
}

func openDirectories(ctx context.Context, c Config, maps []*mapping.Mapping, log zerolog.Logger) (map[string]*ldap.Directory, error) {
	directories := make(map[string]*ldap.Directory)
	for _, b := range c.Backends {
		var collections []ldap.Collection
		for i, r := range c.Resources {
			if r.Backend == b.Name && r.REST == nil {
				collection := r.Collection
				collection.References = maps[i].References()
				collections = append(collections, collection)
			}
		}
		if len(collections) == 0 {
			continue
		}
		d, err := ldap.Open(ctx, b.LDAP, collections, log.With().Str("backend", b.Name).Logger())
		if err != nil {
			return directories, fmt.Errorf("backend %q: %w", b.Name, err)
		}
		directories[b.Name] = d
	}
	return directories, nil
}

// openApps opens the applications with a REST interface. Those of a resource whose
// mapping is nil are used with no attribute.
func openApps(c Config, maps []*mapping.Mapping, log zerolog.Logger) (map[string]*rest.App, error) {
	apps := make(map[string]*rest.App)
	for _, b := range c.Backends {
		var collections []rest.Collection
		for i, r := range c.Resources {
			if r.Backend == b.Name && r.REST != nil {
				collection := *r.REST
				if m := maps[i]; m != nil { // else its mapping has mistakes
					collection.Attrs = slices.Sorted(stdmaps.Keys(m.Uses()))
					collection.References = m.References()
				}
				collections = append(collections, collection)
			}
		}
		if len(collections) == 0 {
			continue
		}
		config := *b.REST
		if config.ScanLimit = c.Limits.ScanLimit; config.ScanLimit == 0 {
			config.ScanLimit = gateway.DefaultScanLimit
		}
		app, err := rest.Open(config, collections, log.With().Str("backend", b.Name).Logger())
		if err != nil {
			return apps, fmt.Errorf("backend %q: %w", b.Name, err)
		}
		apps[b.Name] = app
	}
	return apps, nil
}

func clientsOf(c Config) ([]httpapi.Client, error) {
	levels := map[Access]httpapi.Access{AccessRead: httpapi.Read, AccessReadWrite: httpapi.ReadWrite}
	clients := make([]httpapi.Client, len(c.Clients))
	for i, from := range c.Clients {
		to := httpapi.Client{Name: from.Name, Domain: from.Domain, Me: from.Me, Dialect: httpapi.Dialects()[from.Dialect], Access: make(map[string]httpapi.Access)}
		to.Dialect.KeepOmitted, to.Dialect.AddReferences = from.KeepOmitted, from.AddReferences
		for _, secret := range from.Tokens {
			digest, err := secret.Digest()
			if err != nil {
				return nil, fmt.Errorf("the token of client %q: %w", from.Name, err)
			}
			to.Tokens = append(to.Tokens, digest)
		}
		if from.Issued != nil {
			v, err := token.New(*from.Issued)
			if err != nil {
				return nil, fmt.Errorf("the tokens of client %q: %w", from.Name, err)
			}
			to.Issued = v
		}
		for typ, access := range from.Access {
			to.Access[typ] = levels[access]
		}
		clients[i] = to
	}
	return clients, nil
}
