package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"postern/gateway/adminapi"

	"github.com/spf13/cobra"
)

// operate shows what an operation will do, asks, and does it.
func (o *ids) operate(cmd *cobra.Command, req adminapi.OperateRequest) error {
	return o.with(cmd, 0, func(ctx context.Context, c *adminapi.Client) error {
		req.Who, req.Why = who(), o.why
		req.DryRun = true
		would, err := adminapi.Call[struct{}, adminapi.OperateResult](ctx, c, "operate", req, nil, nil)
		if err != nil {
			return err
		}
		for _, w := range would.Warnings {
			fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
		}
		if o.dryRun {
			if o.json {
				return put(cmd.OutOrStdout(), would.Operation)
			}
			showPreview(cmd.OutOrStdout(), would)
			return nil
		}
		if !o.json || !o.yes {
			showPreview(cmd.ErrOrStderr(), would)
		}
		if err := o.ask(cmd, "do this"); err != nil {
			return err
		}
		req.DryRun, req.Expect = false, would.Digest
		done, err := adminapi.Call[struct{}, adminapi.OperateResult](ctx, c, "operate", req, nil, nil)
		if err != nil {
			return err
		}
		if o.json {
			return put(cmd.OutOrStdout(), done.Operation)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "done: operation %d\n", done.Operation.Number)
		for _, l := range done.Operation.Leftovers {
			if l.State == "pending" {
				fmt.Fprintf(cmd.OutOrStdout(), "to %s the object %s is queued; the gateway does it while it serves\n", l.Action, l.Anchor)
			}
		}
		return nil
	})
}

// showPreview says what an operation would do.
func showPreview(w io.Writer, would adminapi.OperateResult) {
	if would.Undone != nil {
		fmt.Fprintf(w, "takes back operation %s\nto have it again, do it again: an undo is not undone itself\n", operationHead(*would.Undone))
	}
	showChanges(w, would.Operation)
}

func (o *ids) mergeCommand() *cobra.Command {
	var leftover string
	cmd := &cobra.Command{
		Use:     "merge FROM INTO",
		Short:   "Make one resource of two: all ids of FROM lead to INTO",
		Example: "postern ids merge grace.old grace --config postern.yaml",
		Args:    o.takes(2, "FROM", "INTO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.operate(cmd, adminapi.OperateRequest{Do: "merge", Ref: args[0], Into: args[1], Leftover: leftover})
		},
	}
	cmd.Flags().StringVar(&leftover, "leftover", "keep", "what becomes of the object of FROM: keep, disable or delete")
	return o.changing(cmd)
}

func (o *ids) splitCommand() *cobra.Command {
	var req adminapi.OperateRequest
	var externals []string
	cmd := &cobra.Command{
		Use:     "split REF --link ANCHOR",
		Short:   "Make two resources of one: what is named leaves for a new one",
		Example: "postern ids split grace --link 5b8e0b2a-3d0f-4c6e-9a51-0c1f2d3e4f50 --config postern.yaml",
		Args:    o.takes(1, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Do, req.Ref, req.ExternalIDs = "split", args[0], nil
			for _, text := range externals {
				domain, value, ok := strings.Cut(text, "=")
				if !ok || domain == "" || value == "" {
					return fmt.Errorf("--external-id %q: write DOMAIN=VALUE", text)
				}
				req.ExternalIDs = append(req.ExternalIDs, adminapi.ExternalID{Domain: domain, Value: value})
			}
			return o.operate(cmd, req)
		},
	}
	cmd.Flags().StringArrayVar(&req.Links, "link", nil, "the `ANCHOR` of an object that leaves; may be given several times")
	cmd.Flags().StringArrayVar(&req.IDs, "id", nil, "an `ID` that leaves; may be given several times")
	cmd.Flags().StringArrayVar(&externals, "external-id", nil, "an externalId that leaves, as `DOMAIN=VALUE`; may be given several times")
	return o.changing(cmd)
}

