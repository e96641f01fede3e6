package deadletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/format"
)

// ReplayOptions are what of a DLQ is replayed.
type ReplayOptions struct {
	Selection *Selection
	Force     bool // also records that the input's retention will delete at once
	DryRun    bool // nothing is changed, not even an open transaction in the DLQ
}

// Replay sends records of a DLQ to the input again, each once: the same transaction marks in the DLQ what it sends.
type Replay struct {
	*Queue
	Planned Replayed // what is to be sent

	opts     ReplayOptions
	limits   *connect.Limits // of the input
	producer *kafkawire.Producer
	chunk    chunk
	out      Replayed
}

// Replayed is the outcome of a replay, or its plan.
type Replayed struct {
	Topic    string           `json:"topic"` // the input
	DLQ      string           `json:"dlq"`
	Replayed int64            `json:"replayed"` // or to be, with --dry-run
	Bytes    int64            `json:"bytes"`    // of their keys and values
	Codes    map[string]int64 `json:"codes"`    // of them, by code
	Before   int64            `json:"already_replayed"`
	// of another topic, or of a partition that the input does not have
	Homeless int64   `json:"without_partition"`
	Foreign  int64   `json:"foreign"` // records in the DLQ that ebb did not put there
	Seconds  float64 `json:"seconds"`
	DryRun   bool    `json:"dry_run"`
	Complete bool    `json:"complete"`
}

// Plan counts what is to be sent. A transaction that is open in the DLQ is mostly that of a killed replay. Plan ends it
// at once, since the brokers would end it only after its timeout.
func (q *Queue) Plan(ctx context.Context, opts ReplayOptions) (_ *Replay, err error) {
	r := &Replay{Queue: q, opts: opts}
	if r.limits, err = connect.ReadLimits(ctx, q.client, q.cfg); err != nil {
		return nil, err
	}
	if err := r.count(ctx); err != nil {
		return nil, err
	}
	if !r.HeldUp() || opts.DryRun {
		return r, nil
	}
	if err := r.fence(ctx); err != nil {
		return nil, err
	}
	return r, r.count(ctx)
}

// count changes nothing.
func (r *Replay) count(ctx context.Context) error {
	r.Planned = r.empty()
	r.Planned.DryRun = r.opts.DryRun
	old := connect.Oldest{Topic: r.limits}
	again := map[format.ReplayID]struct{}{} // that two groups have quarantined
	foreign, err := r.Walk(ctx, r.opts.Selection, func(l *Letter) error {
		id := l.ID()
		if _, twice := again[id]; twice {
			l.Replayed = true
		}
		if !r.Planned.count(l, r.sendable(l)) {
			return nil
		}
		again[id] = struct{}{}
		if !r.opts.Force {
			old.Note(l.Timestamp, func() string { return l.Source.String() })
		}
		return nil
	})
	r.Planned.Foreign, r.Planned.Complete = foreign, true
	if err != nil {
		return err
	}
	return old.Refusal()
}

func (r *Replay) empty() Replayed {
	return Replayed{Topic: r.limits.Name, DLQ: r.Name, Codes: map[string]int64{}}
}

// sendable reports whether the input has the partition that the record came from.
func (r *Replay) sendable(l *Letter) bool {
	return l.Source.Topic == r.limits.Name && l.Source.Partition < r.limits.Partitions
}

// count takes in a record and reports whether it is to be sent.
func (s *Replayed) count(l *Letter, sendable bool) bool {
	switch {
	case l.Replayed:
		s.Before++
		return false
	case !sendable:
		s.Homeless++
		return false
	}
	s.Replayed, s.Bytes = s.Replayed+1, s.Bytes+int64(len(l.Key)+len(l.Value))
	s.Codes[l.Code]++
	return true
}

// Send carries out the plan. The outcome is how far it came, also where there is an error.
func (r *Replay) Send(ctx context.Context) (*Replayed, error) {
	began := time.Now()
	r.out = r.empty()
	err := r.send(ctx)
	r.out.Seconds, r.out.Complete = time.Since(began).Seconds(), err == nil
	return &r.out, r.explain(ctx, err)
}

