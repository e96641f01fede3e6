package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ebb/cmd/ebb/advice"
)

// unknownCommand refuses an unknown command and suggests the nearest one.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return advice.Usage(fmt.Errorf("there is no command %q%s", args[0], advice.DidYouMean(args[0], names)))
}

// checkHelp makes "ebb help" refuse an unknown command.
func checkHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Example = "  ebb help dlq replay"
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, _ := root.Find(args) // the error contains less
				return unknownCommand(found, rest)
			}
		}
	}
}

// anyNumber accepts any number of arguments.
const anyNumber = math.MaxInt

// noArguments refuses every argument of a command that takes flags alone.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return advice.Usage(fmt.Errorf("it takes flags alone, found %q", args[0]))
	}
	return nil
}

// arguments refuses fewer than least and more than most arguments; what names them.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			if what != "FILE" {
				return advice.Usage(fmt.Errorf("%s is missing", what))
			}
			return advice.Usage(fmt.Errorf("%s is missing; - is standard input", what))
		case len(args) > most:
			return advice.Usage(fmt.Errorf("it takes one %s, found %q behind it", what, args[most]))
		}
		return nil
	}
}

// wrongFlag explains in plain words what is wrong with a flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && len(unknown.GetSpecifiedName()) > 1 {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		return advice.Usage(fmt.Errorf("%w%s", err, advice.DidYouMean("--"+unknown.GetSpecifiedName(), names)))
	}
	if value, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if what := kindInWords(value.GetFlag().Value.Type()); what != "" {
			return advice.Usage(fmt.Errorf("--%s is %s, found %q", value.GetFlag().Name, what, value.GetValue()))
		}
	}
	return advice.Usage(err)
}

// kindInWords describes the value that a flag of one of pflag's types takes.
func kindInWords(kind string) string {
	switch {
	case kind == "duration":
		return "a time such as 1m30s"
	case strings.HasPrefix(kind, "uint"):
		return "a whole number from 0 on"
	case strings.HasPrefix(kind, "int"):
		return "a whole number"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	}
	return ""
}

// hideDefaults leaves the defaults of flags out of the help where the flags' own words explain them better.
func hideDefaults(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.Lookup(name).DefValue = "0" // pflag does not show a default of 0
	}
}
