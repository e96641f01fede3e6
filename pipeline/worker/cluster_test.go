package worker_test

import (
	"bytes"
	"fmt"
	"slices"

	"ebb/pipeline"
)

// cluster is a Kafka of one input partition, one group and one transactional id, request by request: the effect of each
// message of a takeover, a fetch and a transaction when it arrives. It has no locks: requests arrive one at a time.
type cluster struct {
	records []pipeline.Record // the input; offsets have gaps for markers
	visible int64             // end offset so far
	first   int64             // the same, when the group first starts; 0: visible
	edge    int64             // no answer to a fetch crosses it
	second  bool              // transactions of version 2: every end gives a new epoch
	publish func(pipeline.Outgoing) error

	generation int // of the group; only its member may move the offset
	epoch      int // of the transactional id
	txn        *transaction
	committed  bool
	offset     int64
	metadata   string
}

// transaction is the one in progress.
type transaction struct {
	moves    bool // the offset
	offset   int64
	metadata string
	records  []pipeline.Outgoing
	decided  bool // committed, but its markers are still to be written: no reader sees it yet
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{pipeline.ErrFenced}, args...)...)
}

// confirm is a heartbeat.
func (c *cluster) confirm(generation int) error {
	if generation != c.generation {
		return refused("generation %d, now %d", generation, c.generation)
	}
	return nil
}

// initProducer ends the transaction in progress and fences earlier producers.
func (c *cluster) initProducer() (epoch int, err error) {
	if err := c.settle(); err != nil {
		return 0, err
	}
	c.txn = nil
	c.epoch++
	return c.epoch, nil
}

// settle writes the markers of a decided transaction. Requests that depend on them wait.
func (c *cluster) settle() error {
	if c.txn == nil || !c.txn.decided {
		return nil
	}
	t := c.txn
	c.txn = nil
	if t.moves {
		if c.committed && t.offset < c.offset {
			return fmt.Errorf("the position moves back from %d to %d", c.offset, t.offset)
		}
		c.committed, c.offset, c.metadata = true, t.offset, t.metadata
	}
	for _, r := range t.records {
		if err := c.publish(r); err != nil {
			return err
		}
	}
	return nil
}

// expire aborts a transaction that was left open for longer than its timeout.
func (c *cluster) expire() bool {
	if c.txn == nil || c.txn.decided {
		return false
	}
	c.txn = nil
	c.epoch++
	return true
}

func (c *cluster) producer(epoch int) error {
	if epoch != c.epoch {
		return refused("producer epoch %d, now %d", epoch, c.epoch)
	}
	return c.settle()
}

// addOffsets opens a transaction of version 1.
func (c *cluster) addOffsets(epoch int) error {
	if err := c.producer(epoch); err != nil {
		return err
	}
	if c.txn == nil {
		c.txn = &transaction{}
	}
	return nil
}

func (c *cluster) commitOffset(generation, epoch int, offset int64, metadata string) error {
	if err := c.confirm(generation); err != nil {
		return err
	}
	if err := c.producer(epoch); err != nil {
		return err
	}
	if c.txn == nil && !c.second {
		return refused("no transaction is open")
	}
	if c.txn == nil {
		c.txn = &transaction{}
	}
	c.txn.moves, c.txn.offset, c.txn.metadata = true, offset, metadata
	return nil
}

func (c *cluster) produce(epoch int, records []pipeline.Outgoing) error {
	if err := c.producer(epoch); err != nil {
		return err
	}
	if c.txn == nil {
		return refused("no transaction is open")
	}
	c.txn.records = append(c.txn.records, records...)
	return nil
}

// end decides a transaction and returns the epoch of the next one.
func (c *cluster) end(epoch int, commit bool) (next int, err error) {
	if err := c.producer(epoch); err != nil {
		return epoch, err
	}
	if c.txn == nil {
		return epoch, refused("no transaction is open")
	}
	c.txn.decided = commit
	if !commit {
		c.txn = nil
	}
	if c.second {
		c.epoch++
	}
	return c.epoch, nil
}

// position is an offset fetch that requires a stable one.
func (c *cluster) position() (pipeline.Position, error) {
	if err := c.settle(); err != nil {
		return pipeline.Position{}, err
	}
	if c.txn != nil && c.txn.moves {
		return pipeline.Position{}, fmt.Errorf("%w: a transaction holds the offset open", pipeline.ErrUnavailable)
	}
	p := pipeline.Position{Committed: c.committed, Offset: c.offset, Metadata: c.metadata, End: c.visible}
	if !c.committed && c.first > 0 {
		p.End = c.first
	}
	return p, nil
}

// fetch fills f with up to most offsets from offset on, as copies in one buffer that the next fetch overwrites.
func (c *cluster) fetch(offset, most int64, f *pipeline.Fetched) {
	f.Next, f.End, f.Stable, f.Throttled = min(c.visible, offset+most), c.visible, c.visible, false
	if offset < c.edge {
		f.Next = min(f.Next, c.edge)
	}
	f.Records, f.Raw = f.Records[:0], f.Raw[:0]
	from, _ := slices.BinarySearchFunc(
		c.records,
		offset,
		func(r pipeline.Record, o int64) int { return int(r.Offset - o) },
	)
	for _, r := range c.records[from:] {
		if r.Offset >= f.Next {
			break
		}
		f.Records, f.Raw = append(f.Records, r), append(f.Raw, r.Value...)
	}
	raw := f.Raw
	for i := range f.Records {
		r := &f.Records[i]
		r.Value, raw = raw[:len(r.Value):len(r.Value)], raw[len(r.Value):]
	}
}

// rendered makes the records of a publication, like a producer when it sends them.
func rendered(p *pipeline.Publication) (out []pipeline.Outgoing) {
	if p.Records == nil {
		return nil
	}
	for r := range p.Records {
		r.Key, r.Value, r.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), bytes.Clone(r.Headers)
		out = append(out, r)
	}
	return out
}
