package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ebb/cmd/ebb/backtest"
	"ebb/pipeline"
)

// measure reads the log once, through the engine.
func (b *backtesting) measure(ctx context.Context) (*backtest.Report, error) {
	f, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	f.decoder.Reading(b.pack)
	engine := backtest.New(backtest.Config{Pack: b.pack, Active: b.active, Dates: b.dates, Until: b.until})
	bar := b.screen.bar(f.size, "measuring")
	defer func() { _ = bar.Finish() }() // a bar that cannot be drawn is no failure
	began := time.Now()
	var e logEntry
	for n := int64(0); ; n++ {
		if n%1024 == 0 {
			if ctx.Err() != nil {
				return nil, stopCause(ctx)
			}
			bar.Describe(fmt.Sprintf("%s events, %s/s", grouped(n), grouped(int64(float64(n)/max(time.Since(began).Seconds(), 0.1)))))
			if f.size >= 0 {
				_ = bar.Set64(f.Stored())
			} else {
				_ = bar.Add(1)
			}
		}
		if err := b.next(f, &e); errors.Is(err, io.EOF) {
			break
		} else if ctx.Err() != nil {
			return nil, stopCause(ctx)
		} else if err != nil {
			return nil, err
		}
		engine.Observe(eventOf(f, &e))
		if err := b.disordered(engine, f, n); err != nil {
			return nil, err
		}
	}
	report := engine.Finish()
	return report, b.checkReport(report)
}

// open opens the log.
func (b *backtesting) open(ctx context.Context) (*logFile, error) {
	f, err := openLogFile(b.flags.events, b.stdin, &b.cfg.Input.Mapping)
	if err != nil && ctx.Err() != nil {
		return nil, stopCause(ctx)
	}
	return f, err
}

// next reads the next event that has all that it takes. Its time is its own, and it is what f.event says.
func (b *backtesting) next(f *logFile, e *logEntry) error {
	for {
		err := f.Next(e)
		code := f.event.Code
		if code == pipeline.Usable && e.Time == 0 {
			code = pipeline.TimeMissing
		}
		if err == nil && code != pipeline.Usable {
			err = &lineError{f.name, f.line, codeInWords(code)}
		}
		bad, isBad := errors.AsType[*lineError](err)
		switch {
		case isBad && b.flags.skipBad:
			b.bad++
		case isBad:
			return advise(bad, "mend the line, or leave out what cannot be used with --skip-bad")
		default:
			return err
		}
	}
}

// eventOf is the event that f has just read.
func eventOf(f *logFile, e *logEntry) *backtest.Event {
	ev := &f.event
	out := &backtest.Event{
		Key: ev.Key, Type: ev.Type, Time: e.Time, Value: float64(ev.Value), Minor: ev.Value, HasValue: ev.HasValue, Properties: ev.Properties,
	}
	if ev.Control {
		out.Type = nil
	}
	if !f.isCSV { // the ids of a CSV log are ours
		out.ID = pipeline.EventIDHash(ev)
	}
	return out
}

// disordered refuses a log that is not in order of time: more than one event in a hundred comes more than a day late.
func (b *backtesting) disordered(engine *backtest.Engine, f *logFile, events int64) error {
	late, newest := engine.Late()
	if late < 1000 || late*100 <= events {
		return nil
	}
	return advise(
		fmt.Errorf("%s is not in order of time: by line %d, %s events are more than a day older than one before them, of %s", f.name, f.line, grouped(late), formatDate(newest)),
		"sort it by time; CSV: (head -n 1 LOG; tail -n +2 LOG | sort -t, -k2,2n)")
}

// checkReport refuses what could not be seen before the log was read: of standard input, when it ends.
func (b *backtesting) checkReport(r *backtest.Report) error {
	if r.Events == 0 {
		return fmt.Errorf("%s holds no events", b.flags.events)
	}
	if r.Active == 0 {
		return advise(fmt.Errorf("no event in %s is activity for the pack %s", b.flags.events, b.pack.Name),
			"say which event types are with --activity, such as --activity purchase; --activity '*' takes all")
	}
	for _, at := range b.dates {
		if at.Add(b.pack.Horizon).After(backtest.EndOf(r.Last)) {
			return b.tooLate(at, r.Last)
		}
	}
	return nil
}
