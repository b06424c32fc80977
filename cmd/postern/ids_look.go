package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"postern/gateway/adminapi"

	"github.com/spf13/cobra"
)

func (o *ids) listCommand() *cobra.Command {
	var req adminapi.ListRequest
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List all entities, oldest first: type, id, what its backend and the clients call it, object",
		Example: "postern ids list --type User --config postern.yaml",
		Args:    o.takes(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			head := !o.json
			return o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) error {
				_, err := adminapi.Call[adminapi.Entity, int](ctx, c, "list", req, func(e adminapi.Entity) error {
					if o.json {
						return put(out, e)
					}
					if head {
						head = false
						if _, err := fmt.Fprintln(out, listHead); err != nil {
							return err
						}
					}
					_, err := fmt.Fprintln(out, entityLine(e))
					return err
				}, nil)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&req.Type, "type", "", "only this resource `TYPE`")
	cmd.Flags().BoolVar(&req.Names, "names", true, "ask the backends what they call the objects; --names=false does not")
	return cmd
}

const listHead = "TYPE\tID\tNAME\tEXTERNALID\tOBJECT"

// entityLine is an entity on one line, its columns apart by tabs.
func entityLine(e adminapi.Entity) string {
	id, called, external, link := "-", "-", "-", "-"
	for _, one := range e.IDs {
		if !one.Alias {
			id = one.ID
			break
		}
	}
	if e.Called != "" {
		called = strings.Map(func(r rune) rune { // a tab would be the end of the column
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, e.Called)
	}
	for _, x := range e.ExternalIDs {
		if !x.Alias {
			external = x.Value
			break
		}
	}
	if len(e.Links) > 0 {
		link = e.Links[0].Backend + ":" + e.Links[0].Anchor
	}
	more := ""
	if e.Retired {
		more = "\t(deleted, its object is kept)"
	}
	if n := len(e.IDs) + len(e.ExternalIDs) + len(e.Links); n > 3 || n == 3 && external == "-" {
		more = fmt.Sprintf("\t(%d ids, %d externalIds, %d links)", len(e.IDs), len(e.ExternalIDs), len(e.Links))
	}
	return e.Type + "\t" + id + "\t" + called + "\t" + external + "\t" + link + more
}

func (o *ids) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show REF",
		Short:   "Show all that is known of a resource: ids in all domains, links, history, what is under way",
		Example: "postern ids show grace --config postern.yaml",
		Args:    o.takes(1, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) error {
				e, err := adminapi.Call[struct{}, adminapi.Entity](ctx, c, "show", adminapi.ShowRequest{Ref: args[0]}, nil, nil)
				if err != nil {
					return err
				}
				if o.json {
					return put(cmd.OutOrStdout(), e)
				}
				showEntity(cmd.OutOrStdout(), e)
				return nil
			})
		},
	}
}

