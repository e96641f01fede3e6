package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ebb/cmd/ebb/backtest"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// logPass is a log of the past on its way through an engine.
type logPass struct {
	name    string // of the file; - for standard input
	mapping *MappingConfig
	skipBad bool // lines that cannot be used are counted
	stdin   io.Reader
	screen  screen // for progress
	bad     int64  // lines that were not used
}

// each hands every event to take, in the order of the log, with the properties that the pack reads. A bar shows how far it
// is. late is asked, after each, for events more than a day older than one before them, and what that one's time is.
func (p *logPass) each(ctx context.Context, pack *pack.Pack, what string, take func(*backtest.Event, *logEntry), late func() (int64, time.Time)) error {
	f, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	f.decoder.Reading(pack)
	bar := p.screen.bar(f.size, what)
	defer func() { _ = bar.Finish() }() // a bar that cannot be drawn is no failure
	began := time.Now()
	var e logEntry
	for n := int64(0); ; n++ {
		if n%1024 == 0 {
			if ctx.Err() != nil {
				return stopCause(ctx)
			}
			bar.Describe(fmt.Sprintf("%s events, %s/s", grouped(n), grouped(int64(float64(n)/max(time.Since(began).Seconds(), 0.1)))))
			if f.size >= 0 {
				_ = bar.Set64(f.Stored())
			} else {
				_ = bar.Add(1)
			}
		}
		if err := p.next(f, &e); errors.Is(err, io.EOF) {
			return nil
		} else if ctx.Err() != nil {
			return stopCause(ctx)
		} else if err != nil {
			return err
		}
		take(eventOf(f, &e), &e)
		if err := disordered(f, n, late); err != nil {
			return err
		}
	}
}

// open opens the log.
func (p *logPass) open(ctx context.Context) (*logFile, error) {
	f, err := openLogFile(p.name, p.stdin, p.mapping)
	if err != nil && ctx.Err() != nil {
		return nil, stopCause(ctx)
	}
	return f, err
}

// next reads the next event that has all that it takes. Its time is its own, and it is what f.event says.
func (p *logPass) next(f *logFile, e *logEntry) error {
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
		case isBad && p.skipBad:
			p.bad++
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
func disordered(f *logFile, events int64, asked func() (int64, time.Time)) error {
	late, newest := asked()
	if late < 1000 || late*100 <= events {
		return nil
	}
	return advise(
		fmt.Errorf("%s is not in order of time: by line %d, %s events are more than a day older than one before them, of %s", f.name, f.line, grouped(late), formatDate(newest)),
		"sort it by time; CSV: (head -n 1 LOG; tail -n +2 LOG | sort -t, -k2,2n)")
}

// noActivity says that a pack has nothing to score in the log.
func (p *logPass) noActivity(pack string) error {
	return advise(fmt.Errorf("no event in %s is activity for the pack %s", p.name, pack),
		"say which event types are with --activity, such as --activity purchase; --activity '*' takes all")
}
