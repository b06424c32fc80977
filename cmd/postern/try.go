package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"postern/configs"
	"postern/connectors"
	"postern/connectors/rest"
	"postern/mapping"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func tryCommand() *cobra.Command {
	var file, backend, kind string
	var yes, dry bool
	cmd := &cobra.Command{
		Use:   "try --config FILE [--backend NAME] [--type TYPE] CALL [ARGUMENT]...",
		Short: "Make one declared call of an application, and show what is found where in the answer",
		Long: `Make one declared call of an application with a JSON interface (docs/rest.md), and show the request, without the
secrets in it, the answer, and what is found where in that.

  list                          the first page of the list
  find ATTRIBUTE VALUE          as in find /login anna
  read ANCHOR                   as in read 7
  create ATTRIBUTE=VALUE...     as in create /login=anna /firstname=Anna
  update ANCHOR ATTRIBUTE=VALUE...   also ATTRIBUTE+=VALUE and ATTRIBUTE-=VALUE, of lists and members
  delete ANCHOR

The last three change something in the application, and want --yes. With --dry-run nothing is sent, save what a
change has to read before.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("name a call: list, find, read, create, update or delete")
			}
			c, maps, problems, err := load(file)
			if err != nil {
				return err
			}
			if len(c.Resources) == 0 && problems.HasErrors() {
				return report(cmd.ErrOrStderr(), problems)
			}
			r, err := tried(c, backend, kind)
			if err != nil {
				return err
			}
			if mine := inTheWay(c, r.Backend, problems); mine.HasErrors() {
				return report(cmd.ErrOrStderr(), mine)
			}
			t := rest.Trial{Collection: r.Name, Call: args[0], Args: args[1:], Dry: dry}
			if t.Writes() && !yes && !dry {
				return fmt.Errorf("%s changes something in %q: say --yes, or --dry-run to see what would be sent", t.Call, r.Backend)
			}
			i := slices.IndexFunc(c.Resources, func(o Resource) bool { return o.Name == r.Name })
			t.Path = func(connectors.Attr) string { return "" }
			unmapped := "; what its resource " + r.Name + " maps is not looked for"
			if maps[i] != nil {
				t.Path, unmapped = maps[i].PathOf, ""
			}
			if problems.HasErrors() {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s has mistakes elsewhere, which postern check tells%s\n", file, unmapped)
			}
			return tryCall(cmd.Context(), c, maps, r, t, cmd.OutOrStdout())
		},
	}
	configFlag(cmd, &file)
	cmd.Args = cobra.ArbitraryArgs
	cmd.Flags().StringVar(&backend, "backend", "", "the `NAME` of the application in the file; not needed where there is one")
	cmd.Flags().StringVar(&kind, "type", "", "the resource `TYPE`; User where nothing is said and there are several")
	cmd.Flags().BoolVar(&yes, "yes", false, "make a call that changes something")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would be sent, and do not send it")
	return cmd
}

// inTheWay are the mistakes of a file with which the calls of a backend can not be
// made. What is mapped to what, and who may call the gateway, can still be wrong.
func inTheWay(c Config, backend string, problems configs.Problems) configs.Problems {
	var ways []string
	for _, b := range c.Backends {
		if b.Name == backend {
			ways = append(ways, b.at.Path)
		}
	}
	for _, r := range c.Resources {
		if r.Backend == backend {
			ways = append(ways, r.Node.Path()+".backend", r.Node.Path()+".anchor", r.Node.Path()+".rest")
		}
	}
	return slices.DeleteFunc(slices.Clone(problems), func(p configs.Problem) bool {
		return !slices.ContainsFunc(ways, func(way string) bool { return p.Path == way || strings.HasPrefix(p.Path, way+".") })
	})
}

// tried is the resource whose calls are meant.
func tried(c Config, backend, kind string) (Resource, error) {
	if i := slices.IndexFunc(c.Backends, func(b Backend) bool { return b.Name == backend }); backend != "" {
		switch {
		case i < 0:
			return Resource{}, fmt.Errorf("there is no backend %q%s", backend, meant(backend, c.Backends, func(b Backend) string { return b.Name }))
		case c.Backends[i].REST == nil:
			return Resource{}, fmt.Errorf("the backend %q is a directory, which has no declared calls; postern check --connect asks it", backend)
		}
	}
	var fit []Resource
	for _, r := range c.Resources {
		if r.REST != nil && (backend == "" || r.Backend == backend) {
			fit = append(fit, r)
		}
	}
	if len(fit) == 0 {
		return Resource{}, errors.New("the file has no resources of an application with a JSON interface")
	}
	named := func(name string) int { return slices.IndexFunc(fit, func(r Resource) bool { return r.Name == name }) }
	switch i := named(kind); {
	case i >= 0:
		return fit[i], nil
	case kind != "":
		return Resource{}, fmt.Errorf("no application has a resource %q%s", kind, meant(kind, fit, func(r Resource) string { return r.Name }))
	case len(fit) == 1:
		return fit[0], nil
	}
	if i := named("User"); i >= 0 {
		return fit[i], nil
	}
	names := make([]string, len(fit))
	for i, r := range fit {
		names[i] = r.Name
	}
	return Resource{}, fmt.Errorf("there are several resources: say --type with one of %s", strings.Join(names, ", "))
}

// meant says what somebody may have meant by a name.
func meant[T any](name string, all []T, nameOf func(T) string) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = nameOf(one)
	}
	if near := configs.Nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Sprintf("; there is %s", strings.Join(names, ", "))
}

func tryCall(ctx context.Context, c Config, maps []*mapping.Mapping, r Resource, t rest.Trial, out io.Writer) error {
	c.Backends = slices.DeleteFunc(slices.Clone(c.Backends), func(b Backend) bool { return b.Name != r.Backend })
	apps, err := openApps(c, maps, zerolog.Nop())
	for _, a := range apps {
		defer a.Close()
	}
	if err != nil {
		return err
	}
	return apps[r.Backend].Try(ctx, t, func(line string) { fmt.Fprintln(out, line) })
}
