package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"postern/gateway/adminapi"

	"github.com/mattn/go-isatty"
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
