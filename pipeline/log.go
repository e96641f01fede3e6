package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
)

// Log is one partition of the input topic together with the transaction that moves its offset, as one owner of
// generation and producer id. Fetch may run beside Publish; Init and Position run alone. Implementations: kafkasource
// with sinks.Kafka, and the scripted one of the crash table.
type Log interface {
	// Init confirms that this member still belongs to its generation, then takes over the partition's transactional id:
	// when it returns nil every earlier transaction has ended and every earlier owner is fenced. Errors: ErrFenced (no
	// longer the owner), ErrUnavailable.
	Init(ctx context.Context) error

	// Position reads the group's committed position and the bounds of the log, then confirms that this member still
	// belongs to its generation. It is called after Init, which makes a plain offset fetch stable, and after Store.Claim:
	// then no later owner can have published, and no earlier one can commit. Errors: ErrFenced (no longer the owner),
	// ErrUnavailable.
	Position(ctx context.Context) (Position, error)

	// Fetch fills f with records from offset on: committed records only, never markers. When there are none it waits for a
	// bounded time. f.Next is where to go on, also when no record came. Errors: ErrOutOfRange, ErrUnavailable.
	Fetch(ctx context.Context, offset int64, f *Fetched) error

	// Publish writes p.Records and moves the group's offset to p.Offset in one transaction, sent with generation, member
	// and instance. Errors: ErrFenced (aborted or never begun), ErrUnavailable (the outcome is unknown until Init and
	// Position).
	Publish(ctx context.Context, p *Publication) error
}

// Position is how far the group is in Kafka, and the bounds of the log.
type Position struct {
	Committed bool   // false: the group has no offset for this partition
	Offset    int64  // next record to publish the effects of (P)
	Metadata  string // as published; see Mark
	LogStart  int64  // oldest offset the log holds
	End       int64  // end offset
}

// Record is one input record. Its slices alias the buffer of its Fetched.
type Record struct {
	Offset     int64
	Timestamp  int64 // ms since the epoch
	AppendTime bool  // Timestamp is the broker's clock, not the producer's
	Key        []byte
	Value      []byte
	Headers    []byte // as in the record: varint count, then per header varint-length key and value (KIP-98)
}

// Size is the record's in bytes, without what the log adds.
func (r *Record) Size() int { return len(r.Key) + len(r.Value) + len(r.Headers) }

// Clone copies the memory that r aliases.
func (r *Record) Clone() *Record {
	c := *r
	c.Key, c.Value, c.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), bytes.Clone(r.Headers)
	return &c
}

// Fetched is a reusable buffer for one answer of Fetch.
type Fetched struct {
	Records []Record
	Next    int64    // offset to fetch next
	End     int64    // end offset of the log as of this answer
	Stable  int64    // last stable offset: beyond it lie open transactions
	Markers []Marker // of transactions that have ended, in order

	Throttled bool // a quota let nothing through; End may have been found another way

	Raw      []byte // the answer's bytes, which Records alias
	Inflated []byte // decompressed batches, which Records alias
}

// Marker is where a transaction has ended, and when, by the broker's clock in ms since the epoch.
type Marker struct{ Offset, At int64 }

// Find says where the record at offset is among f.Records, which come in order of their offsets.
func (f *Fetched) Find(offset int64) (i int, found bool) {
	return slices.BinarySearchFunc(f.Records, offset, func(r Record, o int64) int { return cmp.Compare(r.Offset, o) })
}

// Publication is the content of one transaction.
type Publication struct {
	Offset   int64  // the group's offset moves here
	Metadata string // and has this metadata

	// Records are made while they are iterated, once; a record's memory is valid until the next. nil: none.
	Records iter.Seq[Outgoing]
}

// Outgoing is one record to publish.
type Outgoing struct {
	Topic     string
	Partition int32 // where to, or -1: by murmur2 of Key
	Key       []byte
	Value     []byte
	Headers   []byte // encoded as in Record.Headers; nil: none
	Timestamp int64  // ms since the epoch
}
