package worker

import (
	"sync"

	"ebb/pipeline/line"
)

// Folded counts the events folded, over all partitions since the start, and those of them that may be a sender's mistake.
type Folded struct {
	Events    uint64
	Unnamed   uint64 // whose type the pack does not name
	BySubject uint64 // whose customer is a CloudEvent's subject
}

// foldedCount is the count that all workers add to.
type foldedCount struct {
	mu sync.Mutex
	n  Folded
}

func (c *foldedCount) add(t *line.Tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n.Events += t.Records - t.Duplicates - t.AllQuarantined()
	c.n.Unnamed += t.Unnamed
	c.n.BySubject += t.BySubject
}

// Folded counts the events folded over all partitions since the start.
func (m *Metrics) Folded() Folded {
	m.folded.mu.Lock()
	defer m.folded.mu.Unlock()
	return m.folded.n
}