func (o *ids) undoCommand() *cobra.Command {
	return o.changing(&cobra.Command{
		Use:     "undo REF",
		Short:   "Take back the newest operation of a resource, also of a deleted one, as long as nothing else has changed there",
		Example: "postern ids undo grace --config postern.yaml",
		Args:    o.takes(1, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.operate(cmd, adminapi.OperateRequest{Do: "undo", Ref: args[0]})
		},
	})
}

func (o *ids) workCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "work",
		Short:   "Show what backends have still to be told; hold it, release it, cancel it",
		Example: "postern ids work --config postern.yaml",
		Args:    o.takes(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) error {
				_, err := adminapi.Call[adminapi.Work, int](ctx, c, "work", adminapi.WorkRequest{}, func(w adminapi.Work) error {
					if o.json {
						return put(cmd.OutOrStdout(), w)
					}
					_, err := fmt.Fprintln(cmd.OutOrStdout(), workLine(w))
					return err
				}, nil)
				return err
			})
		},
	}
	for _, sub := range []struct{ do, short string }{
		{"hold", "Keep a piece of work from being done until it is released"},
		{"release", "Let a piece of work be done, now"},
		{"cancel", "Have a piece of work never done"},
	} {
		cmd.AddCommand(o.changing(&cobra.Command{
			Use:     sub.do + " NUMBER",
			Short:   sub.short,
			Example: "postern ids work " + sub.do + " 7 --config postern.yaml",
			Args:    o.takes(1, "NUMBER"),
			RunE: func(cmd *cobra.Command, args []string) error {
				number, err := strconv.ParseUint(args[0], 10, 64)
				if err != nil || number == 0 {
					return fmt.Errorf("%q is not the number of a piece of work; see `postern ids work`", args[0])
				}
				return o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) error {
					var is *adminapi.Work
					_, err := adminapi.Call[adminapi.Work, int](ctx, c, "work", adminapi.WorkRequest{}, func(w adminapi.Work) error {
						if w.Number == number {
							is = &w
						}
						return nil
					}, nil)
					if err != nil {
						return err
					}
					if is == nil {
						return fmt.Errorf("there is no work %d; it may be done by now: see `postern ids work`", number)
					}
					if !o.json {
						fmt.Fprintln(cmd.ErrOrStderr(), workLine(*is))
					}
					if o.dryRun {
						return nil
					}
					if err := o.ask(cmd, sub.do+" it"); err != nil {
						return err
					}
					if _, err = adminapi.Call[struct{}, struct{}](ctx, c, "work", adminapi.WorkRequest{Do: sub.do, Number: number}, nil, nil); err != nil {
						return err
					}
					if o.json {
						return put(cmd.OutOrStdout(), map[string]any{"number": number, "done": sub.do})
					}
					fmt.Fprintf(cmd.OutOrStdout(), "done: %s work %d\n", sub.do, number)
					return nil
				})
			},
		}))
	}
	return cmd
}

// problemsLeft tells what a command could not do, and ends it as one that failed.
func problemsLeft(cmd *cobra.Command, problems []adminapi.Problem) error {
	for _, p := range problems {
		fmt.Fprintln(cmd.ErrOrStderr(), problemLine(p))
	}
	if len(problems) > 0 {
		return errReported
	}
	return nil
}

