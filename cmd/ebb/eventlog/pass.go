package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// Pass is one reading of a log of the past for an engine.
type Pass struct {
	Name    string // of the file; - for standard input
	Input   *config.Input
	SkipBad bool // count lines that cannot be used, and go on
	Stdin   io.Reader
	Until   time.Time // events from here on are left out; zero: none are

	// Progress gets the purpose of the reading, the events so far, and the bytes read of the file's bytes, as stored; -1:
	// unknown. Optional.
	Progress func(what string, events, stored, size int64)

	skipped   int64
	anonymous int64
}

// Skipped is how many lines were not used.
func (p *Pass) Skipped() int64 { return p.skipped }

// Anonymous is how many events were passed over, because they are of visitors who are not known.
func (p *Pass) Anonymous() int64 { return p.anonymous }

// Each hands every event to take, in the order of the log, with the properties that the pack reads. what is the purpose
// that Progress gets. After each event Each calls late, which returns how many events are more than a day older than
// one before them, and the time of that one.
func (p *Pass) Each(
	ctx context.Context, pack *pack.Pack, what string, take func(*File, *Entry), late func() (int64, time.Time),
) error {
	f, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	f.decoder.Reading(pack)
	var e Entry
	for n := int64(0); ; n++ {
		if n%1024 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p.progress(what, n, f)
		}
		if err := p.next(f, &e); errors.Is(err, io.EOF) {
			return disordered(f, n, late, 100)
		} else if ctx.Err() != nil {
			return context.Cause(ctx)
		} else if err != nil {
			return err
		}
		if p.beyond(&e) {
			continue
		}
		take(f, &e)
		if n%1024 == 0 && n > 0 { // no need to read all of a log that runs backwards
			if err := disordered(f, n+1, late, 2); err != nil {
				return err
			}
		}
	}
}

// beyond reports whether an event is left out.
func (p *Pass) beyond(e *Entry) bool { return !p.Until.IsZero() && e.Time >= p.Until.UnixMilli() }

func (p *Pass) progress(what string, events int64, f *File) {
	if p.Progress != nil {
		p.Progress(what, events, f.Stored(), f.Size)
	}
}

// open opens the log.
func (p *Pass) open(ctx context.Context) (*File, error) {
	f, err := Open(p.Name, p.Stdin, p.Input)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return f, err
}

// next reads the next event that has everything it needs. It takes only a time of the event's own, and the event is
// what f.event returns.
func (p *Pass) next(f *File, e *Entry) error {
	for {
		err := f.Next(e)
		code := f.event.Code
		if code == pipeline.Usable && e.Time == 0 {
			code = pipeline.TimeMissing
		}
		if err == nil && code != pipeline.Usable {
			err = &LineError{f.Name, f.Line, CodeInWords(code)}
		}
		bad, isBad := errors.AsType[*LineError](err)
		switch {
		case isBad && p.SkipBad:
			p.skipped++
		case isBad:
			return advice.Add(bad, "mend the line, or leave out what cannot be used with --skip-bad")
		case err == nil && f.event.Anonymous:
			p.anonymous++
		default:
			return err
		}
	}
}

// NoActivity says that a pack has nothing to score in the log.
func (p *Pass) NoActivity(pack string) error {
	return advice.Add(fmt.Errorf("no event in %s is activity for the pack %s", p.Name, pack),
		"say which event types are with --activity, such as --activity purchase; --activity '*' takes all")
}

// lastLines is how many of the last lines are searched for the newest event.
const lastLines = 16

// tailLine is one of the last lines of a log.
type tailLine struct {
	text []byte
	line int
}

// Span finds where the log begins and ends: its first event, and the newest of its last lines.
func (p *Pass) Span(ctx context.Context, what string) (first, last time.Time, err error) {
	f, err := p.open(ctx)
	if err != nil {
		return first, last, err
	}
	defer f.Close()
	var e Entry
	if err := p.next(f, &e); errors.Is(err, io.EOF) {
		return first, last, fmt.Errorf("%s holds no events", p.Name)
	} else if err != nil {
		return first, last, err
	}
	first = time.UnixMilli(e.Time).UTC()
	if !p.Until.IsZero() {
		last, err = p.newest(ctx, what, f, &e)
		return first, last, err
	}
	tail, err := p.tail(ctx, what, f)
	if err != nil {
		return first, last, err
	}
	last = first
	for i := range tail {
		if f.pending, f.Line = tail[i].text, tail[i].line; len(f.pending) == 0 {
			continue
		}
		if f.Next(&e) == nil && e.Time > last.UnixMilli() {
			last = time.UnixMilli(e.Time).UTC()
		}
	}
	return first, last, nil
}

// newest reads the rest of a log, after an event, for the newest event that is not left out.
func (p *Pass) newest(ctx context.Context, what string, f *File, e *Entry) (time.Time, error) {
	newest := e.Time
	if p.beyond(e) {
		return time.Time{}, advice.Usage(fmt.Errorf("%s begins on %s, not before the time of --until", p.Name,
			advice.FormatDate(time.UnixMilli(e.Time).UTC())))
	}
	for n := 0; ; n++ {
		if n%4096 == 0 {
			if ctx.Err() != nil {
				return time.Time{}, context.Cause(ctx)
			}
			p.progress(what, -1, f)
		}
		err := p.next(f, e)
		switch {
		case errors.Is(err, io.EOF):
			p.skipped = 0 // they are counted when the log is read
			return time.UnixMilli(newest).UTC(), nil
		case err != nil:
			return time.Time{}, err
		case !p.beyond(e):
			newest = max(newest, e.Time)
		}
	}
}

// tail reads up to the last lines of a log.
func (p *Pass) tail(ctx context.Context, what string, f *File) (tail [lastLines]tailLine, err error) {
	for n := 0; ; n++ {
		if n%4096 == 0 {
			if ctx.Err() != nil {
				return tail, context.Cause(ctx)
			}
			p.progress(what, -1, f)
		}
		line, err := f.NextLine()
		if errors.Is(err, io.EOF) {
			return tail, nil
		}
		if err != nil && !errors.As(err, new(*LineError)) {
			return tail, err
		}
		t := &tail[n%len(tail)]
		t.text, t.line = append(t.text[:0], line...), f.Line
	}
}
