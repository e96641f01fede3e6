package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/demo"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
)

// demoFlags is the command line of demo.
type demoFlags struct {
	packFlags
	length    time.Duration
	seed      uint64
	customers int
	events    string
	json      bool
}

func newDemoCommand(a *app) *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch it work, on a simulated shop or a log of yours",
		Long: `Watch ebb work, with nothing to install: a Kafka and a Redis run inside this process, and between them the same line as in
"ebb run". Events are those of a simulated shop, which knows who left, or of the business that --pack is for, or of any event log, in fast motion. Alerts are shown as they are
raised; a summary follows. A log is what "ebb produce" takes: NDJSON, or CSV with the header
` + eventlog.CSVHeader + `, in the order of time.`,
		Example: "  ebb demo\n" +
			"  ebb demo --for 0 --seed 7           # as fast as this machine can\n" +
			"  ebb demo --events purchases.csv.gz --activity purchase\n" +
			"  ebb demo --for 0 --json | jq -r 'select(.tier == \"critical\") | .customer'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.DurationVar(
		&f.length,
		"for",
		time.Minute,
		"spread the events over this long (`TIME` such as 1m30s); 0: as fast as possible",
	)
	flags.Uint64Var(&f.seed, "seed", 1, "`N`: another seed, another shop")
	flags.IntVar(&f.customers, "customers", 0, "`N` customers of the shop (default 10000)")
	flags.StringVar(
		&f.events,
		"events",
		"",
		"an event log `FILE` instead of the shop: NDJSON or CSV, plain or gzipped, - for standard input",
	)
	flags.BoolVar(&f.json, "json", false, "print each alert's JSON, one a line, and the summary's as the last")
	return cmd
}

func (a *app) demo(cmd *cobra.Command, f *demoFlags) error {
	if f.length < 0 {
		return advice.Usage(fmt.Errorf("--for must not be below 0, found %v", f.length))
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	cfg.HTTP.Listen, cfg.Kafka.InstanceID = "", "demo"
	cfg.Log.Level = "warn"
	cfg.Start.History = config.HistoryNone // the shop's past is what there is to see
	cfg.Sources.Guard = config.GuardOff    // a score that is drawn is that of the customer's events alone
	cfg.Storm.Breaker = config.BreakerOff  // a month of the shop takes seconds, and all of it is to be seen
	return demo.Run(cmd.Context(), demo.Options{
		Config: cfg, Length: f.length, Seed: f.seed, Customers: f.customers, Events: f.events, JSON: f.json,
		Stdin:  terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()),
		Screen: terminal.NewScreen(cmd.OutOrStdout(), a.environ),
		Log:    newLogger(cfg.Log, terminal.NewScreen(cmd.ErrOrStderr(), a.environ)),
	})
}
