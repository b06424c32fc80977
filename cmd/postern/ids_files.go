package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"postern/gateway/adminapi"

	"github.com/spf13/cobra"
)

// openFile opens a file that the user has named.
func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s", name)
	case err != nil:
		return nil, fmt.Errorf("%s can not be read: %w", name, cause(err))
	}
	return f, nil
}

// cause is what is wrong with a file, without the name of the call and the file.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// table reads a CSV file with a header; each gets the fields of a row by column.
func table(file string, header func(columns []string) error, each func(line int, field func(column string) string) error) error {
	f, err := openFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	columns, err := r.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is empty: its first line names the columns", file)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	columns[0] = strings.TrimPrefix(columns[0], "\ufeff")
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
		if slices.Contains(columns[:i], columns[i]) {
			return fmt.Errorf("%s: the column %q is there twice", file, columns[i])
		}
	}
	if err := header(columns); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		for i, f := range fields {
			if !utf8.ValidString(f) {
				return fmt.Errorf("%s: line %d: %s is not UTF-8: save the file in that encoding", file, line, columns[i])
			}
		}
		field := func(column string) string {
			if i := slices.Index(columns, column); i >= 0 {
				return strings.TrimSpace(fields[i])
			}
			return ""
		}
		if err := each(line, field); err != nil {
			return fmt.Errorf("%s: line %d: %w", file, line, err)
		}
	}
}

func relinkRows(file string) (rows []adminapi.RelinkRow, err error) {
	err = table(file, func(columns []string) error {
		for _, want := range []string{"old", "new"} {
			if !slices.Contains(columns, want) {
				return fmt.Errorf("the column %q is missing; there are %s", want, strings.Join(columns, ", "))
			}
		}
		return nil
	}, func(line int, field func(string) string) error {
		rows = append(rows, adminapi.RelinkRow{Line: line, Old: field("old"), New: field("new")})
		if field("old") == "" || field("new") == "" {
			return errors.New("an anchor is missing")
		}
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s has no rows", file)
	}
	return rows, err
}

func adoptRows(file string) (rows []adminapi.AdoptRow, err error) {
	by := ""
	err = table(file, func(columns []string) error {
		if !slices.Contains(columns, "id") {
			return fmt.Errorf("the column %q is missing; there are %s", "id", strings.Join(columns, ", "))
		}
		var others []string
		for _, c := range columns {
			if c != "id" && c != "externalId" {
				others = append(others, c)
			}
		}
		if len(others) != 1 {
			return fmt.Errorf("beside id and externalId there has to be one column that finds the object, called anchor or by a SCIM path such as userName; there are %d: %s", len(others), strings.Join(others, ", "))
		}
		by = others[0]
		return nil
	}, func(line int, field func(string) string) error {
		rows = append(rows, adminapi.AdoptRow{Line: line, ID: field("id"), ExternalID: field("externalId"), Path: by, Value: field(by)})
		if field(by) == "" {
			return fmt.Errorf("%s is missing", by)
		}
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("%s has no rows", file)
	}
	return rows, err
}

func (o *ids) adoptCommand() *cobra.Command {
	var req adminapi.AdoptRequest
	var file string
	cmd := &cobra.Command{
		Use:   "adopt --type TYPE [--csv FILE]",
		Short: "Give ids to the objects that are there, before the first request does; or those that clients know already",
		Long: `Give ids to the objects that are there, before the first request does.

With --csv the ids, and externalIds, are those that clients know already, as from the
product that was there before. The columns are id (a UUID), externalId (may be left
out), and one that finds the object: anchor, or a SCIM path such as userName. All
rows are looked at first, and nothing is changed unless all are good, or
--keep-going is said.

What is adopted already is passed over, so it can be broken off and run again.`,
		Example: "postern ids adopt --type User --config postern.yaml",
		Args:    o.takes(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if req.Type == "" {
				return errors.New("say with --type which resource type it is about")
			}
			if file != "" {
				var err error
				if req.Rows, err = adoptRows(file); err != nil {
					return err
				}
			}
			return o.adopt(cmd, req)
		},
	}
	cmd.Flags().StringVar(&req.Type, "type", "", "the resource `TYPE`")
	cmd.Flags().StringVar(&req.Domain, "domain", "", "the provisioning `DOMAIN` of the ids; default: the only one, and without a file all")
	cmd.Flags().StringVar(&file, "csv", "", "a CSV `FILE` with ids that clients know")
	cmd.Flags().BoolVar(&req.KeepGoing, "keep-going", false, "adopt the good rows of a file even where others are not")
	return o.changing(cmd)
}

func (o *ids) adopt(cmd *cobra.Command, req adminapi.AdoptRequest) error {
	return o.with(cmd, mayMake, func(ctx context.Context, c *adminapi.Client) error {
		call := func(dry bool) (adminapi.AdoptResult, error) {
			req.DryRun = dry
			return adminapi.Call[struct{}, adminapi.AdoptResult](ctx, c, "adopt", req, nil, o.progress(cmd, "looked at"))
		}
		say := func(r adminapi.AdoptResult, verb string) error {
			if o.json {
				return put(cmd.OutOrStdout(), r)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d looked at: %d ids %s, %d with a problem\n", r.Seen, r.New, verb, len(r.Problems))
			return err
		}
		what := fmt.Sprintf("give an id to every %s that has none", req.Type)
		if req.Rows != nil || o.dryRun {
			would, err := call(true)
			if err != nil {
				return err
			}
			if o.dryRun {
				return errors.Join(say(would, "would be taken over"), problemsLeft(cmd, would.Problems))
			}
			if len(would.Problems) > 0 && !req.KeepGoing {
				return &adminapi.Error{Message: fmt.Sprintf("%d of %d rows can not be adopted, and nothing was changed; mend them, or say --keep-going for the others", len(would.Problems), would.Seen), Problems: would.Problems}
			}
			what = fmt.Sprintf("take over %d ids", would.New)
		}
		if err := o.ask(cmd, what); err != nil {
			return err
		}
		done, err := call(false)
		if err != nil {
			return err
		}
		return errors.Join(say(done, "given"), problemsLeft(cmd, done.Problems))
	})
}

func (o *ids) exportCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "export [--out FILE]",
		Short:   "Write the whole table as JSON Lines, the state of one instant",
		Example: "postern ids export --out table.jsonl --config postern.yaml",
		Args:    o.takes(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" || file == "-" {
				return o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) error {
					_, err := c.Fetch(ctx, "export", cmd.OutOrStdout())
					return err
				})
			}
			return o.fetch(cmd, "export", file)
		},
	}
	cmd.Flags().StringVar(&file, "out", "", "the `FILE` to write; default: standard output")
	return cmd
}

