package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/ldap"
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
	for _, b := range c.Backends {
		d, ok := directories[b.Name]
		if !ok {
			continue
		}
		attrs, unique := make(map[string][]connectors.Attr), make(map[string][]connectors.Attr)
		places := make(map[string]map[connectors.Attr]configs.Pos)
		nodes := make(map[string]*configs.Node)
		for i, r := range c.Resources {
			if r.Backend == b.Name {
				places[r.Name], nodes[r.Name] = compiled[i].Uses(), r.Node
				attrs[r.Name] = slices.Sorted(maps.Keys(places[r.Name]))
				unique[r.Name] = compiled[i].Unique()
			}
		}
		for _, r := range c.Resources {
			if r.Backend != b.Name || r.Keep == nil || r.Keep.Container == "" {
				continue
			}
			if err := d.Holds(ctx, r.Keep.Container); err != nil {
				problems.Add(r.keepAt.Problem("the container %q can not be read: %v", r.Keep.Container, err))
			}
		}
		for _, f := range d.Check(ctx, attrs, unique) {
			if f.Level == ldap.Info {
				told = append(told, b.Name+": "+f.String())
				continue
			}
			p := b.at.Problem("%s", f)
			if node := nodes[f.Collection]; node != nil {
				p.Pos, p.Path = node.Pos(), node.Path()
				if at := places[f.Collection][f.Attr]; at.Line > 0 {
					p.Pos = at
				}
			}
			if f.Level == ldap.Warning {
				p = p.AsWarning()
			}
			problems.Add(p)
		}
	}
	return told, problems.Sorted(), nil
}
