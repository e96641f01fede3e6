package view

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/deadletter"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// Listing shows the counts of a DLQ.
func Listing(w terminal.Screen, l *deadletter.Listing) error {
	if len(l.Groups) > 0 {
		narrow := w.Terminal && w.Width < terminal.Wide
		t := table.NewWriter()
		t.SetStyle(table.StyleDefault)
		t.Style().Options = table.OptionsNoBordersAndSeparators
		t.Style().Box.PaddingLeft, t.Style().Box.PaddingRight = "", "  "
		t.SuppressTrailingSpaces()
		var right []table.ColumnConfig
		for n := range 4 {
			right = append(right, table.ColumnConfig{Number: n + 2, Align: text.AlignRight})
		}
		t.SetColumnConfigs(right[:3])
		if !narrow {
			t.SetColumnConfigs(right)
		}
		listingRows(t, l, narrow)
		if _, err := fmt.Fprintf(w, "%s\n\n", t.Render()); err != nil {
			return err
		}
	}
	return listingTotal(w, l)
}

// listingRows fills the table. A narrow one leaves out columns that do not fit.
func listingRows(t table.Writer, l *deadletter.Listing, narrow bool) {
	const day, minute = "2006-01-02 15:04", "01-02 15:04"
	if narrow {
		t.AppendRow(table.Row{"code", "part", "records", "replayed", "oldest", "newest"})
	} else {
		t.AppendRow(table.Row{"code", "part", "records", "replayed", "bytes", "oldest", "newest", "offsets in the input"})
	}
	for _, g := range l.Groups {
		row := table.Row{terminal.Printable(g.Code), g.Partition, advice.Grouped(g.Records), advice.Grouped(g.Replayed)}
		oldest, newest := time.UnixMilli(g.OldestMillis).UTC(), time.UnixMilli(g.NewestMillis).UTC()
		if narrow {
			row = append(row, oldest.Format(minute), newest.Format(minute))
		} else {
			row = append(
				row,
				advice.Grouped(g.Bytes),
				oldest.Format(day),
				newest.Format(day),
				fmt.Sprintf("%d-%d", g.From, g.To),
			)
		}
		t.AppendRow(row)
	}
}

func listingTotal(w io.Writer, l *deadletter.Listing) error {
	foreign := ""
	if l.Foreign > 0 {
		foreign = "; " + advice.Count(l.Foreign, "record") + " that ebb did not put there"
	}
	_, err := fmt.Fprintf(
		w,
		"%s in %s, %s, %s replayed%s\n",
		advice.Count(l.Records, "record"),
		l.Topic,
		advice.Count(l.Bytes, "byte"),
		advice.Grouped(l.Replayed),
		foreign,
	)
	return err
}

// Letter is a quarantined record for people: its headers, then its value.
func Letter(s terminal.Screen, r *deadletter.Letter) string {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"%s  %s  %s\n",
		s.Paint(text.Colors{text.Bold}, terminal.Printable(r.Source.String())),
		s.Paint(text.Colors{text.FgRed}, terminal.Printable(r.Code)),
		advice.Stamp(r.Timestamp),
	)
	line := func(name, value string) { fmt.Fprintf(&b, "  %-8s %s\n", name, value) }
	line("reason", reasonOf(r))
	line("in", r.At.String())
	switch {
	case r.Replayed:
		line("replayed", "yes")
	case r.Replays > 0:
		line("replayed", fmt.Sprintf("%d times before, the last time from %s", r.Replays, terminal.Printable(r.From)))
	}
	line("key", bytesOf(r.Key))
	for _, h := range r.Headers {
		line("header", headerText(h))
	}
	switch {
	case r.Value == nil:
		line("value", "null")
	case isText(r.Value):
		line("value", advice.Plural(len(r.Value), "byte")+" of text")
		fmt.Fprintf(&b, "%s\n", r.Value)
	default:
		line("value", advice.Plural(len(r.Value), "byte"))
		b.WriteString(hex.Dump(r.Value))
	}
	b.WriteByte('\n')
	return b.String()
}

// reasonOf is why a record cannot be used. It explains the code where the record's reason is no more than that.
func reasonOf(r *deadletter.Letter) string {
	if i := slices.Index(deadletter.CodeNames(), r.Code); i >= 0 && strings.HasSuffix(r.Reason, ": "+r.Code) {
		return eventlog.CodeInWords(pipeline.Usable + 1 + pipeline.Code(i))
	}
	return terminal.Printable(r.Reason)
}

func headerText(h kafkabatch.Header) string {
	return terminal.Printable(h.Key) + ": " + bytesOf(h.Value)
}

// bytesOf is a short value on one line: text unchanged, other bytes quoted.
func bytesOf(b []byte) string {
	if b == nil {
		return "null"
	}
	return terminal.Printable(string(b))
}

// isText reports whether b may be printed unchanged, since it moves the cursor only to the next line.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n < 2 || !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return false
		}
		b = b[n:]
	}
	return true
}

// Replayed is what a replay has sent, or would send, on one line.
func Replayed(w io.Writer, s *deadletter.Replayed) error {
	verb := "replayed to"
	if s.DryRun {
		verb = "would be replayed to"
	}
	line := fmt.Sprintf("%s %s %s", advice.Count(s.Replayed, "record"), verb, s.Topic)
	for _, more := range []struct {
		n    int64
		what string
	}{
		{s.Before, "replayed before, not sent again"},
		{s.Homeless, "of partitions that the input does not have"},
		{s.Foreign, "that ebb did not put there"},
	} {
		if more.n > 0 {
			line += fmt.Sprintf("; %s %s", advice.Grouped(more.n), more.what)
		}
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