func (o *ids) relinkCommand() *cobra.Command {
	var one adminapi.OperateRequest
	var many adminapi.RelinksRequest
	var file string
	cmd := &cobra.Command{
		Use:   "relink {REF --to ANCHOR | --type TYPE --csv FILE | --type TYPE --match PATH [--domain DOMAIN]}",
		Short: "Say that the object behind a resource, or behind many, has a new anchor",
		Long: `Say that the object behind a resource, or behind many, has a new anchor.

One:        postern ids relink REF --to ANCHOR
From a CSV: the columns old and new hold anchors. All rows are looked at first, and
            nothing is changed unless all are good, or --keep-going is said.
By match:   for every resource whose object is gone, the one object whose attribute
            PATH has the value of the resource's externalId in DOMAIN. What is
            ambiguous, or has no match, is reported and let alone.`,
		Example: "postern ids relink grace --to 5b8e0b2a-3d0f-4c6e-9a51-0c1f2d3e4f50 --config postern.yaml",
		Args:    o.takes(0, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && file == "" && many.Match == "":
				if one.To == "" {
					return errors.New("say with --to which anchor the object has")
				}
				one.Do, one.Ref, one.Absorb = "relink", args[0], many.Absorb
				return o.operate(cmd, one)
			case len(args) == 1 || (file == "") == (many.Match == ""):
				return errors.New("name one resource, or a file with --csv, or an attribute with --match")
			case many.Type == "":
				return errors.New("say with --type which resource type it is about")
			}
			if file != "" {
				var err error
				if many.Rows, err = relinkRows(file); err != nil {
					return err
				}
			}
			return o.relinks(cmd, many)
		},
	}
	cmd.Flags().StringVar(&one.From, "from", "", "the `ANCHOR` that is replaced, where there are several")
	cmd.Flags().StringVar(&one.To, "to", "", "the new `ANCHOR`")
	cmd.Flags().StringVar(&many.Type, "type", "", "the resource `TYPE`")
	cmd.Flags().StringVar(&file, "csv", "", "a CSV `FILE` with the columns old and new")
	cmd.Flags().StringVar(&many.Match, "match", "", "the SCIM `PATH` of the attribute to match by")
	cmd.Flags().StringVar(&many.Domain, "domain", "", "the provisioning `DOMAIN` whose externalIds are matched; default: the only one")
	cmd.Flags().BoolVar(&many.Absorb, "absorb", false, "take over objects that a list has met before, and so gave ids")
	cmd.Flags().BoolVar(&many.KeepGoing, "keep-going", false, "relink the good rows of a file even where others are not")
	return o.changing(cmd)
}

// relinks shows what many relinks will do, asks, and does them.
func (o *ids) relinks(cmd *cobra.Command, req adminapi.RelinksRequest) error {
	return o.with(cmd, 0, func(ctx context.Context, c *adminapi.Client) error {
		req.Who, req.Why, req.DryRun = who(), o.why, true
		show := o.showRelinked(cmd)
		each := show
		if !o.dryRun {
			each = nil
		}
		would, err := adminapi.Call[adminapi.Relinked, adminapi.RelinksResult](ctx, c, "relinks", req, each, o.progress(cmd, "looked at"))
		if err != nil {
			return err
		}
		say := func(w adminapi.RelinksResult, verb string) error {
			if o.json {
				return put(cmd.OutOrStdout(), w)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d looked at: %d %s, %d were before, %d with a problem\n", w.Looked, w.Good, verb, w.Already, len(w.Problems))
			return err
		}
		if o.dryRun {
			return errors.Join(say(would, "would be relinked"), problemsLeft(cmd, would.Problems))
		}
		if len(would.Problems) > 0 && req.Match == "" && !req.KeepGoing {
			return &adminapi.Error{Message: fmt.Sprintf("%d of %d rows can not be relinked, and nothing was changed; mend them, or say --keep-going for the others", len(would.Problems), would.Looked), Problems: would.Problems}
		}
		if would.Good > 0 {
			if err := o.ask(cmd, fmt.Sprintf("relink %d resources", would.Good)); err != nil {
				return err
			}
		}
		req.DryRun = false
		done, err := adminapi.Call[adminapi.Relinked, adminapi.RelinksResult](ctx, c, "relinks", req, show, o.progress(cmd, "relinked"))
		if err != nil {
			return err
		}
		return errors.Join(say(done, "relinked"), problemsLeft(cmd, done.Problems))
	})
}

// showRelinked writes one of many relinks on a line.
func (o *ids) showRelinked(cmd *cobra.Command) func(adminapi.Relinked) error {
	return func(r adminapi.Relinked) error {
		if o.json {
			return put(cmd.OutOrStdout(), r)
		}
		line := fmt.Sprintf("%s %s: %s to %s", r.Type, r.Ref, r.Old, r.New)
		if r.Line > 0 {
			line = fmt.Sprintf("line %d: %s", r.Line, line)
		}
		if r.Operation > 0 {
			line += fmt.Sprintf(", operation %d", r.Operation)
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), line)
		return err
	}
}