func showEntity(w io.Writer, e adminapi.Entity) {
	called := e.Called
	if called == "" {
		called = "(its object is not there, or its backend does not answer)"
	}
	fmt.Fprintf(w, "%s %s\n", e.Type, called)
	row := func(what, format string, args ...any) {
		fmt.Fprintf(w, "  %-11s %s\n", what, fmt.Sprintf(format, args...))
	}
	for _, line := range traits(e) {
		row(line.what, "%s", line.text)
	}
	row("first seen", "%s", stamp(e.Created))
	if e.Retired && len(e.Links) > 0 {
		row("to undo", "postern ids undo anchor:%s", e.Links[0].Anchor)
	}
	for _, in := range e.Intents {
		row("under way", "%s, begun %s", in.Kind, stamp(in.Begun))
	}
	for _, work := range e.Work {
		row("to be done", "%s", workLine(work))
	}
	for _, op := range e.History {
		fmt.Fprintln(w)
		showOperation(w, op)
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// trait is something that an entity has, in words.
type trait struct{ what, text string }

func traits(e adminapi.Entity) (all []trait) {
	of := func(domain string) string {
		if domain == "" {
			return ""
		}
		return " in domain " + domain
	}
	for _, id := range e.IDs {
		what := "id"
		if id.Alias {
			what = "alias"
		}
		all = append(all, trait{what, id.ID + of(id.Domain)})
	}
	for _, x := range e.ExternalIDs {
		what := "externalId"
		if x.Alias {
			what = "also known"
		}
		all = append(all, trait{what, x.Value + of(x.Domain)})
	}
	if e.Retired {
		all = append(all, trait{"deleted", "what it was for clients; its object is kept, and no client sees it"})
	}
	for _, l := range e.Links {
		what := "secondary"
		if l.Primary {
			what = "object"
		}
		all = append(all, trait{what, l.Anchor + " in backend " + l.Backend})
	}
	return all
}

func workLine(w adminapi.Work) string {
	s := fmt.Sprintf("work %d: %s the %s %s in backend %s", w.Number, w.Action, w.Type, w.Anchor, w.Backend)
	switch {
	case w.Held:
		s += ", held"
	default:
		s += ", due " + stamp(w.Next)
	}
	if w.Attempts > 0 {
		s += fmt.Sprintf(", tried %d times", w.Attempts)
	}
	if w.LastError != "" {
		s += ": " + w.LastError
	}
	return s
}

// showOperation says what an operation changed, entity by entity.
func showOperation(w io.Writer, o adminapi.Operation) {
	head := operationHead(o)
	if o.Undoes != 0 {
		head += fmt.Sprintf(" (of %d)", o.Undoes)
	}
	if o.UndoneBy != 0 {
		head += fmt.Sprintf(" (undone by %d)", o.UndoneBy)
	}
	fmt.Fprintln(w, head)
	showChanges(w, o)
}

// operationHead is what an operation is, when, by whom and why.
func operationHead(o adminapi.Operation) string {
	head := fmt.Sprintf("%d  %s  %s", o.Number, stamp(o.When), o.Kind)
	if o.Who != "" {
		head += " by " + o.Who
	}
	if o.Why != "" {
		head += ": " + o.Why
	}
	return head
}

func showChanges(w io.Writer, o adminapi.Operation) {
	for _, c := range o.Changes {
		switch {
		case c.Before == nil && c.After != nil && len(c.After.IDs) > 0:
			fmt.Fprintf(w, "  %s %s, which was not there\n", c.After.Type, name(*c.After))
		case c.Before == nil && c.After != nil:
			fmt.Fprintf(w, "  a new %s\n", c.After.Type)
		case c.After == nil && c.Before != nil:
			fmt.Fprintf(w, "  %s %s goes\n", c.Before.Type, name(*c.Before))
		case c.After != nil:
			fmt.Fprintf(w, "  %s %s\n", c.After.Type, name(*c.After))
		}
		var before, after []trait
		if c.Before != nil {
			before = traits(*c.Before)
		}
		if c.After != nil {
			after = traits(*c.After)
		}
		for _, t := range before {
			if !has(after, t) {
				fmt.Fprintf(w, "    - %-11s %s\n", t.what, t.text)
			}
		}
		for _, t := range after {
			if !has(before, t) {
				fmt.Fprintf(w, "    + %-11s %s\n", t.what, t.text)
			}
		}
	}
	for _, l := range o.Leftovers {
		fmt.Fprintf(w, "  to %s the object %s in backend %s: %s\n", l.Action, l.Anchor, l.Backend, l.State)
	}
}

func has(all []trait, t trait) bool {
	for _, one := range all {
		if one == t {
			return true
		}
	}
	return false
}

// name is an id of an entity, or its object where it has none.
func name(e adminapi.Entity) string {
	for _, id := range e.IDs {
		if !id.Alias {
			return id.ID
		}
	}
	if len(e.Links) > 0 {
		return e.Links[0].Anchor
	}
	return ""
}

func (o *ids) historyCommand() *cobra.Command {
	most := 50
	cmd := &cobra.Command{
		Use:     "history [REF]",
		Short:   "Show the operations, newest first: all, or those of one resource, also of a deleted one",
		Example: "postern ids history grace --config postern.yaml",
		Args:    o.takes(0, "REF"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 1 {
				return errors.New("--most has to be 1 or more")
			}
			if len(args) == 1 && args[0] == "" {
				return errors.New("REF is empty; leave it out for the operations of all resources")
			}
			return o.with(cmd, tableAlone, func(ctx context.Context, c *adminapi.Client) error {
				_, err := adminapi.Call[adminapi.Operation, int](ctx, c, "history", adminapi.HistoryRequest{Ref: strings.Join(args, ""), Most: most}, func(op adminapi.Operation) error {
					if o.json {
						return put(cmd.OutOrStdout(), op)
					}
					showOperation(cmd.OutOrStdout(), op)
					return nil
				}, nil)
				return err
			})
		},
	}
	cmd.Flags().IntVar(&most, "most", most, "how many at most")
	return cmd
}

func (o *ids) checkCommand() *cobra.Command {
	var backend bool
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Hold every index against every record, and with --backend every link against the directory",
		Example: "postern ids check --backend --config postern.yaml",
		Args:    o.takes(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			needs := tableAlone
			if backend {
				needs = 0
			}
			return o.with(cmd, needs, func(ctx context.Context, c *adminapi.Client) error {
				res, err := adminapi.Call[adminapi.Finding, adminapi.CheckResult](ctx, c, "check", adminapi.CheckRequest{Backend: backend}, func(f adminapi.Finding) error {
					if o.json {
						return put(cmd.OutOrStdout(), f)
					}
					_, err := fmt.Fprintln(cmd.OutOrStdout(), f.Message)
					return err
				}, o.progress(cmd, "entities"))
				if err != nil {
					return err
				}
				if o.json {
					err = put(cmd.OutOrStdout(), res)
				} else {
					fmt.Fprintf(cmd.OutOrStdout(), "%d entities, %d ids, %d links, %d externalIds: %d damages", res.Entities, res.PublicIDs, res.Anchors, res.ExternalIDs, res.Damages)
					if backend {
						fmt.Fprintf(cmd.OutOrStdout(), ", %d objects missing, %d links of types that are not served", res.Missing, res.Unserved)
					}
					fmt.Fprintln(cmd.OutOrStdout())
				}
				if res.Damages > 0 {
					return fmt.Errorf("the identity table is damaged; put a backup in its place, or export it and import what can be read")
				}
				if res.Missing > 0 {
					return errors.Join(err, errReported)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&backend, "backend", false, "ask the backends for every linked object too")
	return cmd
}
