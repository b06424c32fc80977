package main

import (
	"errors"
	"fmt"
	"strings"

	"postern/configs"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// takes checks what a command was given, before all else: its arguments, no less
// than least and no more than there are names, and that no flag has taken the next
// one for its value. What is wrong is said with what the command expects.
func (o *ids) takes(least int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := swallowed(cmd); err != nil {
			return err
		}
		if len(args) > 0 && cmd.HasSubCommands() {
			return unknownBelow(cmd, args)
		}
		if len(args) < least || len(args) > len(names) {
			return fmt.Errorf("%s takes %s, and %s; for example: %s", cmd.CommandPath(), expected(least, names), given(args), cmd.Example)
		}
		if o.file == "" {
			return fmt.Errorf("say with --config which configuration file; for example: %s", cmd.Example)
		}
		return nil
	}
}

// expected are the arguments of a command in words.
func expected(least int, names []string) string {
	switch {
	case len(names) == 0:
		return "no argument"
	case least == 0:
		return "no argument, or " + strings.Join(names, " ")
	case len(names) == 1:
		return "one argument, " + names[0]
	}
	return fmt.Sprintf("%d arguments, %s", len(names), strings.Join(names, " "))
}

func given(args []string) string {
	switch len(args) {
	case 0:
		return "there is none"
	case 1:
		return fmt.Sprintf("there is %q", args[0])
	}
	return fmt.Sprintf("there are %d: %q", len(args), args)
}

// swallowed finds a flag that was given without its value and has the next flag
// for one.
func swallowed(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if err == nil && strings.HasPrefix(v, "--") {
				err = valueMissing(f, v)
			}
		}
	})
	return err
}

func valueMissing(f *pflag.Flag, next string) error {
	what, _ := pflag.UnquoteUsage(f)
	return fmt.Errorf("--%s needs a value, as in --%s %s, and %q is the next flag; no value begins with --", f.Name, f.Name, strings.ToUpper(what), next)
}

// flagError says what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok && strings.HasPrefix(e.GetValue(), "--") {
		return valueMissing(e.GetFlag(), e.GetValue())
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		what, _ := pflag.UnquoteUsage(e.GetFlag())
		return fmt.Errorf("--%s needs a value, as in --%s %s", e.GetSpecifiedName(), e.GetSpecifiedName(), strings.ToUpper(what))
	}
	return fmt.Errorf("%w; `%s --help` lists the flags", err, cmd.CommandPath())
}

// chooses makes a command of those below it: it shows them, and says which one may
// be meant where there is none of a name.
func chooses(cmd *cobra.Command) {
	cmd.FParseErrWhitelist.UnknownFlags = true // they are of the command that is meant
	cmd.RunE = unknownBelow
}

// unknownBelow is what a command does alone that is made of those below it.
func unknownBelow(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var known []string
	for _, sub := range cmd.Commands() {
		known = append(known, sub.Name())
	}
	hint := "there are " + strings.Join(known, ", ")
	if near := configs.Nearest(args[0], known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Errorf("%s: unknown command %q; %s", cmd.CommandPath(), args[0], hint)
}
