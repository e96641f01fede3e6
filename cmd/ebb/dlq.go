package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/deadletter"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline/kafkawire"
)

func newDLQCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look at quarantined records, and send them again",
		Long: `Look at quarantined records, and send them again once what was wrong is mended.

A record that cannot be used goes to the topic <input>.dlq as it is, with its headers and its timestamp, the place in the input
where it stood, and a code that says why. Places in the input are what ebb's log names; --partition and --offsets mean them.`,
		Example: "  ebb dlq list                                  # what is there\n" +
			"  ebb dlq show --code time_missing --limit 3    # three of them, byte for byte\n" +
			"  ebb dlq replay --code time_missing --dry-run  # what would be sent again",
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDLQListCommand(a), newDLQShowCommand(a), newDLQReplayCommand(a))
	return cmd
}

// dlqFlags is what the commands on the DLQ share: where it is, and which of its records they use.
type dlqFlags struct {
	brokers, topic          string
	codes                   []string
	partition, dlqPartition int32
	offsets, dlqOffsets     string
	since, until            string
	json                    bool
	undelivered             bool
}

func (f *dlqFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(
		&f.topic,
		"topic",
		"",
		"input `TOPIC`; the DLQ is the one with .dlq behind its name (default: kafka.input)",
	)
	flags.StringSliceVar(&f.codes, "code", nil, "only records with this `CODE`; may be repeated")
	flags.Int32Var(&f.partition, "partition", -1, "only records of partition `N` of the input (default: all)")
	flags.StringVar(
		&f.offsets,
		"offsets",
		"",
		"with --partition: only those that stood there at `FROM-TO`, both included; FROM- or a single offset",
	)
	flags.Int32Var(&f.dlqPartition, "dlq-partition", -1, "only records in partition `N` of the DLQ (default: all)")
	flags.StringVar(&f.dlqOffsets, "dlq-offsets", "", "with --dlq-partition: only those that stand there at `FROM-TO`")
	flags.StringVar(
		&f.since,
		"since",
		"",
		"only records that were quarantined since a `TIME` (RFC 3339), or since so long ago, such as 2h",
	)
	flags.StringVar(&f.until, "until", "", "only records that were quarantined before this `TIME`")
	hideDefaults(flags, "partition", "dlq-partition")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	// the flag exists
	_ = cmd.RegisterFlagCompletionFunc(
		"code",
		cobra.FixedCompletions(deadletter.CodeNames(), cobra.ShellCompDirectiveNoFileComp),
	)
}

// addUndelivered adds the flag of commands that only look.
func (f *dlqFlags) addUndelivered(cmd *cobra.Command) {
	cmd.Flags().BoolVar(
		&f.undelivered,
		"undelivered",
		false,
		"alerts that ebb deliver gave up, in place of quarantined records; the input is the alert topic then",
	)
}

// dlq is an opened DLQ, and how far its reading is.
type dlq struct {
	*deadletter.Queue
	screen terminal.Screen // of everything beside the output
	steps  *terminal.Steps
}

// openDLQ finds the DLQ, where the user may do what the command needs. The caller closes it unless there is an error.
func (a *app) openDLQ(cmd *cobra.Command, f *dlqFlags, needs ...kafkawire.Operation) (*dlq, error) {
	cfg, err := a.config(config.Overrides("brokers", "kafka.brokers", f.brokers, "topic", "kafka.input", f.topic)...)
	if err != nil {
		return nil, err
	}
	d := &dlq{screen: terminal.NewScreen(cmd.ErrOrStderr(), a.environ)}
	d.steps = terminal.NewSteps(d.screen)
	name := cfg.Kafka.DLQ()
	if f.undelivered {
		name = cfg.Kafka.UndeliveredTopic()
	}
	if d.Queue, err = deadletter.Open(cmd.Context(), cfg, name, d.steps.At, needs...); err != nil {
		return nil, connect.WithCreate(err, a.checkCommand(f.brokers, f.topic))
	}
	return d, nil
}

func (d *dlq) close() {
	d.steps.End()
	d.Close()
}

// sayHeldUp reports that something was left out.
func (d *dlq) sayHeldUp() {
	if d.HeldUp() {
		fmt.Fprintf(d.screen, "a transaction is open in %s; what lies behind it is left out\n", d.Name)
	}
}
