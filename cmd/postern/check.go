package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/ldap"
	"postern/connectors/rest"
	"postern/gateway/token"
	"postern/mapping"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var file string
	var connect bool
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Find every mistake in a configuration file, without serving",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, compiled, problems, err := load(file)
			if err != nil {
				return err
			}
			if err := report(cmd.ErrOrStderr(), problems); err != nil {
				return err
			}
			if connect {
				told, problems, err := askBackends(cmd.Context(), c, compiled)
				if err != nil {
					return err
				}
				for _, line := range told {
					fmt.Fprintln(cmd.OutOrStdout(), line)
				}
				if err := report(cmd.ErrOrStderr(), problems); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: no mistakes found\n", file)
			return nil
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&connect, "connect", false, "ask the backends too: servers, bases, attributes")
	return cmd
}

// askBackends asks every backend whether the configuration fits it. told is what
// is well, for the administrator to read.
func askBackends(ctx context.Context, c Config, compiled []*mapping.Mapping) (told []string, problems configs.Problems, err error) {
	directories, err := openDirectories(ctx, c, compiled, zerolog.Nop())
	for _, d := range directories {
		defer d.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	told, problems = askDirectories(ctx, c, compiled, directories)
	apps, err := openApps(c, compiled, zerolog.Nop())
	for _, a := range apps {
		defer a.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	more, wrong := askApps(ctx, c, compiled, apps)
	problems.Add(wrong...)
	keys, wrong := askIssuers(ctx, c)
	problems.Add(wrong...)
	return append(append(told, more...), keys...), problems.Sorted(), nil
}

// askIssuers reads the keys by which clients' signed tokens are known.
func askIssuers(ctx context.Context, c Config) (told []string, problems configs.Problems) {
	for _, client := range c.Clients {
		if client.Issued == nil {
			continue
		}
		v, err := token.New(*client.Issued)
		n := 0
		if err == nil {
			n, err = v.Check(ctx)
		}
		if err != nil {
			problems.Add(client.issuedAt.Problem("%v", err).WithHint("see issuer, or say with keys where they are"))
			continue
		}
		told = append(told, fmt.Sprintf("client %s: %d keys of its tokens' issuer", client.Name, n))
	}
	return told, problems
}

// askApps asks the applications that are open whether the configuration fits them.
func askApps(ctx context.Context, c Config, compiled []*mapping.Mapping, apps map[string]*rest.App) (told []string, problems configs.Problems) {
	for _, b := range c.Backends {
		app, ok := apps[b.Name]
		if !ok {
			continue
		}
		uses := make(map[string]map[connectors.Attr]configs.Pos)
		for i, r := range c.Resources {
			if r.Backend == b.Name {
				uses[r.Name] = compiled[i].Uses()
			}
		}
		lines, wrong := app.Check(ctx, uses)
		for _, line := range lines {
			told = append(told, b.Name+": "+line)
		}
		problems.Add(wrong...)
	}
	return told, problems
}

// askDirectories is askBackends for directories that are open.
func askDirectories(ctx context.Context, c Config, compiled []*mapping.Mapping, directories map[string]*ldap.Directory) (told []string, problems configs.Problems) {
	for _, b := range c.Backends {
		d, ok := directories[b.Name]
		if !ok {
			continue
		}
		uses := make(map[string]ldap.Use)
		places := make(map[string]map[connectors.Attr]configs.Pos)
		nodes := make(map[string]*configs.Node)
		for i, r := range c.Resources {
			if r.Backend == b.Name {
				places[r.Name], nodes[r.Name] = compiled[i].Uses(), r.Node
				uses[r.Name] = c.use(r, compiled[i])
			}
		}
		for _, f := range d.Check(ctx, uses) {
			if f.Level == ldap.Info {
				told = append(told, b.Name+": "+f.String())
				continue
			}
			name, node := f.Collection, nodes[f.Collection]
			if node != nil {
				if part := node.Map(&problems).Child(f.Key); part != nil {
					node = part
				}
				f.Collection = "" // the path says it
			}
			p := b.at.Problem("%s", f)
			p.Hint = f.Hint
			if node != nil {
				p.Pos, p.Path = node.Pos(), node.Path()
				if at := places[name][f.Attr]; at.Line > 0 {
					p.Pos = at
				}
			}
			if f.Level == ldap.Warning {
				p = p.AsWarning()
			}
			problems.Add(p)
		}
		for i, r := range c.Resources {
			if r.Backend != b.Name || !d.Known() {
				continue
			}
			askPlaces(ctx, d, compiled[i], &problems)
			if r.Keep != nil && r.Keep.Container != "" {
				askContainer(ctx, d, r.keepAt, r.Keep.Container, &problems)
			}
		}
	}
	return told, problems.Sorted()
}

// use says which attributes a resource is used with. Those that it writes are
// written if there is a client that may.
func (c Config) use(r Resource, m *mapping.Mapping) ldap.Use {
	u := ldap.Use{Attrs: slices.Sorted(maps.Keys(m.Uses())), Unique: m.Unique()}
	u.Unsearched = slices.DeleteFunc(slices.Clone(u.Attrs), func(a connectors.Attr) bool {
		return slices.Contains(m.Attrs(), a) || slices.Contains(u.Unique, a)
	})
	if slices.ContainsFunc(c.Clients, func(client Client) bool { return client.Access[r.Name] == AccessReadWrite }) {
		u.Written = slices.DeleteFunc(slices.Clone(u.Attrs), func(a connectors.Attr) bool { return !m.Writes(a) })
	}
	return u
}

// logBackends tells the log, a line each, what is wrong between the configuration and
// the backends. What is wrong there is no reason not to serve the rest.
func (a *app) logBackends(ctx context.Context, c Config, compiled []*mapping.Mapping, log zerolog.Logger) {
	_, problems := askDirectories(ctx, c, compiled, a.directories)
	for _, p := range problems {
		if ctx.Err() != nil {
			return
		}
		event := log.Error()
		if p.Warning {
			event = log.Warn()
		}
		event.Msg(p.String())
	}
}
