package demo

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/embedded"
	"ebb/cmd/ebb/processor"
	"ebb/cmd/ebb/produce"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/pack"
	"ebb/sinks/alertlog"
)

// Options are what is shown.
type Options struct {
	Config    *config.Config
	Length    time.Duration // over which the events are spread; 0: as fast as possible
	Seed      uint64        // of the shop
	Customers int           // of the shop; 0: as many as it has
	Events    string        // a log to read instead of the shop; "-": Stdin
	JSON      bool
	Stdin     io.Reader
	Screen    terminal.Screen // of alerts and summary
	Log       zerolog.Logger
}

// demo is one run.
type demo struct {
	opts Options
	log  *source
	show *show

	pack       *pack.Pack
	partitions int32
	fed        int64 // events sent
	latest     int64 // event time of the newest, ms since the epoch
	took       time.Duration
}

// Run shows alerts as they are raised, and a summary.
func Run(ctx context.Context, opts Options) error {
	log, err := open(&opts)
	if err != nil {
		return err
	}
	services, err := embedded.Start(ctx, opts.Config)
	if err != nil {
		return err
	}
	defer services.Close()
	return (&demo{opts: opts, log: log}).run(ctx)
}

func (d *demo) run(ctx context.Context) error {
	p, err := processor.New(ctx, d.opts.Config, d.opts.Log, processor.Options{Embedded: true})
	if err != nil {
		return err
	}
	d.pack, d.partitions = p.Pack(), p.Partitions()
	d.show = newShow(d.opts.Screen, d.opts.JSON, d.log.total)
	d.header()
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	watched := d.watch(watching, p)

	began := time.Now()
	err = errors.Join(d.live(ctx, p), p.Close())
	alerts := p.Alerts()
	if err == nil && ctx.Err() == nil {
		alerts, err = d.settle(ctx, alerts)
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

// live feeds the events while the processor works, then drains it.
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
		if ctx.Err() != nil { // Ctrl-C: the demo ends with the events sent so far
			return nil
		}
		return err
	case err := <-ended: // before its time
		drain()
		_ = <-fed // cut short by the drain
		return err
	}
}

// settle runs the line to the end of the log: the last fetch, and the deadlines up to the last event.
func (d *demo) settle(ctx context.Context, alerts uint64) (uint64, error) {
	p, err := processor.New(ctx, d.opts.Config, d.opts.Log, processor.Options{UntilEnd: true, Embedded: true})
	if err != nil {
		return alerts, err
	}
	err = errors.Join(p.Run(ctx), p.Close())
	return alerts + p.Alerts(), err
}

// feed sends all events, spread over the requested time.
func (d *demo) feed(ctx context.Context, client *kafkawire.Client) error {
	topic, err := connect.ReadLimits(ctx, client, d.opts.Config)
	if err != nil {
		return err
	}
	lanes, err := produce.Open(ctx, client, topic)
	if err != nil {
		return err
	}
	rate := produce.NewPace(0)
	if d.opts.Length > 0 {
		rate = produce.NewPace(float64(d.log.total) / d.opts.Length.Seconds())
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

// watch reads the alert topic like any consumer and shows its records.
func (d *demo) watch(ctx context.Context, p *processor.Processor) <-chan error {
	done := make(chan error, 1)
	client, err := connect.Kafka(d.opts.Config, d.opts.Config.Kafka.Alerts)
	if err != nil {
		done <- err
		return done
	}
	r := &alertlog.Reader{Client: client, Topic: d.opts.Config.Kafka.Alerts, FromStart: true}
	var running sync.WaitGroup
	running.Go(func() {
		defer client.Close()
		done <- r.Read(ctx, p.Partitions(), d.show.print)
	})
	return done
}
