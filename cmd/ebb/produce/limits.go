package produce

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
)

// lookAhead refuses files whose records the topic would delete, and adds up the bytes to read; -1: unknown. A file that
// cannot be read twice is checked while it is sent.
func (p *sending) lookAhead(ctx context.Context, files []string) (total int64, err error) {
	old := connect.Oldest{Topic: p.topic}
	for _, name := range files {
		if name == eventlog.Stdin {
			total = -1
			continue
		}
		f, err := p.open(name)
		if err != nil {
			return 0, err
		}
		if f.Size < 0 || total < 0 {
			total = -1
		} else {
			total += f.Size
		}
		if f.Size >= 0 && !p.opts.Force && p.topic.KeepsFrom != connect.KeepsAll {
			err = scanOldest(ctx, &old, f)
		}
		f.Close()
		if err != nil {
			return 0, err
		}
	}
	return total, old.Refusal()
}

// scanOldest looks at every event of a file. Lines that cannot be used are left for later.
func scanOldest(ctx context.Context, o *connect.Oldest, f *eventlog.File) error {
	var e eventlog.Entry
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := f.Next(&e)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, new(*eventlog.LineError)):
			continue
		case err != nil:
			return err
		}
		seeOldest(o, f, &e)
	}
}

func seeOldest(o *connect.Oldest, f *eventlog.File, e *eventlog.Entry) {
	if e.Time != 0 {
		o.Note(e.Time, func() string { return fmt.Sprintf("%s:%d", f.Name, e.Line) })
	}
}

// refuses is why the topic would not keep or accept an event.
func refuses(t *connect.Limits, f *eventlog.File, e *eventlog.Entry, force bool) error {
	if n := len(e.Key) + len(e.Value) + recordOverhead; n > t.Config.MaxMessageBytes {
		return &eventlog.LineError{
			Name: f.Name,
			Line: e.Line,
			Text: fmt.Sprintf(
				"%d bytes are more than topic %s takes (max.message.bytes=%d)",
				n,
				t.Name,
				t.Config.MaxMessageBytes,
			),
		}
	}
	if force || e.Time == 0 || e.Time >= t.KeepsFrom {
		return nil
	}
	o := connect.Oldest{Topic: t}
	seeOldest(&o, f, e)
	return o.Refusal()
}

// recordOverhead is what a batch of one record adds to its key and value, at most, in bytes.
const recordOverhead = 100
