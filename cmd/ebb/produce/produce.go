package produce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/pack"
)

// Options are how logs are sent.
type Options struct {
	Config  *config.Config
	Rate    float64 // events a second at most; 0: no limit
	SkipBad bool    // count lines that cannot be used, and go on
	Force   bool    // also records that the topic's retention will delete at once
	History bool    // mark the events as a backfill
	Stdin   io.Reader

	// Progress gets how many bytes were read, of how many (-1: unknown), and how many events are acknowledged. Optional.
	Progress func(read, total, acknowledged int64)
}

// Summary is the outcome.
type Summary struct {
	Events     int64   `json:"events"` // acknowledged
	Skipped    int64   `json:"skipped"`
	NoMoney    int64   `json:"no_money,omitempty"`  // events read whose value is no money: they count without it
	Anonymous  int64   `json:"anonymous,omitempty"` // events read of visitors who are not known: they count for nothing
	Late       int64   `json:"late,omitempty"`      // events read that are more than a day older than one before them
	Nameless   string  `json:"nameless,omitempty"`  // the pack, where it names the type of none of the events read
	Bytes      int64   `json:"bytes"`               // of keys and values acknowledged
	Seconds    float64 `json:"seconds"`
	Rate       float64 `json:"events_per_second"`
	Topic      string  `json:"topic"`
	Partitions int     `json:"partitions"`
	Unknown    int64   `json:"unknown,omitempty"` // sent without an answer
	Complete   bool    `json:"complete"`
}

// sending is one run.
type sending struct {
	opts   *Options
	pack   *pack.Pack
	topic  *connect.Limits
	client *kafkawire.Client
	pace   *Pace
	lanes  *Lanes
	total  int64 // bytes of all files as stored; -1: unknown
	read   int64 // of the files that are done
	bad    int64
	poor   int64 // events whose value is no money
	nobody int64 // events of visitors who are not known

	sent   int64 // events handed to the lanes
	named  bool  // the pack names the type of one of them
	newest int64 // of their times
	late   int64 // those more than a day older than the newest before them
}

// Files checks the files against the topic, then sends them; "-" is Stdin. The summary is nil if nothing was begun.
func Files(ctx context.Context, files []string, opts Options) (*Summary, error) {
	if opts.Progress == nil {
		opts.Progress = func(int64, int64, int64) {}
	}
	k, err := connect.LoadPack(opts.Config)
	if err != nil {
		return nil, err
	}
	client, err := connect.Kafka(opts.Config, opts.Config.Kafka.Input)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	p := &sending{opts: &opts, client: client, pack: k}
	if p.topic, err = connect.ReadLimits(ctx, client, opts.Config); err != nil {
		return nil, err
	}
	return p.run(ctx, files)
}

func (p *sending) run(ctx context.Context, files []string) (_ *Summary, err error) {
	if p.total, err = p.lookAhead(ctx, files); err != nil {
		return nil, err
	}
	start := time.Now()
	p.pace = NewPace(p.opts.Rate)
	if p.lanes, err = Open(ctx, p.client, p.topic); err != nil {
		return nil, err
	}
	if p.opts.History {
		p.lanes.MarkBackfill()
	}
	readErr := p.sendAll(ctx, files)
	sendErr := p.lanes.Close(readErr)
	s := p.summary(time.Since(start))
	s.Complete = readErr == nil && sendErr == nil
	return s, p.explain(ctx, s, readErr, sendErr)
}

// open opens a log, whose lines are judged as the processor will.
func (p *sending) open(name string) (*eventlog.File, error) {
	f, err := eventlog.Open(name, p.opts.Stdin, &p.opts.Config.Input)
	if err == nil {
		f.ReadAs(p.pack)
	}
	return f, err
}

// sendAll reads file after file into the lanes.
func (p *sending) sendAll(ctx context.Context, files []string) error {
	for _, name := range files {
		f, err := p.open(name)
		if err != nil {
			return err
		}
		err = p.sendFile(ctx, f)
		f.Close()
		if err != nil {
			return err
		}
		p.read += f.Stored()
	}
	return nil
}

func (p *sending) sendFile(ctx context.Context, f *eventlog.File) error {
	var e eventlog.Entry
	for n := int64(0); ; n++ {
		if n%1024 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p.opts.Progress(p.read+f.Stored(), p.total, p.lanes.Acknowledged())
		}
		err := f.Next(&e)
		if err == nil {
			err = refuses(p.topic, f, &e, p.opts.Force)
		}
		switch bad, isBad := errors.AsType[*eventlog.LineError](err); {
		case errors.Is(err, io.EOF):
			return nil
		case isBad && p.opts.SkipBad:
			p.bad++
			continue
		case isBad:
			return advice.Add(bad, "mend the line, or leave out what cannot be used with --skip-bad")
		case err != nil:
			return err
		}
		if err := p.send(ctx, &e); err != nil {
			return err
		}
		p.observe(f.Event(), &e)
	}
}

// observe counts an event that was sent, and what is odd about it.
func (p *sending) observe(event *pipeline.Event, e *eventlog.Entry) {
	p.sent++
	if event.NoMoney {
		p.poor++
	}
	if event.Anonymous {
		p.nobody++
	}
	if e.Time != 0 && e.Time < p.newest-pipeline.DayMillis {
		p.late++
	}
	p.newest = max(p.newest, e.Time)
	if !p.named {
		signal := p.pack.Signal(event.Type)
		p.named = signal.Known || event.Control || event.Anonymous
	}
}

// send hands one event to the lane of its partition.
func (p *sending) send(ctx context.Context, e *eventlog.Entry) error {
	if err := p.pace.Wait(ctx); err != nil {
		return err
	}
	stamp := e.Time
	if stamp == 0 {
		stamp = time.Now().UnixMilli()
	}
	return p.lanes.Add(e.Key, e.Value, stamp)
}

func (p *sending) summary(took time.Duration) *Summary {
	s := &Summary{
		Skipped:    p.bad,
		NoMoney:    p.poor,
		Anonymous:  p.nobody,
		Late:       p.late,
		Seconds:    took.Seconds(),
		Topic:      p.topic.Name,
		Partitions: len(p.lanes.all),
	}
	if p.sent > 0 && !p.named {
		s.Nameless = p.pack.Name
	}
	for _, l := range p.lanes.all {
		s.Events += l.acknowledged.Load()
		s.Bytes += l.bytes.Load()
		s.Unknown += l.unknown()
	}
	s.Rate = float64(s.Events) / max(s.Seconds, 1e-9)
	return s
}

// explain joins what went wrong; the summary holds how far it got.
func (p *sending) explain(ctx context.Context, s *Summary, readErr, sendErr error) error {
	var stop *pipeline.HardStop
	switch {
	case readErr == nil && sendErr == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s acknowledged", context.Cause(ctx), advice.Count(s.Events, "event"))
	case errors.As(sendErr, &stop) && stop.Code == "record_refused":
		return advice.Add(
			errors.New(stop.Detail),
			"an event may lie further in the past or the future than the topic takes (message.timestamp.before.max.ms, "+
				"message.timestamp.after.max.ms)",
		)
	case errors.As(sendErr, &stop):
		return advice.Add(errors.New(stop.Detail), "%s", stop.Do)
	case sendErr != nil:
		return advice.Add(
			sendErr,
			"%s acknowledged, %s more may have been written; sent again, what has an id is recognised",
			advice.Count(s.Events, "event"),
			advice.Grouped(s.Unknown),
		)
	}
	return readErr
}
