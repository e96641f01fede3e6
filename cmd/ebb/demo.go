package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/embedded"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/processor"
	"ebb/cmd/ebb/produce"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/alertlog"
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
"ebb run". Events are those of a simulated shop, which knows who left, or of any event log, in fast motion. Alerts are shown as they are
raised; a summary follows. A log is what "ebb produce" takes: NDJSON, or CSV with the header
` + eventlog.CSVHeader + `.`,
		Example: "  ebb demo\n" +
			"  ebb demo --for 0 --seed 7           # as fast as this machine can\n" +
			"  ebb demo --events purchases.csv.gz --activity purchase\n" +
			"  ebb demo --for 0 --json | jq -r 'select(.tier == \"critical\") | .customer'",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd, &f) },
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.DurationVar(&f.length, "for", time.Minute, "spread the events over this long (`TIME` such as 1m30s); 0: as fast as possible")
	flags.Uint64Var(&f.seed, "seed", 1, "`N`: another seed, another shop")
	flags.IntVar(&f.customers, "customers", 0, "`N` customers of the shop (default 4000)")
	flags.StringVar(&f.events, "events", "", "an event log `FILE` instead of the shop: NDJSON or CSV, plain or gzipped, - for standard input")
	flags.BoolVar(&f.json, "json", false, "print each alert's JSON, one a line, and the summary's as the last")
	return cmd
}

// demo is one run of the command.
type demo struct {
	cfg    *config.Config
	flags  *demoFlags
	screen terminal.Screen
	log    *demoLog
	show   *demoShow

	fed    int64 // events sent
	latest int64 // event time of the newest, ms since the epoch
	took   time.Duration
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
	log, err := openDemoLog(f, terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()), &cfg.Input.Mapping)
	if err != nil {
		return err
	}
	e, err := embedded.Start(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer e.Close()
	d := &demo{cfg: cfg, flags: f, screen: terminal.NewScreen(cmd.OutOrStdout(), a.environ), log: log}
	return d.run(cmd, terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
}

func (d *demo) run(cmd *cobra.Command, errs terminal.Screen) error {
	ctx := cmd.Context()
	quiet := newLogger(d.cfg.Log, errs)
	p, err := processor.New(ctx, d.cfg, quiet, processor.Options{Embedded: true})
	if err != nil {
		return err
	}
	d.show = newDemoShow(d.screen, d.flags.json, d.log.total)
	d.header(p)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	watched := d.watch(watching, p)

	began := time.Now()
	err = errors.Join(d.live(ctx, p), p.Close())
	alerts := p.Alerts()
	if err == nil && ctx.Err() == nil {
		alerts, err = d.settle(ctx, quiet, alerts)
	}
	d.took = time.Since(began)
	if err != nil {
		d.show.finish()
		return err
	}
	d.show.await(alerts)
	stopWatching()
	if err := <-watched; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	d.show.finish()
	return d.summary(ctx.Err() != nil)
}

// live feeds the events while the processor works, then has it drain.
func (d *demo) live(ctx context.Context, p *processor.Processor) error {
	working, drain := context.WithCancel(ctx)
	defer drain()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(working) }()
	fed := make(chan error, 1)
	go func() { fed <- d.feed(working, p.Client()) }()
	select {
	case err := <-fed:
		drain()
		err = errors.Join(err, <-ended)
		if ctx.Err() != nil { // Ctrl-C: what was sent so far is the demo
			return nil
		}
		return err
	case err := <-ended: // before its time
		drain()
		_ = <-fed // cut short by the drain
		return err
	}
}

// settle runs the line to the end of the log: what was fetched last, and the deadlines up to the last event.
func (d *demo) settle(ctx context.Context, quiet zerolog.Logger, alerts uint64) (uint64, error) {
	p, err := processor.New(ctx, d.cfg, quiet, processor.Options{UntilEnd: true, Embedded: true})
	if err != nil {
		return alerts, err
	}
	err = errors.Join(p.Run(ctx), p.Close())
	return alerts + p.Alerts(), err
}

// feed sends all events, spread over the time asked for.
func (d *demo) feed(ctx context.Context, client *kafkawire.Client) error {
	topic, err := connect.ReadLimits(ctx, client, d.cfg)
	if err != nil {
		return err
	}
	lanes, err := produce.Open(ctx, client, topic)
	if err != nil {
		return err
	}
	rate := produce.NewPace(0)
	if d.flags.length > 0 {
		rate = produce.NewPace(float64(d.log.total) / d.flags.length.Seconds())
	}
	err = d.log.each(func(key, value []byte, at int64) error {
		if err := rate.Wait(ctx); err != nil {
			return err
		}
		if d.fed%512 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			d.show.at(d.fed, at)
		}
		d.fed, d.latest = d.fed+1, max(d.latest, at)
		return lanes.Add(key, value, at)
	})
	return errors.Join(err, lanes.Close(err))
}

// watch reads the alert topic as any consumer would and shows what comes.
func (d *demo) watch(ctx context.Context, p *processor.Processor) <-chan error {
	done := make(chan error, 1)
	client, err := connect.Kafka(d.cfg, d.cfg.Kafka.Alerts)
	if err != nil {
		done <- err
		return done
	}
	r := &alertlog.Reader{
		Client: client, Topic: d.cfg.Kafka.Alerts, FromStart: true,
		Retry: func(error) {}, Lost: func(int32, int64, int64) {}, // the broker is this process, and keeps everything
	}
	var running sync.WaitGroup
	running.Go(func() {
		defer client.Close()
		done <- r.Read(ctx, p.Partitions(), d.show.print)
	})
	return done
}
