package decode

import (
	"bytes"
	"encoding/json"
	"fmt"

	"ebb/pipeline"
)

// Rules is the version of the rules by which this package reads records. Whatever changes what becomes of a record that
// may have been processed before raises it, and keeps the former rules for settings that name them: a replay decides as
// it was decided.
//
//	1  at first
//	2  an identify is a control event in flat JSON and in CloudEvents, too, and says how its customer may be written to,
//	   as events named Unsubscribed, Subscribed and Resubscribed do (contact.go); a record may erase its customer
const Rules = 2

// The first rules by which the contact is read, and by which a record erases its customer.
const (
	rulesContact = 2
	rulesErase   = 2
)

// Text is the mapping as settings hold it.
func (s *MappingSpec) Text() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("BUG: a mapping is plain texts: " + err.Error())
	}
	return string(b)
}

// Of is a decoder that reads as settings say. Errors: they are of a newer build, or damaged.
func Of(s *pipeline.Settings) (*Decoder, error) {
	if s.Rules < 1 || s.Rules > Rules {
		return nil, fmt.Errorf("records are read by rules %d, this build reads by rules 1 to %d", s.Rules, Rules)
	}
	if s.Mapping == "" {
		return New(s.MaxRecordBytes).as(s), nil
	}
	var spec MappingSpec
	d := json.NewDecoder(bytes.NewReader([]byte(s.Mapping)))
	d.DisallowUnknownFields()
	if err := d.Decode(&spec); err != nil {
		return nil, fmt.Errorf("input.mapping: %w", err)
	}
	m, err := NewMapping(&spec)
	if err != nil {
		return nil, fmt.Errorf("input.mapping: %w", err)
	}
	return NewMapped(s.MaxRecordBytes, m).as(s), nil
}

// as makes d read as settings say, but for their mapping.
func (d *Decoder) as(s *pipeline.Settings) *Decoder {
	d.rules = s.Rules
	return d.TrackingAnonymous(s.TrackAnonymous).Beating(s.Heartbeat)
}
