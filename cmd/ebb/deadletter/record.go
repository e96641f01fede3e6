package deadletter

import (
	"ebb/cmd/ebb/advice"
	"ebb/sinks/format"
)

// Record is a letter as JSON, exact for any bytes. A null key, value or header is null.
type Record struct {
	Code      string       `json:"code"`
	Reason    string       `json:"reason"`
	Input     format.Place `json:"input"`
	DLQ       format.Place `json:"dlq"`
	Time      string       `json:"time"` // the record's timestamp
	Timestamp int64        `json:"timestamp"`
	Since     string       `json:"quarantined_at"`
	Replayed  bool         `json:"replayed"`          // sent again
	Replays   int          `json:"replays,omitempty"` // how often it had been sent again before it was quarantined
	From      string       `json:"replayed_from,omitempty"`
	Key       []byte       `json:"key"`
	Value     []byte       `json:"value"`
	Headers   []Header     `json:"headers"`
}

// Header is one of a record's own headers.
type Header struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// Record is the letter as JSON. It aliases the letter's bytes.
func (l *Letter) Record() *Record {
	out := &Record{
		Code: l.Code, Reason: l.Reason, Input: l.Source, DLQ: l.At, Time: advice.Stamp(l.Timestamp), Timestamp: l.Timestamp,
		Since:    advice.Stamp(l.Since),
		Replayed: l.Replayed, Replays: l.Replays, From: l.From, Key: l.Key, Value: l.Value, Headers: []Header{},
	}
	for _, h := range l.Headers {
		out.Headers = append(out.Headers, Header(h))
	}
	return out
}
