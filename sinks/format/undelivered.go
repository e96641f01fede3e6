package format

import (
	"strconv"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// Reasons for which an alert is not delivered.
const (
	ReasonExpired    = "expired"    // nobody need act on it any more
	ReasonUnreadable = "unreadable" // it is no alert: without an id, or no JSON
)

// Headers of an undelivered alert besides those that a quarantined record has too. They are a contract.
const (
	headerGroup    = "ebb.deliver.group"
	headerAttempts = "ebb.deliver.attempts"
	headerFailure  = "ebb.deliver.failure"
)

// undelivered is what headerException says of an alert that a destination did not take.
const undelivered = "ebb.UndeliveredAlert"

// Undelivered is why a record of an alert topic becomes a dead letter.
type Undelivered struct {
	Topic    string // of dead letters
	Group    string // that delivers
	From     Place
	Reason   string
	Attempts int    // since its lane last took the partition over
	Failure  string // class of the latest; "": none
}

// Outgoing is a copy of the record, byte for byte, with the reason added. It aliases r.
func (u *Undelivered) Outgoing(r *pipeline.Record) pipeline.Outgoing {
	return pipeline.Outgoing{
		Topic: u.Topic, Partition: -1, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp,
		Headers: kafkabatch.AppendHeaders(nil, r.Headers,
			header(headerException, undelivered),
			header(headerMessage, "alert was not delivered: "+u.Reason),
			header(headerTopic, u.From.Topic),
			header(headerPartition, strconv.Itoa(int(u.From.Partition))),
			header(headerOffset, strconv.FormatInt(u.From.Offset, 10)),
			header(headerCode, u.Reason),
			header(headerGroup, u.Group),
			header(headerAttempts, strconv.Itoa(u.Attempts)),
			header(headerFailure, u.Failure),
		),
	}
}
