package deadletter

import (
	"bytes"

	"ebb/pipeline"
	"ebb/sinks/format"
)

// How much one transaction of a replay sends at most. With larger ones readers of the input wait longer. With smaller
// ones there are more transactions, and each waits until the one before it is completed.
const (
	ChunkRecords = 2_000
	chunkBytes   = 4 << 20
)

// chunk is the content of one transaction: records of one partition of the DLQ, copied, since the next fetch overwrites
// them.
type chunk struct {
	partition int32 // of the DLQ
	records   []pipeline.Outgoing
	ids       []format.ReplayID
	letters   []Letter // for the counts, without their bytes
	bytes     int
}

func (c *chunk) full() bool { return len(c.records) >= ChunkRecords || c.bytes >= chunkBytes }

func (c *chunk) add(l *Letter, id format.ReplayID) {
	out := l.Replay(l.At) // its headers are new
	out.Key, out.Value = bytes.Clone(out.Key), bytes.Clone(out.Value)
	l.Key, l.Value, l.Headers = out.Key, out.Value, nil
	c.partition, c.records, c.ids, c.letters = l.At.Partition, append(
		c.records,
		out,
	), append(
		c.ids,
		id,
	), append(
		c.letters,
		*l,
	)
	c.bytes += len(out.Key) + len(out.Value) + len(out.Headers)
}
