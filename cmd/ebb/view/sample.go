package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/check"
	"ebb/cmd/ebb/terminal"
)

// SampleRecord shows what becomes of a record of a file.
func SampleRecord(s terminal.Screen, file string, r *check.Record) error {
	status, name := check.OK, r.Envelope
	if r.Code != "" {
		status, name = check.Problem, r.Code
	}
	if !s.Terminal {
		_, err := fmt.Fprintf(s, "%-8s %s:%d: %s: %s\n", status, file, r.Line, name, sampleInWords(r))
		return err
	}
	mark, color := "✓", text.Colors{text.FgGreen}
	if status == check.Problem {
		mark, color = "✗", text.Colors{text.FgRed, text.Bold}
	}
	s.Hang(fmt.Sprintf("%s %5d  ", s.Paint(color, mark), r.Line), s.Paint(color, name)+": "+sampleInWords(r))
	return nil
}

// sampleInWords is a record on one line.
func sampleInWords(r *check.Record) string {
	if r.Code != "" {
		return strings.TrimPrefix(r.Place+": ", ": ") + terminal.Printable(r.Found)
	}
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+terminal.Printable(value))
		}
	}
	add("customer", r.Customer)
	if r.Subject {
		parts[len(parts)-1] += " (the subject)"
	}
	add("type", r.Type)
	add("time", r.Time)
	if r.RecordTime {
		parts = append(parts, "time of the Kafka record")
	}
	if r.Value != "" {
		add("value", strings.TrimSpace(r.Value+" "+r.Currency))
	} else {
		add("currency", r.Currency)
	}
	add("id", r.ID)
	add("tenant", r.Tenant)
	if r.Control {
		parts = append(parts, "control event")
	}
	if r.Anonymous {
		parts = append(parts, "of a visitor: it counts for nothing")
	}
	if r.Overlooked != "" {
		parts = append(parts, "no money in "+terminal.Printable(r.Overlooked))
	}
	return strings.Join(parts, ", ")
}

// SampleTotal shows the closing count, and what to do about each fault.
func SampleTotal(screen terminal.Screen, s *check.Sample) {
	total := s.Total()
	verdict := advice.Count(total.Records, "record")
	for i, e := range envelopesInOrder(total.Envelopes) {
		verdict += fmt.Sprintf(
			"%s %s %s",
			map[bool]string{true: ":", false: ","}[i == 0],
			advice.Grouped(total.Envelopes[e]),
			e,
		)
	}
	color := text.Colors{text.FgGreen, text.Bold}
	if total.Quarantined > 0 {
		verdict += fmt.Sprintf("; %s would be quarantined", advice.Grouped(total.Quarantined))
		color = text.Colors{text.FgRed, text.Bold}
	}
	if total.Records == 0 {
		verdict, color = s.Name+" holds no records", text.Colors{text.Bold}
	}
	fmt.Fprintf(screen, "\n%s\n", screen.Paint(color, verdict))
	if total.Anonymous > 0 {
		screen.Paragraph(
			"note: ",
			fmt.Sprintf("%s without a customer id: visitors count for nothing, unless input.anonymous "+
				"is track, which makes each of them a customer", advice.Count(total.Anonymous, "record")),
		)
	}
	if signal := s.Awaits(); signal != "" && total.Customers > 0 {
		screen.Paragraph(
			"note: ",
			fmt.Sprintf("%s of %s had the signal %s by the end of the file: the pack alerts about no others",
				advice.Grouped(total.Eligible), advice.Count(total.Customers, "customer"), signal),
		)
	}
	for _, f := range s.Faults() {
		screen.Hang(fmt.Sprintf("%8s  ", advice.Grouped(s.Count(f))), f.String()+": "+s.Cure(f))
	}
	sampleUnnamed(screen, s)
}

// sampleUnnamed says which types the pack does not name: their records are read, and are activity of nobody.
func sampleUnnamed(screen terminal.Screen, s *check.Sample) {
	const most = 5
	types := s.Unnamed()
	records, names := int64(0), []string(nil)
	for i, t := range types {
		if records += int64(t.Events); i < most {
			names = append(names, strconv.Quote(t.Type)) // its blanks count
		}
	}
	if records == 0 {
		return
	}
	if len(types) > most {
		names = append(names, "…")
	}
	screen.Hang(
		fmt.Sprintf("%8s  ", advice.Grouped(records)),
		fmt.Sprintf(
			"of types that the pack %s does not name, which are no activity: %s; those that are: pack.activity (docs/events.md)",
			s.PackName(),
			strings.Join(names, ", "),
		),
	)
}

// envelopesInOrder are the envelopes, the most frequent first.
func envelopesInOrder(records map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(records), func(a, b string) int {
		return cmp.Or(cmp.Compare(records[b], records[a]), cmp.Compare(a, b))
	})
}
