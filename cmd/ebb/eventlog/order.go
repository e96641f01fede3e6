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
func (p *Pass) disordered(f *File, events int64, asked func() (int64, time.Time), many int64) error {
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
		"sort it by time, and take the file that is sorted:\n%s",
		p.sorting(f),
	)
}

// Ordered is the error that the log is not in order of time, if that is so. It reads the log once.
func (p *Pass) Ordered(ctx context.Context, k *pack.Pack, what string) error {
	const day = pipeline.DayMillis
	var newest, late int64
	skipped := p.skipped
	defer func() { p.skipped = skipped }() // they are counted when the log is read for what is in it
	return p.Each(ctx, k, what, func(_ *File, e *Entry) {
		if e.Time < newest-day {
			late++
		}
		newest = max(newest, e.Time)
	}, func() (int64, time.Time) { return late, time.UnixMilli(newest).UTC() })
}

// sorting is the command that sorts the log, of whose events f has just read one.
func (p *Pass) sorting(f *File) string {
	name, unpack := shellWord(p.Name), ""
	if p.Name == Stdin {
		name = "LOG"
	}
	if f.packed {
		unpack = "gzip -dc " + name + " | "
		name = ""
	}
	if f.separator == 0 {
		return strings.TrimSpace(
			fmt.Sprintf("%sjq -s -c 'sort_by(%s)[]' %s", unpack, f.timeFilter(), name),
		) + " > sorted.ndjson"
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
