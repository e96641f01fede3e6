package replay

import (
	"context"
	"fmt"
	"sync"

	"github.com/cespare/xxhash/v2"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/scoring/alert"
	"ebb/sinks/format"
)

// published are the group's alerts, by id, and what a replay has decided of them. Any goroutine may use it.
type published struct {
	mu     sync.Mutex
	alerts map[string]entry
	counts Counts
	apart  map[Kind][]Difference // the first of each
	most   int                   // of each
}

// entry is a published alert.
type entry struct {
	hash    uint64 // of its bytes
	covered bool   // its publication is known to lie below the offsets that the replay ends at
	decided bool   // by the replay, too
}

// span is a part of a topic.
type span struct {
	topic               kafkawire.Topic
	start, covered, end []int64 // by partition
}

// records is how many there are in the span.
func (s *span) records() (n int64) {
	for i := range s.end {
		n += s.end[i] - s.start[i]
	}
	return n
}

// bounds are the ends of the alert topic's partitions at present.
func bounds(ctx context.Context, c *kafkawire.Client, topic kafkawire.Topic) (starts, ends []int64, err error) {
	for n := range topic.Partitions {
		start, end, err := c.StableBounds(ctx, topic.Name, n)
		if err != nil {
			return nil, nil, fmt.Errorf("find the end of %s/%d: %w", topic.Name, n, err)
		}
		starts, ends = append(starts, start), append(ends, end)
	}
	return starts, ends, nil
}

// read notes the alerts of a source.
func (p *published) read(
	ctx context.Context,
	c *kafkawire.Client,
	spans []span,
	source string,
	read func(int64),
) error {
	return each(ctx, c, spans, source, func(r *pipeline.Record, id string, covered bool) error {
		before, again := p.alerts[id]
		if again {
			p.note(Difference{Kind: Twice, ID: id})
		}
		p.alerts[id] = entry{hash: xxhash.Sum64(r.Value), covered: covered || before.covered}
		if covered {
			p.counts.Published++
		}
		read(1)
		return nil
	})
}

// each hands the alerts of a source in some spans to take.
func each(
	ctx context.Context, c *kafkawire.Client, spans []span, source string,
	take func(r *pipeline.Record, id string, covered bool) error,
) error {
	for i := range spans {
		s := &spans[i]
		for n := range s.end {
			scan := kafkascan.Scan{
				Client: c, Topic: s.topic.Name, Partition: int32(n), From: s.start[n], To: s.end[n], Patience: patience,
				Record: func(r *pipeline.Record) error {
					if id, from := format.Origin(r.Headers); len(id) > 0 && string(from) == source {
						return take(r, string(id), r.Offset < s.covered[n])
					}
					return nil
				},
			}
			if err := scan.Run(ctx); err != nil {
				return fmt.Errorf("read %s/%d: %w", s.topic.Name, n, err)
			}
		}
	}
	return nil
}

// decided compares a decision of the replay with what was published.
func (p *published) decided(id alert.ID, value []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Replayed++
	e, ok := p.alerts[id.String()]
	switch {
	case !ok:
		p.note(Difference{Kind: Extra, ID: id.String(), Replayed: string(value)})
		return
	case e.hash != xxhash.Sum64(value):
		p.note(Difference{Kind: Changed, ID: id.String(), Replayed: string(value)})
	default:
		p.counts.Same++
	}
	e.decided = true
	p.alerts[id.String()] = e
}

// finish notes what the replay did not decide.
func (p *published) finish() {
	for id, e := range p.alerts {
		if e.covered && !e.decided {
			p.note(Difference{Kind: Missing, ID: id})
		}
	}
}

// note counts a difference, and keeps the first ones.
func (p *published) note(d Difference) {
	switch d.Kind {
	case Extra:
		p.counts.Extra++
	case Missing:
		p.counts.Missing++
	case Twice:
		p.counts.Twice++
	default:
		p.counts.Changed++
	}
	if len(p.apart[d.Kind]) < p.most {
		p.apart[d.Kind] = append(p.apart[d.Kind], d)
	}
}
