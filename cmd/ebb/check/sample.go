package check

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/eventlog"
	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// Sample decodes the records of a file and reports what becomes of them. It needs only the configuration.
type Sample struct {
	cfg     *config.Config
	Name    string // of the file
	decoder *decode.Decoder
	event   pipeline.Event

	customers map[string]bool // by state key: the pack alerts about it
	records   int64
	anonymous int64
	envelopes [envelopes]int64 // of usable records
	codes     map[Fault]int64
	pack      *pack.Pack
	unnamed   map[string]int64 // usable records of types that the pack does not name
}

const envelopes = int(pipeline.Mapped) + 1

// Fault is why a record cannot be used, and the envelope it was read as.
type Fault struct {
	code     pipeline.Code
	envelope pipeline.Envelope
	local    bool // its time has no offset
	batch    bool // it is several of Segment's messages in one record
}

// Record is what becomes of one record, as --json prints it.
type Record struct {
	Line     int    `json:"line"`
	Envelope string `json:"envelope,omitempty"` // unknown where the value is no record

	ID         string `json:"id,omitempty"`
	Customer   string `json:"customer,omitempty"`
	Type       string `json:"type,omitempty"`
	Time       string `json:"time,omitempty"`
	RecordTime bool   `json:"record_time,omitempty"` // the time is the timestamp of the Kafka record
	Value      string `json:"value,omitempty"`       // in units of the currency
	Currency   string `json:"currency,omitempty"`
	Tenant     string `json:"tenant,omitempty"`
	Control    bool   `json:"control,omitempty"`    // no activity, whatever the pack says
	Anonymous  bool   `json:"anonymous,omitempty"`  // of a visitor who is not known: it counts for nothing
	Unnamed    bool   `json:"unnamed,omitempty"`    // the pack does not name its type: it is no activity
	Subject    bool   `json:"subject,omitempty"`    // the customer is the CloudEvent's subject, for its data names none
	Overlooked string `json:"overlooked,omitempty"` // what stands in the place of money and is none

	Code  string `json:"code,omitempty"` // of a record that would be quarantined
	Place string `json:"place,omitempty"`
	Found string `json:"found,omitempty"`
	Do    string `json:"do,omitempty"`
}

// NewSample tries the records of the file called name as the processor reads them for a pack.
func NewSample(cfg *config.Config, name string, k *pack.Pack) *Sample {
	return &Sample{
		cfg: cfg, Name: name, codes: map[Fault]int64{}, pack: k,
		unnamed: map[string]int64{}, customers: map[string]bool{},
		decoder: cfg.Input.Decoder(cfg.Input.MaxRecordBytes).Reading(k),
	}
}

// Run tries record after record, and hands each outcome to show.
func (s *Sample) Run(ctx context.Context, lines *eventlog.File, show func(*Record) error) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		line, err := lines.NextLine()
		var tooLong *eventlog.LineError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &tooLong):
			line = make([]byte, s.cfg.Input.MaxRecordBytes+1)
		case err != nil:
			return err
		case s.records == 0 && eventlog.IsCSVHeader(line):
			return advice.Add(
				fmt.Errorf("%s is a CSV log, of which ebb produce makes flat JSON: there is no envelope to try", s.Name),
				"try a line of what your producers send to %s",
				s.cfg.Kafka.Input,
			)
		}
		s.records++
		r := s.try(line)
		r.Line = lines.Line
		if err := show(&r); err != nil {
			return err
		}
	}
}

