package format

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// Headers that a quarantined record carries behind its own, in this order: what Kafka Streams adds to dead letters
// (KIP-1034), then ours. They are a contract.
const (
	headerException = "__streams.errors.exception"
	headerMessage   = "__streams.errors.message"
	headerTopic     = "__streams.errors.topic"
	headerPartition = "__streams.errors.partition"
	headerOffset    = "__streams.errors.offset"
	headerCode      = "ebb.error.code"
	headerTimestamp = "ebb.error.timestamp" // ms: what the record itself carries may be held back or be the broker's
)

// unusable is what headerException says of a record that the line could not use.
const unusable = "ebb.UnusableRecord"

// quarantined makes a copy of the input record, byte for byte, and adds why it could not be used and where it stood.
func (r *Renderer) quarantined(e *pipeline.Entry, record *pipeline.Record) pipeline.Outgoing {
	return pipeline.Outgoing{
		Topic: r.DLQ, Partition: -1, Key: record.Key, Value: record.Value, Timestamp: record.Timestamp,
		Headers: kafkabatch.AppendHeaders(nil, record.Headers,
			header(headerException, unusable),
			header(headerMessage, "record cannot be used: "+e.Code.String()),
			header(headerTopic, r.Input),
			header(headerPartition, strconv.Itoa(int(r.Partition))),
			header(headerOffset, strconv.FormatInt(e.Offset, 10)),
			header(headerCode, e.Code.String()),
			header(headerTimestamp, strconv.FormatInt(record.Timestamp, 10)),
		),
	}
}

func header(key, value string) kafkabatch.Header {
	return kafkabatch.Header{Key: key, Value: []byte(value)}
}

// Place is where a record stands.
type Place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// String names the place as people read it: events/3@88213.
func (p Place) String() string { return fmt.Sprintf("%s/%d@%d", p.Topic, p.Partition, p.Offset) }

// Quarantined is a record of the DLQ taken apart: the input record as it was, and what was added. An undelivered alert is
// read in the same way; its input is the alert topic.
type Quarantined struct {
	Source    Place // in the input
	Code      string
	Reason    string
	Key       []byte // nil: null
	Value     []byte // nil: null
	Headers   []kafkabatch.Header
	Timestamp int64 // of the input record, ms since the epoch

	Replays int    // how often it had been sent again before
	From    string // the latest time: the place in the DLQ; empty if never
}

// ReadQuarantined takes a record of a DLQ apart. ok is false where ebb did not put it there. Key, value and headers
// alias r. Whatever headers the input record had, those of an earlier DLQ among them, only the last block is ours.
func ReadQuarantined(r *pipeline.Record) (q Quarantined, ok bool) {
	var all []kafkabatch.Header
	ours := -1
	for key, value := range kafkabatch.Headers(r.Headers) {
		if string(key) == headerException && (string(value) == unusable || string(value) == undelivered) {
			ours = len(all)
		}
		all = append(all, kafkabatch.Header{Key: string(key), Value: value})
	}
	if ours < 0 {
		return q, false
	}
	q = Quarantined{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	if !q.readAdded(all[ours:]) {
		return Quarantined{}, false
	}
	q.Headers = all[:ours:ours]
	q.takeReplay()
	return q, true
}

// readAdded reads the headers that were added. What an older ebb did not add yet keeps its value.
func (q *Quarantined) readAdded(added []kafkabatch.Header) (ok bool) {
	ok = true
	number := func(value []byte, bits int) int64 {
		n, err := strconv.ParseInt(string(value), 10, bits)
		ok = ok && err == nil
		return n
	}
	seen := 0
	for _, h := range added {
		switch h.Key {
		case headerMessage:
			q.Reason = string(h.Value)
		case headerTopic:
			q.Source.Topic = string(h.Value)
		case headerPartition:
			q.Source.Partition = int32(number(h.Value, 32))
			seen++
		case headerOffset:
			q.Source.Offset = number(h.Value, 64)
			seen++
		case headerCode:
			q.Code = string(h.Value)
		case headerTimestamp:
			q.Timestamp = number(h.Value, 64)
		}
	}
	return ok && seen == 2 && q.Code != "" && q.Source.Topic != "" && q.Source.Partition >= 0 && q.Source.Offset >= 0
}

// ReplayID tells a quarantined record from every other: by its place in the input, and by its bytes where an input was
// deleted and created again. Two groups that read one input quarantine the same record twice; it has one id.
type ReplayID struct {
	Partition int32
	Offset    int64
	Sum       uint64 // of timestamp, key and value
}

// ID is the record's identity.
func (q *Quarantined) ID() ReplayID {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 32+len(q.Key)+len(q.Value)), uint64(q.Timestamp))
	for _, part := range [...][]byte{q.Key, q.Value} {
		size := int64(len(part))
		if part == nil {
			size = -1
		}
		b = append(binary.AppendVarint(b, size), part...)
	}
	sum := sha256.Sum256(b)
	return ReplayID{Partition: q.Source.Partition, Offset: q.Source.Offset, Sum: binary.LittleEndian.Uint64(sum[:])}
}
