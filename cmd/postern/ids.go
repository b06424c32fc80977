package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"postern/gateway/adminapi"
	"postern/idstore"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// idsCommand is what administrators do with the identity table.
func idsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ids",
		Short: "Look at the identity table, and change what its ids stand for",
		Long: `Look at the identity table, and change what its ids stand for.

A resource is named by REF: an id, an externalId, an anchor (the directory's own
identifier, such as an objectGUID), or what it is called there (userName or
displayName). Where that may mean several, say which: id:…, externalId:…, anchor:…,
userName:… or any other SCIM path.

While the gateway runs, the commands talk to it over its local socket; otherwise
they open the table's file.`,
	}
	o := &ids{}
	cmd.PersistentFlags().StringVar(&o.file, "config", "", "the configuration `FILE` (required)")
	cmd.PersistentFlags().BoolVar(&o.json, "json", false, "answer in JSON Lines, for scripts")
	cmd.SetFlagErrorFunc(flagError)
	chooses(cmd)
	cmd.AddCommand(o.listCommand(), o.showCommand(), o.historyCommand(), o.mergeCommand(), o.splitCommand(), o.relinkCommand(), o.undoCommand(),
		o.adoptCommand(), o.workCommand(), o.checkCommand(), o.exportCommand(), o.importCommand(), o.backupCommand())
	return cmd
}

// ids is what the commands have in common.
type ids struct {
	file string
	json bool

	dryRun, yes bool
	why         string
}

// changing adds the flags of a command that changes something.
func (o *ids) changing(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be done, and do nothing")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do it without asking")
	cmd.Flags().StringVar(&o.why, "why", "", "the reason, for the history")
	return cmd
}

// who is the user that the history names.
func who() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// with calls fn with a client of the gateway that runs or, where none does, of
// the table's file. fresh says that the file may be made.
func (o *ids) with(cmd *cobra.Command, fresh bool, fn func(ctx context.Context, c *adminapi.Client) error) (err error) {
	ctx := cmd.Context()
	client, end, err := o.connect(ctx, cmd.ErrOrStderr(), fresh)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	err = fn(ctx, client)
	refused, ok := errors.AsType[*adminapi.Error](err)
	if !ok {
		return err
	}
	for _, p := range refused.Problems {
		fmt.Fprintln(cmd.ErrOrStderr(), problemLine(p))
	}
	return refused
}

func problemLine(p adminapi.Problem) string {
	if p.Line == 0 {
		return p.Message
	}
	return fmt.Sprintf("line %d: %s", p.Line, p.Message)
}

func (o *ids) connect(ctx context.Context, stderr io.Writer, fresh bool) (*adminapi.Client, func() error, error) {
	c, maps, problems, err := load(o.file)
	if err != nil {
		return nil, nil, err
	}
	if problems.HasErrors() {
		return nil, nil, report(stderr, problems)
	}
	silence := errors.New("the file names none")
	if c.Admin != "" {
		client, err := adminapi.Dial(ctx, c.Admin)
		if err == nil {
			return client, client.Close, nil
		}
		silence = err
	}
	if c.Store.Bolt == "" {
		return nil, nil, fmt.Errorf("this identity table is in the memory of the gateway alone, and no gateway answers at a socket for administrators (%w): start it, and name a socket under `admin`", silence)
	}
	if _, err := os.Stat(c.Store.Bolt); errors.Is(err, os.ErrNotExist) && !fresh {
		return nil, nil, fmt.Errorf("there is no identity table at %s yet; the gateway makes it when it first serves", c.Store.Bolt)
	}
	a, err := open(ctx, c, maps, zerolog.Nop())
	switch {
	case errors.Is(err, idstore.ErrLocked):
		return nil, nil, fmt.Errorf("%w, and nobody answers at its socket for administrators (%w): is it a gateway with another `admin`, or another command?", err, silence)
	case err != nil:
		return nil, nil, err
	}
	// What a crash left open is resolved as at every start, where that can be.
	if _, err := a.gateway.Recover(ctx); err != nil {
		return nil, nil, errors.Join(err, a.close())
	}
	client := adminapi.Local(a.admin(c))
	return client, func() error { return errors.Join(client.Close(), a.close()) }, nil
}

// ask has the user agree to what was shown.
func (o *ids) ask(cmd *cobra.Command, what string) error {
	if o.yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isatty.IsTerminal(in.Fd()) {
		return errors.New("nothing was done: nobody is there to be asked; say --yes, or --dry-run to only look")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s? [y/N] ", what)
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if s := strings.ToLower(strings.TrimSpace(line)); s != "y" && s != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// progress writes now and then how far a call is.
func (o *ids) progress(cmd *cobra.Command, what string) func(adminapi.Progress) {
	last := time.Now()
	return func(p adminapi.Progress) {
		if o.json || time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		if p.Total > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d %s\n", p.Done, p.Total, what)
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d %s\n", p.Done, what)
		}
	}
}

// put writes a value as JSON on a line of its own.
func put(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
