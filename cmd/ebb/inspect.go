package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/inspect"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
)

// inspectFlags is the command line of inspect.
type inspectFlags struct {
	packFlags
	tenant string
	json   bool
}

func newInspectCommand(a *app) *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect CUSTOMER",
		Short: "Show what is known of a customer now",
		Long: `Read a customer's state from Redis and show it as of the partition's watermark, as ebb explain shows an alert: terms and factors
with what they come from, cap, floor, value at risk, the way out of the tier, churn probability and the reasons that an alert would give
now; besides, open episodes, features, and when something happens next if no event comes. Nothing is changed; a running ebb is not
disturbed. The pack is the one that Redis keeps; the configured one, with its overrides, only where none is kept yet.`,
		Example: "  ebb inspect -c ebb.yaml c-42\n  ebb inspect c-42 --tenant acme --json | jq .risk_score",
		Args:    arguments(1, 1, "CUSTOMER"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.inspect(cmd, &f, args[0]) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "the `TENANT` that the customer belongs to")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one object")
	return cmd
}

func (a *app) inspect(cmd *cobra.Command, f *inspectFlags, customer string) error {
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	configured, unusable := connect.LoadPack(cfg) // used only where no pack is kept with the state
	redis, err := connect.Redis(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer func() { _ = redis.Close() }() // nothing was written
	who := inspect.Query{
		Group:      cfg.Kafka.Group,
		Tenant:     f.tenant,
		Customer:   customer,
		Configured: configured,
		Unusable:   unusable,
	}
	out := terminal.NewScreen(cmd.OutOrStdout(), a.environ)
	found, err := inspect.Find(cmd.Context(), redis, who, func(v *inspect.Customer) error {
		if f.json {
			return json.NewEncoder(out).Encode(v)
		}
		return view.Customer(out, v)
	})
	switch {
	case err != nil:
		return err
	case found == inspect.GroupUnknown:
		return advice.Add(
			fmt.Errorf("group %s has no state in Redis", cfg.Kafka.Group),
			"see kafka.group and redis.addresses, or start ebb run first",
		)
	case found == inspect.CustomerUnknown:
		return advice.Add(
			fmt.Errorf("nothing is known of %s", terminal.FullName(f.tenant, customer)),
			"see --tenant and how the name is spelt; who was gone for state.retention is forgotten",
		)
	}
	return nil
}
