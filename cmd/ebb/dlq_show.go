package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/sinks"
)

func newDLQShowCommand(a *app) *cobra.Command {
	var f dlqFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print quarantined records, byte for byte",
		Long: `Print quarantined records: code and reason, the place in the input where each stood, its own headers and timestamp, key and
value. Text is printed as it is, anything else in hex. With --json it is an object a line with keys, values and headers in
base64, which is exact for any bytes.`,
		Example: "  ebb dlq show --code not_json\n" +
			"  ebb dlq show --partition 3 --offsets 88213\n" +
			"  ebb dlq show --json | jq -r 'select(.replayed | not) | .value' | base64 -d",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.json && !cmd.Flags().Changed("limit") {
				limit = 0
			}
			return a.dlqShow(cmd, &f, limit)
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "`N` records at most; 0: all, as with --json unless set")
	return cmd
}

// errEnough ends a walk that has found what it was for.
var errEnough = errors.New("enough")

func (a *app) dlqShow(cmd *cobra.Command, f *dlqFlags, limit int) error {
	selected, err := f.selection(time.Now())
	if err == nil && limit < 0 {
		err = fmt.Errorf("--limit must be 0 or more, found %d", limit)
	}
	if err != nil {
		return advice.Usage(err)
	}
	d, err := a.openDLQ(cmd, f, kafkawire.Read)
	if err != nil {
		return err
	}
	defer d.close()
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	p := &dlqPrinter{w: out, screen: terminal.NewScreen(cmd.OutOrStdout(), a.environ), json: f.json}
	shown := 0
	_, err = d.walk(cmd.Context(), selected, func(r *deadLetter) error {
		if limit > 0 && shown == limit {
			return errEnough
		}
		shown++
		d.progress.End()
		return p.print(r)
	})
	more := errors.Is(err, errEnough)
	if more {
		err = nil
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	d.progress.End()
	d.sayHeldUp()
	switch {
	case more:
		fmt.Fprintf(cmd.ErrOrStderr(), "there are more; --limit 0 shows all\n")
	case shown == 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "no such record in %s\n", d.name)
	}
	return nil
}

// dlqPrinter writes records as they come.
type dlqPrinter struct {
	w      io.Writer
	screen terminal.Screen
	json   bool
}

func (p *dlqPrinter) print(r *deadLetter) error {
	if p.json {
		return json.NewEncoder(p.w).Encode(jsonOf(r))
	}
	_, err := io.WriteString(p.w, p.text(r))
	return err
}

// dlqRecord is a record as --json prints it. A null key, value or header is null.
type dlqRecord struct {
	Code      string      `json:"code"`
	Reason    string      `json:"reason"`
	Input     sinks.Place `json:"input"`
	DLQ       sinks.Place `json:"dlq"`
	Time      string      `json:"time"` // the record's timestamp
	Timestamp int64       `json:"timestamp"`
	Replayed  bool        `json:"replayed"`          // sent again
	Replays   int         `json:"replays,omitempty"` // how often it had been sent again before it was quarantined
	From      string      `json:"replayed_from,omitempty"`
	Key       []byte      `json:"key"`
	Value     []byte      `json:"value"`
	Headers   []dlqHeader `json:"headers"`
}

type dlqHeader struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

func jsonOf(r *deadLetter) *dlqRecord {
	out := &dlqRecord{
		Code: r.Code, Reason: r.Reason, Input: r.Source, DLQ: r.At, Time: advice.Stamp(r.Timestamp), Timestamp: r.Timestamp,
		Replayed: r.Replayed, Replays: r.Replays, From: r.From, Key: r.Key, Value: r.Value, Headers: []dlqHeader{},
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, dlqHeader(h))
	}
	return out
}

// text is a record for people: what is known of it, then its value.
func (p *dlqPrinter) text(r *deadLetter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", p.screen.Paint(text.Colors{text.Bold}, terminal.Printable(r.Source.String())), p.screen.Paint(text.Colors{text.FgRed}, terminal.Printable(r.Code)), advice.Stamp(r.Timestamp))
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

// reasonOf says why a record cannot be used: in words where its reason is no more than the code.
func reasonOf(r *deadLetter) string {
	if i := slices.Index(codeNames(), r.Code); i >= 0 && strings.HasSuffix(r.Reason, ": "+r.Code) {
		return eventlog.CodeInWords(pipeline.Usable + 1 + pipeline.Code(i))
	}
	return terminal.Printable(r.Reason)
}

func headerText(h kafkawire.Header) string {
	return terminal.Printable(h.Key) + ": " + bytesOf(h.Value)
}

// bytesOf is a short value on one line: text as it is, else quoted.
func bytesOf(b []byte) string {
	if b == nil {
		return "null"
	}
	return terminal.Printable(string(b))
}

// isText reports whether b may be printed as it is without moving the cursor elsewhere than to the next line.
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
