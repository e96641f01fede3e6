package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// Options are what is measured on a log.
type Options struct {
	Log    *eventlog.Pass
	Pack   *pack.Pack
	Active time.Duration // score customers with activity within this time before a date; 0: twice the horizon
	Dates  []time.Time   // to measure at, in order; none: up to three are chosen
	List   bool          // keep the alerts: a log that is too short to be measured is read for them
	Guard  bool          // sources of events are guarded
}

// Run is a log that can be read.
type Run struct {
	Options
	end        time.Time // of the log; zero: it is not measured
	Unmeasured error     // why it is not
	engine     *Engine
}

// Prepare decides what is measured. It looks ahead for the end of the log, so that it refuses what cannot be measured
// before the log is read.
func Prepare(ctx context.Context, opts Options) (*Run, error) {
	b := &Run{Options: opts}
	b.Active = cmp.Or(b.Active, 2*b.Pack.Horizon)
	err := b.plan(ctx)
	if err == nil {
		return b, nil
	}
	if b.List && len(b.Dates) == 0 && errors.As(err, new(tooShortError)) {
		b.Unmeasured = err
		return b, nil
	}
	return nil, err
}

// tooShortError says that not enough of a log is known to measure anything on it.
type tooShortError struct{ error }

func (t tooShortError) Unwrap() error { return t.error }

// plan chooses or checks what is measured.
func (b *Run) plan(ctx context.Context) error {
	if b.Log.Name == eventlog.Stdin {
		return b.planStdin()
	}
	first, last, err := b.Log.Span(ctx, "looking ahead")
	if err != nil {
		return err
	}
	if len(b.Dates) == 0 {
		b.Dates, err = b.chooseDates(first, last)
	} else {
		err = b.checkDates(first, last)
	}
	if err == nil {
		b.end = last
		return nil
	}
	if disorder := b.Log.Ordered(ctx, b.Pack, "looking at the order"); disorder != nil {
		return disorder // which is why the dates seem wrong
	}
	return err
}

// planStdin takes the end of standard input from --until, or from the last date, which a horizon follows. Without dates
// there is one, a horizon before the end.
func (b *Run) planStdin() error {
	switch n := len(b.Dates); {
	case !b.Log.Until.IsZero():
		b.end = b.Log.Until
		if n == 0 {
			b.Dates = []time.Time{b.end.Add(-b.Pack.Horizon).Truncate(advice.Day)}
		}
	case n > 0:
		b.end = b.Dates[n-1].Add(b.Pack.Horizon)
	default:
		return tooShortError{advice.Usage(
			advice.Add(
				errors.New("standard input is read once, so when it ends is not known beforehand"),
				"say how far it goes with --until, or name the dates to measure at with --at",
			),
		)}
	}
	return nil
}

// checkDates refuses dates that the log does not cover.
func (b *Run) checkDates(first, last time.Time) error {
	for _, at := range b.Dates {
		if at.Add(b.Pack.Horizon).After(EndOf(last)) {
			return b.tooLate(at, last)
		}
		if !at.After(first) {
			return advice.Usage(
				fmt.Errorf(
					"%s lies before the first event, of %s: nobody was active then",
					advice.FormatDate(at),
					advice.FormatDate(first),
				),
			)
		}
	}
	return nil
}

// tooLate reports that a date has no full horizon after it.
func (b *Run) tooLate(at, last time.Time) error {
	possible := EndOf(last).Add(-b.Pack.Horizon).Truncate(advice.Day)
	return advice.Usage(advice.Add(
		fmt.Errorf(
			"%s has no full horizon of %s after it: the log ends on %s",
			advice.FormatDate(at),
			advice.FormatDuration(b.Pack.Horizon),
			last.Format(time.DateOnly),
		),
		"the last possible date is %s; a shorter --horizon allows later ones",
		advice.FormatDate(possible),
	))
}

// chooseDates spreads up to three dates over the log, at least a horizon apart. The last has a full horizon after it,
// and the first lies at least twice --active after the first event. A short log has one date.
func (b *Run) chooseDates(first, last time.Time) ([]time.Time, error) {
	latest := last.Add(-b.Pack.Horizon).Truncate(advice.Day)
	if span := last.Sub(first); span < 2*b.Pack.Horizon {
		err := fmt.Errorf(
			"the log, from %s to %s, is too short for a horizon of %s: it takes one to know the customers and one to see what "+
				"becomes of them",
			first.Format(time.DateOnly),
			last.Format(time.DateOnly),
			advice.FormatDuration(b.Pack.Horizon),
		)
		if span < 2*advice.Day {
			return nil, tooShortError{advice.Usage(advice.Add(err, "the shortest horizon is 1d: take a log of more days"))}
		}
		return nil, tooShortError{advice.Usage(
			advice.Add(
				err,
				"choose a shorter --horizon, of at most %s, or name a date with --at",
				advice.FormatDuration((span / 2).Truncate(advice.Day)),
			),
		)}
	}
	earliest := first.Add(2 * b.Active)
	steps := min(2, max(0, latest.Sub(earliest))/b.Pack.Horizon)
	dates := []time.Time{latest}
	for i := range steps {
		dates = append(dates, latest.Add(-(i+1)*(latest.Sub(earliest)/steps)).Truncate(advice.Day))
	}
	slices.Reverse(dates)
	return dates, nil
}

// Measure reads the log once, through the engine.
func (b *Run) Measure(ctx context.Context) (*Report, error) {
	b.engine = New(Config{Pack: b.Pack, Active: b.Active, Dates: b.Dates, End: b.end, List: b.List, Guard: b.Guard})
	observe := func(f *eventlog.File, e *eventlog.Entry) { b.engine.Observe(eventOf(f, e)) }
	if err := b.Log.Each(ctx, b.Pack, "measuring", observe, b.engine.Late); err != nil {
		return nil, err
	}
	report := b.engine.Finish()
	return report, b.checkReport(report)
}

// Alerts yields the lapses of the whole log in order of time, once it was measured.
func (b *Run) Alerts() iter.Seq[Alert] { return b.engine.Alerts() }

// checkReport refuses what is only visible after the log was read: the end of standard input.
func (b *Run) checkReport(r *Report) error {
	if r.Events == 0 {
		return fmt.Errorf("%s holds no events", b.Log.Name)
	}
	if r.Active == 0 {
		return b.Log.NoActivity(b.Pack.Name)
	}
	if b.Log.Until.After(EndOf(r.Last)) && b.Log.Name == eventlog.Stdin {
		return advice.Usage(fmt.Errorf("standard input ends on %s, before the time of --until", advice.FormatDate(r.Last)))
	}
	for _, at := range b.Dates {
		if at.Add(b.Pack.Horizon).After(EndOf(r.Last)) {
			return b.tooLate(at, r.Last)
		}
	}
	return nil
}

// eventOf is the event that f has just read.
func eventOf(f *eventlog.File, e *eventlog.Entry) *Event {
	ev := f.Event()
	out := &Event{
		Key:        ev.Key,
		Type:       ev.Type,
		Time:       e.Time,
		Value:      float64(ev.Value),
		Minor:      ev.Value,
		HasValue:   ev.HasValue,
		Properties: ev.Properties,
		Source:     ev.Source,
		SourceHash: pipeline.SourceHash(ev),
	}
	if ev.Control {
		out.Type = nil
	}
	if !f.Nameless() {
		out.ID = pipeline.EventIDHash(ev)
	}
	return out
}
