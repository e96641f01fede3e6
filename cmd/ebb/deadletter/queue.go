package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
	"ebb/sinks/format"
)

// Queue is the DLQ of an input, or the topic of undelivered alerts, with the content it had when it was opened. One
// goroutine uses it.
type Queue struct {
	Name string // of the topic

	cfg        *config.Config
	client     *kafkawire.Client
	partitions int32
	held       bounds // of what is read
	marked     map[format.ReplayID]struct{}
	ended      map[int32][]pipeline.Marker // transactions, of each partition
	erased     map[int32][]erasure         // by partition of the input

	// wait for the records behind an open transaction, rather than leave them out
	patient bool

	progress    func(what string, done, total int64)
	work        string // what progress is about
	done, total int64
}

// bounds are the offsets that each partition of a topic holds.
type bounds struct{ from, ends, stable []int64 }

// patience is how long a reading waits for records behind an open transaction.
const patience = 30 * time.Second

// Open finds the topic and its bounds, where the user may do what the caller needs. progress is optional: it gets the
// name of the work under way, and how many of how many records are done. The caller closes the queue unless there is an
// error.
func Open(
	ctx context.Context,
	cfg *config.Config,
	name string,
	progress func(what string, done, total int64),
	needs ...kafkawire.Operation,
) (_ *Queue, err error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	q := &Queue{
		cfg:      cfg,
		Name:     name,
		marked:   map[format.ReplayID]struct{}{},
		ended:    map[int32][]pipeline.Marker{},
		erased:   map[int32][]erasure{},
		progress: progress,
	}
	if q.client, err = connect.Kafka(
		cfg,
		append([]string{cfg.Kafka.Input, q.Name}, cfg.Kafka.AllControl()...)...); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			q.client.Close()
		}
	}()
	topic, err := connect.FindTopic(ctx, q.client, cfg, q.Name, needs...)
	if err != nil {
		return nil, err
	}
	q.partitions = topic.Partitions
	if q.held, err = q.bounds(ctx); err != nil {
		return nil, err
	}
	return q, q.readErasures(ctx)
}

// Close closes the connections.
func (q *Queue) Close() { q.client.Close() }

// bounds is what each partition holds now.
func (q *Queue) bounds(ctx context.Context) (b bounds, err error) {
	b = bounds{make([]int64, q.partitions), make([]int64, q.partitions), make([]int64, q.partitions)}
	for n := range q.partitions {
		if b.from[n], b.ends[n], err = q.client.Bounds(ctx, q.Name, n); err != nil {
			return b, connect.Explain(err, q.cfg)
		}
		if b.stable[n], err = q.client.StableEnd(ctx, q.Name, n); err != nil {
			return b, connect.Explain(err, q.cfg)
		}
	}
	return b, nil
}

// HeldUp reports whether a transaction is open in the DLQ, so that the records behind it are left out.
func (q *Queue) HeldUp() bool {
	for n := range q.partitions {
		if !q.patient && q.held.stable[n] < q.held.ends[n] {
			return true
		}
	}
	return false
}

// end is where the reading of a partition ends.
func (q *Queue) end(n int32) int64 {
	if q.patient {
		return q.held.ends[n]
	}
	return min(q.held.stable[n], q.held.ends[n])
}

// Letter is one quarantined record and its place.
type Letter struct {
	format.Quarantined
	At       format.Place
	Replayed bool  // it was sent again
	Since    int64 // when it was quarantined, ms since the epoch
}

// Walk reads the marks first, then hands the records of the selection to each, partition by partition in their order.
// The memory that a record aliases is valid until each returns. It counts the records that ebb did not put there.
func (q *Queue) Walk(ctx context.Context, s *Selection, each func(*Letter) error) (foreign int64, err error) {
	q.begin("reading "+q.Name, 2*q.size())
	if err := q.readMarks(ctx, q.held.from, q.end); err != nil {
		return 0, err
	}
	return q.walkMarked(ctx, s, each)
}

