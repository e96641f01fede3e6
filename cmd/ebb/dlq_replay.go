package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/deadletter"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline/kafkawire"
)

// dlqReplayFlags is the command line of dlq replay.
type dlqReplayFlags struct {
	dlqFlags
	dryRun, yes, force bool
}

func newDLQReplayCommand(a *app) *cobra.Command {
	var f dlqReplayFlags
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Send quarantined records to the input again, each once",
		Long: `Send quarantined records to the input again, to the partition that they came from: key, value, headers and timestamp as they
were. Each carries where it comes from in the headers ebb.replay.from and ebb.replay.source.

A record is sent again once. What was sent is noted in the DLQ itself, in the same transaction, so that a second replay passes
over it, whatever happened to the first: kill it, start two at a time, replay a part and then everything. One that still cannot
be used is quarantined again, as a new record that may be replayed in its turn.

What is there when the command starts is sent; --dry-run only counts it. A person is asked before anything is sent.`,
		Example: "  ebb dlq replay --code time_missing --dry-run\n" +
			"  ebb dlq replay --partition 3 --offsets 88213-88290\n" +
			"  ebb dlq replay --since 2h --yes --json",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dlqReplay(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "only count what would be sent")
	flags.BoolVar(&f.yes, "yes", false, "go on without a prompt")
	flags.BoolVar(&f.force, "force", false, "send also what the input's retention will delete at once")
	return cmd
}

func (a *app) dlqReplay(cmd *cobra.Command, f *dlqReplayFlags) error {
	selected, err := f.selection(time.Now())
	if err != nil {
		return advice.Usage(err)
	}
	d, err := a.openDLQ(cmd, &f.dlqFlags, kafkawire.Read, kafkawire.Write, kafkawire.DescribeConfigs)
	if err != nil {
		return err
	}
	defer d.close()
	r, err := d.Plan(cmd.Context(), deadletter.ReplayOptions{Selection: selected, Force: f.force, DryRun: f.dryRun})
	d.steps.End()
	if err != nil {
		return connect.WithCreate(err, a.checkCommand(f.brokers, f.topic))
	}
	d.sayHeldUp()
	if f.dryRun || r.Planned.Replayed == 0 {
		return showReplayed(cmd.OutOrStdout(), &r.Planned, f.json)
	}
	if err := f.confirm(cmd, &r.Planned); err != nil {
		return err
	}
	done, err := r.Send(cmd.Context())
	d.steps.End()
	return errors.Join(err, showReplayed(cmd.OutOrStdout(), done, f.json))
}

// showReplayed writes the summary line, or its JSON.
func showReplayed(w io.Writer, r *deadletter.Replayed, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	return view.Replayed(w, r)
}

// confirm shows the plan and prompts for a yes. A script gets no prompt.
func (f *dlqReplayFlags) confirm(cmd *cobra.Command, planned *deadletter.Replayed) error {
	if f.yes || !terminal.Attended(cmd.InOrStdin()) {
		return nil
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(
		w,
		"This sends %s of %s to %s again:\n",
		advice.Count(planned.Replayed, "record"),
		planned.DLQ,
		planned.Topic,
	)
	for _, code := range slices.Sorted(maps.Keys(planned.Codes)) {
		fmt.Fprintf(w, "  %-20s %s\n", terminal.Printable(code), advice.Grouped(planned.Codes[code]))
	}
	return confirmed(cmd)
}
