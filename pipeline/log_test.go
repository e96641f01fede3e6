package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ebb/pipeline"
)

// broker is one partition of a Kafka topic in memory, with the group's offset and what was published: the contract of
// pipeline.Log to the letter, for tests of the line.
type broker struct {
	mu        sync.Mutex
	records   []pipeline.Record
	start     int64
	epoch     int // of the transactional id
	committed bool
	offset    int64
	metadata  string
	published []pipeline.Outgoing // visible to readers of committed data
	inject    func(step pipeline.Step) fault
}

// fault is what becomes of a request.
type fault int

const (
	none fault = iota
	lost       // does not arrive
	deaf       // takes effect, its answer is lost
)

// memLog is one owner's access to a broker.
type memLog struct {
	*broker
	mine   int // epoch that Init gave
	size   *rand.Rand
	fenced bool // the group has given the partition to somebody else
}

var errInjected = fmt.Errorf("%w: injected", pipeline.ErrUnavailable)

func (b *broker) open(seed uint64) *memLog {
	return &memLog{broker: b, size: rand.New(rand.NewPCG(seed, 1))}
}

func (b *broker) fault(s pipeline.Step) fault {
	if b.inject == nil {
		return none
	}
	return b.inject(s)
}

func (l *memLog) Init(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fenced {
		return fmt.Errorf("%w: not in this generation", pipeline.ErrFenced)
	}
	f := l.fault(pipeline.StepInit)
	if f == lost {
		return errInjected
	}
	l.epoch++
	if f == deaf {
		return errInjected
	}
	l.mine = l.epoch
	return nil
}

func (l *memLog) Position(context.Context) (pipeline.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault(pipeline.StepPosition) != none {
		return pipeline.Position{}, errInjected
	}
	return pipeline.Position{
		Committed: l.committed, Offset: l.offset, Metadata: l.metadata, LogStart: l.start, End: int64(len(l.records)),
	}, nil
}

func (l *memLog) Fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.Records = f.Records[:0]
	f.Next, f.End, f.Stable = offset, int64(len(l.records)), int64(len(l.records))
	if offset < l.start {
		return pipeline.ErrOutOfRange
	}
	if offset == f.End {
		l.mu.Unlock()
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
		l.mu.Lock()
		return ctx.Err()
	}
	f.Next = min(f.End, offset+1+int64(l.size.IntN(40)))
	f.Raw = f.Raw[:0]
	for _, r := range l.records[offset:f.Next] {
		f.Raw = append(f.Raw, r.Value...) // as a real fetch: records alias a buffer that the next fetch overwrites
	}
	raw := f.Raw
	for _, r := range l.records[offset:f.Next] {
		r.Value, raw = raw[:len(r.Value):len(r.Value)], raw[len(r.Value):]
		f.Records = append(f.Records, r)
	}
	return nil
}

func (l *memLog) Publish(_ context.Context, p *pipeline.Publication) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	step := pipeline.StepPublish
	if m, err := pipeline.ParseMark(p.Offset, p.Metadata); err == nil && m.Fresh {
		step = pipeline.StepStart
	}
	f := l.fault(step)
	if l.mine != l.epoch || l.fenced {
		return fmt.Errorf("%w: producer epoch %d, now %d", pipeline.ErrFenced, l.mine, l.epoch)
	}
	if f == lost {
		return errInjected
	}
	if l.committed && p.Offset < l.offset {
		panic(fmt.Sprintf("the position moves back from %d to %d", l.offset, p.Offset))
	}
	l.committed, l.offset, l.metadata = true, p.Offset, p.Metadata
	if p.Records != nil {
		for r := range p.Records {
			r.Key, r.Value, r.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), bytes.Clone(r.Headers)
			l.published = append(l.published, r)
		}
	}
	if f == deaf {
		l.mine = -1
		return errInjected
	}
	return nil
}
