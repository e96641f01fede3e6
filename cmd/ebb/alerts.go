package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/alertlog"
)

// alertsFlags is the command line of alerts.
type alertsFlags struct {
	alertSource
	fromStart, untilEnd bool
	json                bool
}

// alertSource is where a command reads alerts.
type alertSource struct {
	brokers, topic string
}

func (f *alertSource) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "`TOPIC` to read (default: kafka.alerts)")
}

func newAlertsCommand(a *app) *cobra.Command {
	var f alertsFlags
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Read the alert topic, committed data only",
		Long: `Read the alert topic: committed data only, of all partitions as it comes, without end: it waits for the next one until
Ctrl-C, in a pipe and with --from-start too. With --until-end it stops at what is the end now, for a file or a pipe that wants all
there are. A line for each alert says when and whom it concerns, how high the risk is and the main reason; with --json it is the
alert as published.`,
		Example: "  ebb alerts\n" +
			"  ebb alerts --from-start --until-end --json > alerts.ndjson\n" +
			"  ebb alerts --topic ebb.shadow             # what shadows would alert\n" +
			"  ebb alerts --json | jq -r 'select(.tier == \"critical\") | .customer'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.alerts(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(
		&f.fromStart,
		"from-start",
		false,
		"begin with the oldest alert instead of the next one, and go on waiting for more",
	)
	flags.BoolVar(&f.untilEnd, "until-end", false, "stop at what is the end now; begins with the oldest alert")
	flags.BoolVar(&f.json, "json", false, "print each alert's JSON, one a line, byte for byte as published")
	return cmd
}

// alerts reads until the end, if there is one, or until a signal stops it, which is its normal end.
func (a *app) alerts(cmd *cobra.Command, f *alertsFlags) error {
	r, partitions, err := a.openAlerts(cmd, &f.alertSource)
	if err != nil {
		return err
	}
	defer r.Client.Close()
	r.FromStart, r.UntilEnd = f.fromStart || f.untilEnd, f.untilEnd
	ctx := cmd.Context()
	p := newAlertPrinter(terminal.NewScreen(cmd.OutOrStdout(), a.environ), f.json)
	err = r.Read(ctx, partitions, p.print)
	if err != nil && ctx.Err() != nil {
		if f.untilEnd {
			return context.Cause(ctx)
		}
		return nil
	}
	return err
}

// openAlerts is a reader of a topic of alerts, and the number of its partitions. The caller closes its client.
func (a *app) openAlerts(cmd *cobra.Command, f *alertSource) (r *alertlog.Reader, partitions int32, err error) {
	cfg, err := a.config(config.Overrides("brokers", "kafka.brokers", f.brokers)...)
	if err != nil {
		return nil, 0, err
	}
	name := cmp.Or(f.topic, cfg.Kafka.Alerts) // the shadows' topic may be read as well
	if !config.LegalTopic(name, config.MaxTopic) {
		return nil, 0, advice.Usage(fmt.Errorf("no topic can have the name %q", name))
	}
	client, err := connect.Kafka(cfg, name)
	if err != nil {
		return nil, 0, err
	}
	topic, err := connect.FindTopic(cmd.Context(), client, cfg, name, kafkawire.Read)
	if err != nil {
		client.Close()
		return nil, 0, connect.WithCreate(err, a.checkCommand(f.brokers, ""))
	}
	say := func(format string, args ...any) {
		fmt.Fprintf(cmd.ErrOrStderr(), cmd.CommandPath()+": "+format+"\n", args...)
	}
	return &alertlog.Reader{
		Client: client, Topic: name,
		// by then the broker has aborted what a dead ebb left open
		Patience: max(alertPatience, cfg.Kafka.TransactionTimeout),
		Held:     waitsOn(terminal.NewScreen(cmd.ErrOrStderr(), a.environ)),
		Retry:    func(err error) { say("Kafka does not answer, trying again: %s", advice.Cause(err)) },
		Lost: func(partition int32, from, next int64) {
			say("%s/%d: the topic's retention has deleted offsets %d to %d before they were read", name, partition, from, next-1)
		},
	}, topic.Partitions, nil
}

// alertPatience is how long a reading with an end waits for brokers that do not answer.
const alertPatience = 30 * time.Second

// alertPrinter writes alerts as they come.
type alertPrinter struct {
	w    *bufio.Writer
	json bool
	line *view.AlertLine
}

func newAlertPrinter(s terminal.Screen, asJSON bool) *alertPrinter {
	return &alertPrinter{w: bufio.NewWriterSize(s, 64<<10), json: asJSON, line: &view.AlertLine{Screen: s}}
}

// print takes what was read; see [alertlog.Reader.Read].
func (p *alertPrinter) print(batch [][]byte, caughtUp bool) error {
	for _, value := range batch {
		if !p.json {
			value = []byte(p.line.Of(value))
		}
		if _, err := p.w.Write(value); err != nil {
			return fmt.Errorf("write alerts: %w", err)
		}
		if err := p.w.WriteByte('\n'); err != nil {
			return fmt.Errorf("write alerts: %w", err)
		}
	}
	if caughtUp {
		if err := p.w.Flush(); err != nil {
			return fmt.Errorf("write alerts: %w", err)
		}
	}
	return nil
}
