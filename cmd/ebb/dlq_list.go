package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline/kafkawire"
)

func newDLQListCommand(a *app) *cobra.Command {
	var f dlqFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count quarantined records, by code and partition",
		Long: `Count quarantined records, by code and partition of the input: how many there are and of how many bytes, how many were
sent again, the oldest and newest timestamp, and between which offsets of the input they stood.`,
		Example: "  ebb dlq list\n" +
			"  ebb dlq list --since 2h --code time_missing\n" +
			"  ebb dlq list --undelivered                # alerts that ebb deliver gave up\n" +
			"  ebb dlq list --json | jq '.groups[] | select(.records > 100)'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dlqList(cmd, &f) },
	}
	f.add(cmd)
	f.addUndelivered(cmd)
	return cmd
}

func (a *app) dlqList(cmd *cobra.Command, f *dlqFlags) error {
	selected, err := f.selection(time.Now())
	if err != nil {
		return advice.Usage(err)
	}
	d, err := a.openDLQ(cmd, f, kafkawire.Read)
	if err != nil {
		return err
	}
	defer d.close()
	l, err := d.List(cmd.Context(), selected)
	if err != nil {
		return err
	}
	d.steps.End()
	d.sayHeldUp()
	if f.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(l)
	}
	return view.Listing(terminal.NewScreen(cmd.OutOrStdout(), a.environ), l)
}