func (o *ids) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "backup FILE",
		Short:   "Copy the table, while the gateway serves, to a file that can be put in its place",
		Example: "postern ids backup copy.db --config postern.yaml",
		Args:    o.takes(1, "FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.fetch(cmd, "backup", args[0]) },
	}
}

// fetch writes what a call answers with to a new file: whole, or not at all.
func (o *ids) fetch(cmd *cobra.Command, call, file string) error {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already and is not overwritten; name another file", file)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.partial") // which another run does not have
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s to write %s into", filepath.Dir(file), filepath.Base(file))
	}
	if err != nil {
		return fmt.Errorf("%s can not be written: %w", file, cause(err))
	}
	partial := f.Name()
	form := ""
	err = o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) (err error) {
		form, err = c.Fetch(ctx, call, f)
		return err
	})
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(partial, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", file, form)
	return err
}

func (o *ids) importCommand() *cobra.Command {
	return o.changing(&cobra.Command{
		Use:     "import FILE",
		Short:   "Fill an empty table with an export; - is standard input",
		Example: "postern ids import table.jsonl --config postern.yaml",
		Args:    o.takes(1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := openFile(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			if o.dryRun {
				return errors.New("an import is all or nothing, into an empty table, and is checked before it stands: there is no dry run of it")
			}
			if err := o.ask(cmd, "fill the identity table with "+args[0]); err != nil {
				return err
			}
			return o.with(cmd, tableAlone|mayMake, func(ctx context.Context, c *adminapi.Client) error {
				sum, err := c.Import(ctx, in)
				if err != nil {
					return err
				}
				if o.json {
					return put(cmd.OutOrStdout(), sum)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d entities, %d ids that are spent, %d operations of the history, %d pieces of work\n", sum.Entities, sum.SpentIDs, sum.Operations, sum.Work)
				return err
			})
		},
	})
}
