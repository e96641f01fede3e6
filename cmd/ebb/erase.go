package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/erase"
	"ebb/cmd/ebb/terminal"
)

// eraseFlags is the command line of erase.
type eraseFlags struct {
	erase.Request
	wait      time.Duration
	yes, json bool
}

func newEraseCommand(a *app) *cobra.Command {
	var f eraseFlags
	cmd := &cobra.Command{
		Use:   "erase CUSTOMER",
		Short: "Remove everything that is kept of a customer",
		Long: `Send the input a record that erases a customer: the running ebb, its shadows, and every other group of the input remove the profile,
deadlines and held raises, tell consumers on the alert topic that the customer is erased, and ignore events of up to now from then on,
whoever sends them again. Later ones begin a new customer.

What Kafka keeps, ebb cannot remove: the customer's events in the input and published alerts stay until their retention.`,
		Example: "  ebb erase c-42 -c ebb.yaml --by \"A. Clerk\" --why \"request 17\"\n" +
			"  ebb erase c-42 --tenant acme --by \"A. Clerk\" --why \"request 17\" --yes --json",
		Args: arguments(1, 1, "CUSTOMER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Customer = args[0]
			return a.erase(cmd, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Tenant, "tenant", "", "the `TENANT` that the customer belongs to")
	flags.StringVar(&f.By, "by", "", "the `NAME` of who asks, for the control record; required")
	flags.StringVar(&f.Why, "why", "", "the `REASON`, for the control record; required")
	flags.Int32Var(
		&f.Partition,
		"partition",
		-1,
		"the `NUMBER` of the partition; default: where the customer is, else that of its key",
	)
	flags.DurationVar(&f.wait, "wait", 10*time.Second, "how long to wait until it is done, a `TIME` such as 30s")
	flags.BoolVar(&f.yes, "yes", false, "go on without a prompt")
	flags.BoolVar(&f.json, "json", false, "print the outcome as JSON")
	hideDefaults(flags, "partition")
	return cmd
}

func (a *app) erase(cmd *cobra.Command, f *eraseFlags) error {
	if err := f.Valid(); err != nil {
		return err
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	plan, err := erase.Open(ctx, cfg, f.Request)
	if err != nil {
		return err
	}
	defer plan.Close()
	if !f.yes {
		if err := f.confirm(cmd, plan); err != nil {
			return err
		}
	}
	if err := plan.Send(ctx, time.Now()); err != nil {
		return err
	}
	if err := plan.Await(ctx, f.wait); err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(plan)
	}
	done := "asked for; ebb erases the customer when it comes to the record"
	if plan.Erased {
		done = "erased"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", terminal.FullName(f.Tenant, f.Customer), done)
	return nil
}

// confirm asks on the terminal.
func (f *eraseFlags) confirm(cmd *cobra.Command, plan *erase.Plan) error {
	if f.json {
		return advice.Usage(errors.New("--json asks nobody: give --yes"))
	}
	known := "has no state"
	if plan.Known {
		known = "has state"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s %s in group %s. Everything that is kept of the customer is removed, for good.\n",
		terminal.FullName(f.Tenant, f.Customer), known, plan.Group)
	return confirmed(cmd)
}
