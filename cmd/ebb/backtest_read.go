package main

import (
	"context"
	"fmt"

	"ebb/cmd/ebb/backtest"
)

// measure reads the log once, through the engine.
func (b *backtesting) measure(ctx context.Context) (*backtest.Report, error) {
	engine := backtest.New(backtest.Config{Pack: b.pack, Active: b.active, Dates: b.dates, Until: b.until})
	if err := b.each(ctx, b.pack, "measuring", func(ev *backtest.Event, _ *logEntry) { engine.Observe(ev) }, engine.Late); err != nil {
		return nil, err
	}
	report := engine.Finish()
	return report, b.checkReport(report)
}

// checkReport refuses what could not be seen before the log was read: of standard input, when it ends.
func (b *backtesting) checkReport(r *backtest.Report) error {
	if r.Events == 0 {
		return fmt.Errorf("%s holds no events", b.name)
	}
	if r.Active == 0 {
		return b.noActivity(b.pack.Name)
	}
	for _, at := range b.dates {
		if at.Add(b.pack.Horizon).After(backtest.EndOf(r.Last)) {
			return b.tooLate(at, r.Last)
		}
	}
	return nil
}
