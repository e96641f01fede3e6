package main

import (
	"context"
	"fmt"

	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/eventlog"
	"ebb/pipeline"
)

// measure reads the log once, through the engine.
func (b *backtesting) measure(ctx context.Context) (*backtest.Report, error) {
	engine := backtest.New(backtest.Config{Pack: b.pack, Active: b.active, Dates: b.dates, Until: b.until})
	if err := b.Each(ctx, b.pack, "measuring", func(f *eventlog.File, e *eventlog.Entry) { engine.Observe(eventOf(f, e)) }, engine.Late); err != nil {
		return nil, err
	}
	report := engine.Finish()
	return report, b.checkReport(report)
}

// checkReport refuses what could not be seen before the log was read: of standard input, when it ends.
func (b *backtesting) checkReport(r *backtest.Report) error {
	if r.Events == 0 {
		return fmt.Errorf("%s holds no events", b.Name)
	}
	if r.Active == 0 {
		return b.NoActivity(b.pack.Name)
	}
	for _, at := range b.dates {
		if at.Add(b.pack.Horizon).After(backtest.EndOf(r.Last)) {
			return b.tooLate(at, r.Last)
		}
	}
	return nil
}

// eventOf is the event that f has just read.
func eventOf(f *eventlog.File, e *eventlog.Entry) *backtest.Event {
	ev := f.Event()
	out := &backtest.Event{
		Key: ev.Key, Type: ev.Type, Time: e.Time, Value: float64(ev.Value), Minor: ev.Value, HasValue: ev.HasValue, Properties: ev.Properties,
	}
	if ev.Control {
		out.Type = nil
	}
	if !f.Numbered() {
		out.ID = pipeline.EventIDHash(ev)
	}
	return out
}
