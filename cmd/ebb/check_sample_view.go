package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
)

// sampleView shows what becomes of records.
type sampleView interface {
	record(s *sampling, r *sampleRecord) error
	end(s *sampling) error
}

// sampleText is for people.
type sampleText struct{ screen terminal.Screen }

func (v *sampleText) record(s *sampling, r *sampleRecord) error {
	status, name := statusOK, r.Envelope
	if r.Code != "" {
		status, name = statusProblem, r.Code
	}
	if !v.screen.Terminal {
		_, err := fmt.Fprintf(v.screen, "%-8s %s:%d: %s: %s\n", status, s.name, r.Line, name, r.inWords())
		return err
	}
	mark, color := "✓", text.Colors{text.FgGreen}
	if status == statusProblem {
		mark, color = "✗", text.Colors{text.FgRed, text.Bold}
	}
	v.screen.Hang(fmt.Sprintf("%s %5d  ", v.screen.Paint(color, mark), r.Line), v.screen.Paint(color, name)+": "+r.inWords())
	return nil
}

// inWords is a record on one line.
func (r *sampleRecord) inWords() string {
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
	return strings.Join(parts, ", ")
}

func (v *sampleText) end(s *sampling) error {
	total := s.total()
	verdict := advice.Count(total.Records, "record")
	for i, e := range total.order() {
		verdict += fmt.Sprintf("%s %s %s", map[bool]string{true: ":", false: ","}[i == 0], advice.Grouped(total.Envelopes[e]), e)
	}
	color := text.Colors{text.FgGreen, text.Bold}
	if total.Quarantined > 0 {
		verdict += fmt.Sprintf("; %s would be quarantined", advice.Grouped(total.Quarantined))
		color = text.Colors{text.FgRed, text.Bold}
	}
	if total.Records == 0 {
		verdict, color = s.name+" holds no records", text.Colors{text.Bold}
	}
	fmt.Fprintf(v.screen, "\n%s\n", v.screen.Paint(color, verdict))
	for _, f := range s.faults() {
		v.screen.Hang(fmt.Sprintf("%8s  ", advice.Grouped(s.codes[f])), f.inWords()+": "+s.cure(f))
	}
	return nil
}

// inWords is the code and, where the fault is a part's, the envelope.
func (f sampleFault) inWords() string {
	if partOf(f.code) == "" {
		return f.code.String()
	}
	return fmt.Sprintf("%s (%s)", f.code, f.envelope)
}

// sampleTotal is the closing count, as --json prints it.
type sampleTotal struct {
	Records     int64            `json:"records"`
	Quarantined int64            `json:"quarantined"`
	Envelopes   map[string]int64 `json:"envelopes"` // of usable records
	Codes       map[string]int64 `json:"codes"`     // of the others
}

func (s *sampling) total() sampleTotal {
	t := sampleTotal{Records: s.records, Envelopes: map[string]int64{}, Codes: map[string]int64{}}
	for i, n := range s.envelopes {
		if n > 0 {
			t.Envelopes[pipeline.Envelope(i).String()] = n
		}
	}
	for f, n := range s.codes {
		t.Codes[f.code.String()] += n
		t.Quarantined += n
	}
	return t
}

// order is the envelopes, the most frequent first.
func (t *sampleTotal) order() []string {
	return slices.SortedFunc(maps.Keys(t.Envelopes), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.Envelopes[b], t.Envelopes[a]), cmp.Compare(a, b))
	})
}

// faults is what was found wrong, the most frequent first.
func (s *sampling) faults() []sampleFault {
	return slices.SortedFunc(maps.Keys(s.codes), func(a, b sampleFault) int {
		return cmp.Or(cmp.Compare(s.codes[b], s.codes[a]), cmp.Compare(a.code, b.code), cmp.Compare(a.envelope, b.envelope))
	})
}

// sampleJSON is one object a line, the closing count last.
type sampleJSON struct{ encoder *json.Encoder }

func newSampleJSON(w io.Writer) *sampleJSON {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &sampleJSON{e}
}

func (v *sampleJSON) record(_ *sampling, r *sampleRecord) error { return v.encoder.Encode(r) }

func (v *sampleJSON) end(s *sampling) error { return v.encoder.Encode(s.total()) }