// walkMarked is Walk after the marks were read.
func (q *Queue) walkMarked(ctx context.Context, s *Selection, each func(*Letter) error) (foreign int64, err error) {
	for n := range q.partitions {
		from, end := s.Within(n, q.held.from[n], q.end(n))
		err := q.scan(ctx, n, from, end, nil, func(r *pipeline.Record) error {
			quarantined, ok := format.ReadQuarantined(r)
			if !ok {
				if _, mark, _ := format.ReadMark(r); !mark { // its errors were reported when the marks were read
					foreign++
				}
				return nil
			}
			l := Letter{
				Quarantined: quarantined, At: format.Place{Topic: q.Name, Partition: n, Offset: r.Offset}, Since: q.since(n, r),
			}
			if !s.Takes(&l) || q.hides(&l) {
				return nil
			}
			_, l.Replayed = q.marked[quarantined.ID()]
			return each(&l)
		})
		if err != nil {
			return foreign, err
		}
	}
	return foreign, nil
}

// since is when a record came into partition n: before the next end of a transaction there, and behind the one before.
// The record's own timestamp is its event's. Where no transaction ends behind it, as in a copy of the topic, there is
// only that.
func (q *Queue) since(n int32, r *pipeline.Record) int64 {
	if r.AppendTime {
		return r.Timestamp // the topic has its brokers' clock
	}
	ended := q.ended[n]
	i, _ := slices.BinarySearchFunc(ended, r.Offset, func(m pipeline.Marker, offset int64) int {
		return cmp.Compare(m.Offset, offset)
	})
	if i == len(ended) || ended[i].At <= 0 {
		return r.Timestamp
	}
	return ended[i].At
}

// size is how many records there are to read, as far as offsets tell.
func (q *Queue) size() (records int64) {
	for n := range q.partitions {
		records += q.end(n) - q.held.from[n]
	}
	return records
}

// readMarks learns which records were sent again, and when transactions ended.
func (q *Queue) readMarks(ctx context.Context, from []int64, end func(int32) int64) error {
	for n := range q.partitions {
		err := q.scan(ctx, n, from[n], end(n), q.noteEnd(n), func(r *pipeline.Record) error {
			ids, _, err := format.ReadMark(r)
			if err != nil {
				return advice.Add(
					fmt.Errorf("%s/%d: %w", q.Name, n, err),
					"use the newest ebb that has replayed records of this topic",
				)
			}
			for _, id := range ids {
				q.marked[id] = struct{}{}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noteEnd notes ends of transactions in a partition.
func (q *Queue) noteEnd(partition int32) func(pipeline.Marker) {
	return func(m pipeline.Marker) {
		if all := q.ended[partition]; len(all) == 0 || all[len(all)-1].Offset < m.Offset {
			q.ended[partition] = append(all, m)
		}
	}
}

// scan reads the committed records of a partition in [from, end), and tells marker, if there is one, where transactions
// ended.
func (q *Queue) scan(
	ctx context.Context, partition int32, from, end int64, marker func(pipeline.Marker), each func(*pipeline.Record) error,
) error {
	var own error // of each, which is nothing of Kafka's
	s := kafkascan.Scan{
		Client: q.client, Topic: q.Name, Partition: partition, From: from, To: end, Patience: patience, Marker: marker,
		Record: func(r *pipeline.Record) error {
			own = each(r)
			return own
		},
		Answered: func(next int64) error {
			q.add(next - from)
			from = next
			return nil
		},
		Lost: func(_, next int64) { from = next }, // retention has deleted them
	}
	err := s.Run(ctx)
	if err == nil || own != nil || ctx.Err() != nil || errors.As(err, new(*kafkascan.HeldUpError)) {
		return err
	}
	return connect.Explain(err, q.cfg)
}

// begin reports a work of so many records.
func (q *Queue) begin(what string, total int64) {
	q.work, q.done, q.total = what, 0, total
	q.progress(q.work, q.done, q.total)
}

// add reports that n more are done.
func (q *Queue) add(n int64) {
	q.done = min(q.total, q.done+n)
	if q.total > 0 {
		q.progress(q.work, q.done, q.total)
	}
}