// try decodes one record. It leaves out a time that only the Kafka record holds.
func (s *Sample) try(line []byte) (r Record) {
	const some = 1_767_225_600_000 // any timestamp: the file does not hold that of the Kafka record
	e := &s.event
	s.decoder.Reset()
	record := pipeline.Record{Value: line}
	if s.decoder.Decode(&record, e); e.Code == pipeline.TimeMissing {
		record.Timestamp = some
		s.decoder.Decode(&record, e)
		r.RecordTime = e.Code == pipeline.Usable
	}
	if partOf(e.Code) != "" || e.Code == pipeline.Usable {
		r.Envelope = e.Envelope.String()
	}
	if e.Code != pipeline.Usable {
		fault := Fault{code: e.Code, envelope: e.Envelope}
		fault.local = s.lacksOffset(fault, line)
		fault.batch = fault.code == pipeline.CustomerMissing && isBatch(line)
		s.codes[fault]++
		r.Code = e.Code.String()
		r.Place, r.Found = s.placeOf(fault, line)
		r.Do = s.Cure(fault)
		return r
	}
	s.envelopes[e.Envelope]++
	s.meet(e)
	r.Anonymous = e.Anonymous
	r.ID, r.Customer, r.Type, r.Tenant, r.Control = string(
		e.ID,
	), string(
		e.Customer,
	), string(
		e.Type,
	), string(
		e.Tenant,
	), e.Control
	if !r.RecordTime {
		r.Time = advice.Stamp(e.Time)
	}
	if e.HasValue {
		r.Value = string(decode.AppendMoney(nil, e.Value, e.Currency))
	}
	if e.NoMoney {
		r.Overlooked = s.noMoney(e.Envelope, line)
	}
	if signal := s.pack.Signal(e.Type); !e.Control && !signal.Known {
		r.Unnamed = true
		s.unnamed[r.Type]++
	}
	r.Subject = e.BySubject
	r.Currency = string(bytes.TrimRight(e.Currency[:], "\x00"))
	return r
}

// meet counts the event's customer, or visitor.
func (s *Sample) meet(e *pipeline.Event) {
	if e.Anonymous {
		s.anonymous++
		return
	}
	by := s.pack.Eligible.By
	now := by == 0 || !e.Control && s.pack.Signal(e.Type, e.Properties...).Named&by != 0
	s.customers[string(e.Key)] = s.customers[string(e.Key)] || now
}

// String is the code and, where the fault is in a part, the envelope.
func (f Fault) String() string {
	if partOf(f.code) == "" {
		return f.code.String()
	}
	return fmt.Sprintf("%s (%s)", f.code, f.envelope)
}

// Total is the closing count, as --json prints it.
type Total struct {
	Records     int64            `json:"records"`
	Anonymous   int64            `json:"anonymous"` // of visitors who are not known
	Customers   int64            `json:"customers"`
	Eligible    int64            `json:"eligible"` // of the customers: the pack alerts about them by the file's end
	Quarantined int64            `json:"quarantined"`
	Envelopes   map[string]int64 `json:"envelopes"` // of usable records
	Codes       map[string]int64 `json:"codes"`     // of the others
}

// Total is the closing count.
func (s *Sample) Total() Total {
	t := Total{
		Records:   s.records,
		Anonymous: s.anonymous,
		Customers: int64(len(s.customers)),
		Envelopes: map[string]int64{},
		Codes:     map[string]int64{},
	}
	for i, n := range s.envelopes {
		if n > 0 {
			t.Envelopes[pipeline.Envelope(i).String()] = n
		}
	}
	for _, eligible := range s.customers {
		if eligible {
			t.Eligible++
		}
	}
	for f, n := range s.codes {
		t.Codes[f.code.String()] += n
		t.Quarantined += n
	}
	return t
}

// Awaits is the signal after which the pack alerts about a customer; empty: none, it alerts about everybody.
func (s *Sample) Awaits() string { return s.pack.EligibleSignal() }

// Faults are the faults found, the most frequent first.
func (s *Sample) Faults() []Fault {
	return slices.SortedFunc(maps.Keys(s.codes), func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(s.codes[b], s.codes[a]), cmp.Compare(a.code, b.code), cmp.Compare(a.envelope, b.envelope),
			cmp.Compare(s.Cure(a), s.Cure(b)),
		)
	})
}

// Unnamed are the types of usable records that the pack does not name, the most frequent first.
func (s *Sample) Unnamed() []line.TypeCount {
	types := make([]line.TypeCount, 0, len(s.unnamed))
	for name, n := range s.unnamed {
		types = append(types, line.TypeCount{Type: name, Events: uint64(n)})
	}
	slices.SortFunc(types, func(a, b line.TypeCount) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Type, b.Type))
	})
	return types
}

// PackName is the name of the pack that the records are read for.
func (s *Sample) PackName() string { return s.pack.Name }

// Count is how many records have a fault.
func (s *Sample) Count(f Fault) int64 { return s.codes[f] }
