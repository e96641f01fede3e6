package sinks

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// Renderer makes records to publish of outbox entries. What it makes depends on the entry, the input record and these
// settings alone, so that a repeat has the same bytes. Any goroutine may use it.
type Renderer struct {
	Alerts    string // topic
	DLQ       string // topic
	Input     string // topic
	Partition int32  // of the input
	Source    string // ce_source of alerts; see Source
}

// Source is the CloudEvents source of a group's alerts, a URI reference.
func Source(group, input string) string {
	return "/ebb/" + url.PathEscape(group) + "/" + url.PathEscape(input)
}

// Render is pipeline.Render: record is the input record of a quarantined entry.
func (r *Renderer) Render(e *pipeline.Entry, record *pipeline.Record) pipeline.Outgoing {
	if e.Kind == pipeline.EntryQuarantine {
		if record == nil {
			panic("BUG: quarantined entry without its record")
		}
		return r.quarantined(e, record)
	}
	return r.alert(e)
}

// alert makes a CloudEvent in binary mode: attributes in headers, the alert's JSON as value. It is keyed by customer and
// carries the transition's event time.
func (r *Renderer) alert(e *pipeline.Entry) pipeline.Outgoing {
	_, customer := pipeline.SplitKey(e.Key)
	var id [2 * len(e.ID)]byte
	hex.Encode(id[:], e.ID[:])
	var at, kind [40]byte
	h := make([]byte, 0, 240+len(r.Source)+2*len(customer)) // the one allocation
	h = kafkawire.AppendHeaderCount(h, 8)
	h = kafkawire.AppendHeader(h, "ce_specversion", "1.0")
	h = kafkawire.AppendHeader(h, "ce_id", id[:])
	h = kafkawire.AppendHeader(h, "ce_source", r.Source)
	h = kafkawire.AppendHeader(h, "ce_type", append(append(append(kind[:0], "ebb.alert.lapse."...), e.Alert.Transition.String()...), ".v1"...))
	h = kafkawire.AppendHeader(h, "ce_subject", customer)
	h = kafkawire.AppendHeader(h, "ce_time", time.UnixMilli(e.Alert.At).UTC().AppendFormat(at[:0], "2006-01-02T15:04:05.000Z"))
	h = kafkawire.AppendHeader(h, "ce_partitionkey", customer)
	h = kafkawire.AppendHeader(h, "content-type", "application/json")
	return pipeline.Outgoing{Topic: r.Alerts, Partition: -1, Key: customer, Value: e.Value, Timestamp: e.Alert.At, Headers: h}
}

// quarantined makes a copy of the input record, byte for byte, and adds what Kafka Streams adds to dead letters
// (KIP-1034) and the code.
func (r *Renderer) quarantined(e *pipeline.Entry, record *pipeline.Record) pipeline.Outgoing {
	return pipeline.Outgoing{
		Topic: r.DLQ, Partition: -1, Key: record.Key, Value: record.Value, Timestamp: record.Timestamp,
		Headers: kafkawire.AppendHeaders(nil, record.Headers,
			header("__streams.errors.exception", "ebb.UnusableRecord"),
			header("__streams.errors.message", "record cannot be used: "+e.Code.String()),
			header("__streams.errors.topic", r.Input),
			header("__streams.errors.partition", strconv.Itoa(int(r.Partition))),
			header("__streams.errors.offset", strconv.FormatInt(e.Offset, 10)),
			header("ebb.error.code", e.Code.String()),
		),
	}
}

func header(key, value string) kafkawire.Header {
	return kafkawire.Header{Key: key, Value: []byte(value)}
}