// send takes the DLQ over from every other replay, then sends what is not marked yet, a chunk in each transaction.
func (r *Replay) send(ctx context.Context) error {
	if err := r.takeOver(ctx); err != nil {
		return err
	}
	r.begin("sending to "+r.limits.Name, r.size())
	foreign, err := r.walkMarked(ctx, r.opts.Selection, func(l *Letter) error {
		if l.Replayed || !r.sendable(l) {
			r.out.count(l, false)
			return nil
		}
		id := l.ID()
		r.marked[id] = struct{}{} // for its double, which another group has quarantined
		if r.chunk.partition != l.At.Partition || r.chunk.full() {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
		r.chunk.add(l, id)
		return nil
	})
	r.out.Foreign = foreign
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

// takeOver fences all other replays of the DLQ, and reads the marks added since the plan was made.
func (r *Replay) takeOver(ctx context.Context) error {
	if err := r.fence(ctx); err != nil {
		return err
	}
	now, err := r.bounds(ctx)
	if err != nil {
		return err
	}
	r.begin("", 0)
	return r.readMarks(ctx, r.held.ends, func(n int32) int64 { return now.ends[n] })
}

// fence stops every other replay of this DLQ. What it has committed stays sent and marked, its open transaction is
// aborted, and it can send nothing more.
func (r *Replay) fence(ctx context.Context) error {
	if r.patient {
		return nil // done
	}
	r.patient = true
	topic, err := r.client.TopicConfig(ctx, r.Name)
	if err != nil {
		return connect.Explain(err, r.cfg)
	}
	r.producer, err = r.client.NewProducer(kafkawire.ProducerConfig{
		TransactionalID: TransactionalID(r.Name), Timeout: r.cfg.Kafka.TransactionTimeout,
		MaxRequest: min(900_000, r.limits.Config.MaxMessageBytes, topic.MaxMessageBytes),
	})
	if err != nil {
		return err
	}
	err = r.producer.Init(ctx)
	switch {
	case errors.Is(err, kafkawire.TransactionDenied):
		return connect.NotAllowed("transactional id "+TransactionalID(r.Name), kafkawire.Write)
	case err != nil:
		return connect.Explain(err, r.cfg)
	}
	return nil
}

// TransactionalID is the transactional id of every replay of a DLQ, whatever its group.
func TransactionalID(dlq string) string { return "ebb-replay/" + dlq }

// commitWithin bounds one transaction, also one under way at Ctrl-C. That one is ended in order, because an open
// transaction holds up every reader of the input.
const commitWithin = 30 * time.Second

// flush sends the chunk with its mark in one transaction.
func (r *Replay) flush(ctx context.Context) error {
	c := &r.chunk
	if len(c.records) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	records := append(c.records, format.Mark(r.Name, c.partition, c.ids, time.Now().UnixMilli()))
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	if err := r.producer.Commit(within, &kafkawire.Transaction{Records: slices.Values(records)}); err != nil {
		return err
	}
	for _, l := range c.letters {
		r.out.count(&l, true)
	}
	*c = chunk{partition: c.partition}
	return nil
}

// explain words what became of the rest.
func (r *Replay) explain(ctx context.Context, err error) error {
	var stop *pipeline.HardStop
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return fmt.Errorf("%w: %s replayed", context.Cause(ctx), advice.Count(r.out.Replayed, "record"))
	case errors.Is(err, pipeline.ErrFenced):
		return advice.Add(errors.New("another ebb dlq replay of this DLQ has taken over"),
			"what this one had sent stays sent; run it again when the other is through")
	case errors.As(err, new(*pipeline.Denied)):
		return err
	case errors.As(err, &stop):
		return advice.Add(errors.New(stop.Detail), "topic %s does not take a record that it held before: look at its "+
			"max.message.bytes, message.timestamp.before.max.ms and message.timestamp.after.max.ms", r.limits.Name)
	case errors.Is(err, pipeline.ErrUnavailable):
		return advice.Add(err, "run it again: what was sent is known by its mark, also where the answer was lost")
	}
	return err
}
