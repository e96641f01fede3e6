package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/uplift"
	"ebb/cmd/ebb/view"
)

func newReportCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "report",
		Short:   "Report what alerts have brought about",
		Long:    "Report what the alerts that were published have brought about.",
		Example: "  ebb report uplift -c ebb.yaml",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newUpliftCommand(a))
	return cmd
}

// upliftFlags is the command line of report uplift.
type upliftFlags struct {
	packFlags
	by, within, since string
	effect            float64
	json              bool
}

func newUpliftCommand(a *app) *cobra.Command {
	var f upliftFlags
	cmd := &cobra.Command{
		Use:   "uplift",
		Short: "Compare customers who were acted on with those held out",
		Long: `Compare the customers whose alerts were acted on with those who were held out (holdout.enabled): how many of each did what
the pack lives by, within a time of the raise; the difference, with the interval that holds it with 95 %; and the smallest effect
that could have been seen. A customer counts once in an epoch, by the first raise, and once that time has passed. docs/holdout.md
says how to read it, and what breaks an experiment.

Exit code 0 says that the arms are as they were drawn, whatever they show; 1 that they are not, so that nothing can be concluded; 2 that they
could not be compared.`,
		Example: "  ebb report uplift -c ebb.yaml\n" +
			"  ebb report uplift --by playbook --effect 2\n" +
			"  ebb report uplift --within 30d --json | jq '.comparisons[].difference'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			wrong, err := a.uplift(cmd, &f)
			switch {
			case err != nil:
				return troubledError{err}
			case wrong:
				return errReported
			}
			return nil
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.by, "by", "", "divide each kind by `WHAT`: "+strings.Join(uplift.Divisions(), ", "))
	flags.StringVar(
		&f.within,
		"within",
		"",
		"`DURATION` after the raise in which an outcome counts (default: the pack's horizon)",
	)
	flags.StringVar(&f.since, "since", "", "only raises from this `DATE` on, as 2026-03-01")
	flags.Float64Var(&f.effect, "effect", 5, "`POINTS` of an effect that one wants to see")
	flags.BoolVar(&f.json, "json", false, "print one object")
	return cmd
}

// options reads what is to be compared.
func (f *upliftFlags) options() (o uplift.Options, err error) {
	if o.By = f.by; f.by != "" && !slices.Contains(uplift.Divisions(), f.by) {
		return o, fmt.Errorf("--by: want one of %s, found %q", strings.Join(uplift.Divisions(), ", "), f.by)
	}
	if o.Size = f.effect / 100; o.Size <= 0 || o.Size >= 1 {
		return o, fmt.Errorf("--effect: must lie between 0 and 100 points, found %v", f.effect)
	}
	if f.within != "" {
		if o.Within, err = advice.ParseDuration(f.within); err != nil {
			return o, fmt.Errorf("--within: %w", err)
		}
		if o.Within <= 0 {
			return o, fmt.Errorf("--within: must be above 0, found %s", f.within)
		}
	}
	if f.since != "" {
		if o.Since, err = time.Parse(time.DateOnly, f.since); err != nil {
			return o, fmt.Errorf("--since: want a date such as 2026-03-01, found %q", f.since)
		}
	}
	return o, nil
}

// uplift reports whether something is wrong with the experiment.
func (a *app) uplift(cmd *cobra.Command, f *upliftFlags) (wrong bool, err error) {
	opts, err := f.options()
	if err != nil {
		return false, advice.Usage(err)
	}
	if opts.Config, err = a.config(f.overrides()...); err != nil {
		return false, err
	}
	screen := terminal.NewScreen(cmd.ErrOrStderr(), a.environ)
	steps := terminal.NewSteps(screen)
	defer steps.End()
	opts.Waiting, opts.Progress = waitsOn(screen), steps.At
	report, err := uplift.Run(cmd.Context(), &opts)
	if err != nil {
		return false, err
	}
	steps.End()
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	if f.json {
		return report.Wrong(), json.NewEncoder(out).Encode(report)
	}
	return report.Wrong(), view.Uplift(out, report)
}
