package format

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
)

// Headers of a record that was sent again, behind its own. They are a contract. They stay with it, so that one that is
// quarantined again shows how often it has been tried.
const (
	headerReplayFrom   = "ebb.replay.from"   // its place in the DLQ
	headerReplaySource = "ebb.replay.source" // its place in the input when it was quarantined
	headerReplayCount  = "ebb.replay.count"  // how often it has been sent again, this time included
	headerReplayMark   = "ebb.replay.mark"   // of the record in the DLQ that says what was sent again: its format
)

// markFormat is the format of the marks that this build writes and reads.
const markFormat = "1"

// MarkLimit is how many records one mark names at most, so that it stays far below what a topic takes.
const MarkLimit = 10_000

// Replay is the record to send again from its place in the DLQ: as it was in the input, to the partition that it stood
// in, and marked. What it aliases is q's.
func (q *Quarantined) Replay(from Place) pipeline.Outgoing {
	headers := append(slices.Clone(q.Headers),
		header(headerReplayFrom, from.String()),
		header(headerReplaySource, q.Source.String()),
		header(headerReplayCount, strconv.Itoa(q.Replays+1)),
	)
	return pipeline.Outgoing{
		Topic: q.Source.Topic, Partition: q.Source.Partition, Key: q.Key, Value: q.Value, Timestamp: q.Timestamp,
		Headers: kafkabatch.AppendHeaders(nil, nil, headers...),
	}
}

// takeReplay takes the marking of an earlier replay, which stands last, off the record's own headers.
func (q *Quarantined) takeReplay() {
	n := len(q.Headers) - 3
	if n < 0 || q.Headers[n].Key != headerReplayFrom || q.Headers[n+1].Key != headerReplaySource ||
		q.Headers[n+2].Key != headerReplayCount {
		return
	}
	count, err := strconv.Atoi(string(q.Headers[n+2].Value))
	if err != nil || count < 1 {
		return
	}
	q.Replays, q.From, q.Headers = count, string(q.Headers[n].Value), q.Headers[:n:n]
}

// Mark is the record that says, in the partition of the DLQ that holds them, which records were sent again. It goes in
// the transaction that sends them. at is now, in ms since the epoch.
func Mark(dlq string, partition int32, ids []ReplayID, at int64) pipeline.Outgoing {
	var b []byte
	for _, id := range ids {
		b = fmt.Appendf(b, "%d@%d %016x\n", id.Partition, id.Offset, id.Sum)
	}
	return pipeline.Outgoing{
		Topic: dlq, Partition: partition, Value: b, Timestamp: at,
		Headers: kafkabatch.AppendHeaders(nil, nil, header(headerReplayMark, markFormat)),
	}
}

var errMark = errors.New("the DLQ holds a mark of replayed records that this build does not read")

// ReadMark reads a record of a DLQ that may be a mark. ok is false where it is none. Whoever sends records to the input
// may give them any header; but what was quarantined has others behind them. Errors: the mark is a newer ebb's, or
// damaged.
func ReadMark(r *pipeline.Record) (ids []ReplayID, ok bool, err error) {
	if !bytes.Contains(r.Headers, []byte(headerReplayMark)) {
		return nil, false, nil
	}
	format, n := "", 0
	for key, value := range kafkabatch.Headers(r.Headers) {
		if string(key) == headerReplayMark {
			format = string(value)
		}
		n++
	}
	if n != 1 || format == "" {
		return nil, false, nil
	}
	if format != markFormat {
		return nil, true, fmt.Errorf("%w: format %.20q at offset %d", errMark, format, r.Offset)
	}
	for line := range strings.Lines(string(r.Value)) {
		id, err := readReplayID(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, true, fmt.Errorf("%w: %.80q at offset %d", errMark, line, r.Offset)
		}
		ids = append(ids, id)
	}
	return ids, true, nil
}

// readReplayID reads one line of a mark.
func readReplayID(line string) (id ReplayID, err error) {
	place, sum, _ := strings.Cut(line, " ")
	partition, offset, _ := strings.Cut(place, "@")
	p, err1 := strconv.ParseInt(partition, 10, 32)
	o, err2 := strconv.ParseInt(offset, 10, 64)
	s, err3 := strconv.ParseUint(sum, 16, 64)
	return ReplayID{Partition: int32(p), Offset: o, Sum: s}, errors.Join(err1, err2, err3)
}
