package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// disordered refuses a log that is not in order of time: more than one event in so many comes more than a day late.
func disordered(f *File, events int64, asked func() (int64, time.Time), many int64) error {
	late, newest := asked()
	if late*many <= events {
		return nil
	}
	return advice.Add(
		fmt.Errorf(
			"%s is not in order of time: by line %d, %s of %s events are more than a day older than one before them, of %s",
			f.Name,
			f.Line,
			advice.Grouped(late),
			advice.Grouped(events),
			advice.FormatDate(newest),
		),
		"%s",
		sortAdvice(f),
	)
}

// sortAdvice says how the log is sorted. There is no command for dates with offsets in CSV: as texts they are in another
// order.
func sortAdvice(f *File) string {
	if at := bytes.Trim(
		f.time,
		`"`,
	); f.separator != 0 && bytes.LastIndexByte(at, '-') > 0 &&
		len(at) > len(time.DateOnly) &&
		!bytes.HasSuffix(bytes.ToUpper(at), []byte("Z")) {
		return "sort it by time: by the instants, for its dates have offsets; and take the file that is sorted"
	}
	return "sort it by time, and take the file that is sorted:\n" + sorting(f)
}

// Order looks whether events come in the order of time.
type Order struct {
	events, late int64
	newest       int64 // ms since the epoch
}

// Add takes the time of the next event; 0: it has none.
func (o *Order) Add(at int64) {
	o.events++
	if at != 0 && at < o.newest-pipeline.DayMillis {
		o.late++
	}
	o.newest = max(o.newest, at)
}

func (o *Order) state() (late int64, newest time.Time) { return o.late, time.UnixMilli(o.newest).UTC() }

// Disordered is the error that f, which was read to its end, is not in order; nil: it is.
func (o *Order) Disordered(f *File) error { return disordered(f, o.events, o.state, 100) }

// Ordered is the error that the log is not in order of time, if that is so. It reads the log once.
func (p *Pass) Ordered(ctx context.Context, k *pack.Pack, what string) error {
	var order Order
	skipped := p.skipped
	defer func() { p.skipped = skipped }() // they are counted when the log is read for what is in it
	return p.Each(ctx, k, what, func(_ *File, e *Entry) { order.Add(e.Time) }, order.state)
}

// sortFilter is the program of jq that sorts by a time, as numbers or as texts. Texts tell the order only where all have
// the same offset, such as Z; jq says so where they have not, and sorts nothing.
func sortFilter(at string) string {
	const offset = `if type == "string" then sub("^[0-9-]+([Tt ][0-9:.,]+)?"; "") else type end`
	return `if ([.[] | ` + at + ` | ` + offset + `] | unique | length) < 2 then sort_by(` + at + `)[] ` +
		`else error("times with different offsets: have them written in UTC, and sort then") end`
}

// sorting is the command that sorts the log, of whose events f has just read one.
func sorting(f *File) string {
	name, unpack := f.forShell()
	if f.separator == 0 {
		return strings.TrimSpace(unpack+"jq -s -c "+shellWord(sortFilter(f.timeFilter()))+" "+name) + " > sorted.ndjson"
	}
	head, tail := "head -n 1 "+name, "tail -n +2 "+name
	if f.separator == '\t' {
		return fmt.Sprintf("(%s; %s | sort -s -t \"$(printf '\\t')\" %s) > sorted.csv", unpack+head, unpack+tail, f.sortKey())
	}
	return fmt.Sprintf(
		"(%s; %s | sort -s -t '%c' %s) > sorted.csv",
		unpack+strings.TrimSpace(head),
		unpack+strings.TrimSpace(tail),
		f.separator,
		f.sortKey(),
	)
}

// sortKey is how sort compares the time of a CSV line: as a number, unless it is a date, and without its quote.
func (f *File) sortKey() string {
	from, kind := "2", "n"
	if bytes.HasPrefix(f.time, []byte{'"'}) {
		from = "2.2"
	}
	if bytes.LastIndexByte(f.time, '-') > 0 {
		kind = ""
	}
	return "-k " + from + ",2" + kind
}

// timeFilter is where jq finds the time of the events.
func (f *File) timeFilter() string {
	switch f.event.Envelope { //nolint:exhaustive // the others have it in a member of this name
	case pipeline.Segment:
		return ".timestamp // .originalTimestamp // .sentAt"
	case pipeline.Mapped:
		var ways []string
		for _, path := range f.input.Mapping.Parts.Time.Paths {
			steps, err := json.Marshal(pointerSteps(path))
			if err != nil {
				panic("BUG: texts are JSON: " + err.Error())
			}
			ways = append(ways, fmt.Sprintf("getpath(%s)", steps))
		}
		return strings.Join(ways, " // ")
	}
	return ".time"
}

// shellWord is a word of a command, in quotes where a shell would take it for more.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./_-+:@%,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
