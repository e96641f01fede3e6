package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// sampling tries what a file's records become. It needs nothing but the configuration.
type sampling struct {
	cfg     *Config
	name    string
	decoder *decode.Decoder
	event   pipeline.Event

	records   int64
	envelopes [sampleEnvelopes]int64 // of usable records
	codes     map[sampleFault]int64
}

const sampleEnvelopes = int(pipeline.Mapped) + 1

// sampleFault is why a record cannot be used, and as what it was read.
type sampleFault struct {
	code     pipeline.Code
	envelope pipeline.Envelope
}

// sampleRecord is what becomes of one record, as --json prints it.
type sampleRecord struct {
	Line     int    `json:"line"`
	Envelope string `json:"envelope,omitempty"` // unknown of what is no record at all

	ID         string `json:"id,omitempty"`
	Customer   string `json:"customer,omitempty"`
	Type       string `json:"type,omitempty"`
	Time       string `json:"time,omitempty"`
	RecordTime bool   `json:"record_time,omitempty"` // the time is the timestamp of the Kafka record
	Value      string `json:"value,omitempty"`       // in units of the currency
	Currency   string `json:"currency,omitempty"`
	Tenant     string `json:"tenant,omitempty"`
	Control    bool   `json:"control,omitempty"` // no activity, whatever the pack says

	Code  string `json:"code,omitempty"` // of a record that would be quarantined
	Place string `json:"place,omitempty"`
	Found string `json:"found,omitempty"`
	Do    string `json:"do,omitempty"`
}

func newSampling(cfg *Config, name string) *sampling {
	return &sampling{
		cfg: cfg, name: name, codes: map[sampleFault]int64{},
		decoder: decode.NewMapped(int(cfg.Input.MaxRecordBytes), cfg.Input.Mapping.compiled),
	}
}

// sample tries the records of the file called name.
func (a *app) sample(cmd *cobra.Command, f *checkFlags) error {
	if f.create || f.brokers != "" || f.topic != "" {
		return usageError{errors.New("--sample looks at a file alone: leave --create, --brokers and --topic out")}
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	lines, err := openLines(f.sample, newStoppableReader(cmd.Context(), cmd.InOrStdin()))
	if err != nil {
		return err
	}
	defer lines.Close()
	s := newSampling(cfg, lines.name)
	var show sampleView = &sampleText{screen: newScreen(cmd.OutOrStdout(), a.environ)}
	if f.json {
		show = newSampleJSON(cmd.OutOrStdout())
	}
	if err := s.run(cmd.Context(), lines, show); err != nil {
		return err
	}
	if err := show.end(s); err != nil {
		return err
	}
	if len(s.codes) > 0 {
		return errReported
	}
	return nil
}

// run tries record after record.
func (s *sampling) run(ctx context.Context, lines *logFile, show sampleView) error {
	for {
		if ctx.Err() != nil {
			return stopCause(ctx)
		}
		line, err := lines.nextLine()
		var tooLong *lineError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &tooLong):
			line = make([]byte, s.cfg.Input.MaxRecordBytes+1)
		case err != nil:
			return err
		case s.records == 0 && string(line) == csvHeader:
			return advise(fmt.Errorf("%s is a CSV log, of which ebb produce makes flat JSON: there is no envelope to try", s.name), "try a line of what your producers send to %s", s.cfg.Kafka.Input)
		}
		s.records++
		r := s.try(line)
		r.Line = lines.line
		if err := show.record(s, &r); err != nil {
			return err
		}
	}
}

// try decodes one record. A time that only the Kafka record can tell is left out.
func (s *sampling) try(line []byte) (r sampleRecord) {
	const some = 1_767_225_600_000 // any timestamp: that of the Kafka record is not in the file
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
		fault := sampleFault{e.Code, e.Envelope}
		s.codes[fault]++
		r.Code = e.Code.String()
		r.Place, r.Found = s.placeOf(fault, line)
		r.Do = s.cure(fault)
		return r
	}
	s.envelopes[e.Envelope]++
	r.ID, r.Customer, r.Type, r.Tenant, r.Control = string(e.ID), string(e.Customer), string(e.Type), string(e.Tenant), e.Control
	if !r.RecordTime {
		r.Time = stampOf(e.Time)
	}
	if e.HasValue {
		r.Value = string(decode.AppendMoney(nil, e.Value, e.Currency))
	}
	r.Currency = string(bytes.TrimRight(e.Currency[:], "\x00"))
	return r
}
