// Package produce sends event logs to the input topic, in the order of their lines, each record to the partition of its
// customer.
package produce

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

// lane sends the records of one partition. A batch fills while the one before it is on its way, so that order is kept
// and neither side waits for the other.
type lane struct {
	appender     *kafkawire.Appender
	acknowledged atomic.Int64
	bytes        atomic.Int64 // of what is acknowledged

	mu      sync.Mutex
	changed *sync.Cond // there is room, something to send, or the end
	filling laneBatch
	sending laneBatch // belongs to the sender
	added   int64
	since   time.Time // when the first record came into filling
	closed  bool
	err     error // the lane has failed
}

// laneBatch is records whose bytes stand one after another in one buffer.
type laneBatch struct {
	data    []byte
	records []pipeline.Outgoing
}

// A batch is sent when it has so many bytes, or when its first record has waited so long.
const (
	laneBytes  = 768 << 10
	laneLinger = 10 * time.Millisecond

	// drainTimeout is how long the records read before Ctrl-C may take to be acknowledged.
	drainTimeout = 5 * time.Second
)

// Lanes are the lanes of all partitions of a topic.
type Lanes struct {
	all     []*lane
	senders sync.WaitGroup
	cancel  context.CancelFunc
	headers []byte // of every record; nil: none
}

// MarkBackfill gives all records from here on the header of a backfill.
func (s *Lanes) MarkBackfill() {
	s.headers = kafkabatch.AppendHeaderCount(nil, 1)
	s.headers = kafkabatch.AppendHeader(s.headers, pipeline.BackfillHeader, pipeline.BackfillValue)
}

// Open starts a sender for each partition of a topic. The caller closes the lanes.
func Open(ctx context.Context, client *kafkawire.Client, topic *connect.Limits) (*Lanes, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lanes := &Lanes{cancel: cancel}
	for i := range topic.Partitions {
		appender, err := client.NewAppender(ctx, kafkawire.AppenderConfig{
			Topic: topic.Name, Partition: i, MaxRequest: min(laneBytes+laneBytes/8, topic.Config.MaxMessageBytes),
		})
		if err != nil {
			cancel()
			return nil, err
		}
		l := &lane{appender: appender}
		l.changed = sync.NewCond(&l.mu)
		lanes.all = append(lanes.all, l)
	}
	for _, l := range lanes.all {
		lanes.senders.Go(func() { l.run(ctx) })
	}
	return lanes, nil
}

// Add hands a record to the lane of its key, and waits while the lane is full. It returns the lane's failure. stamp is
// the record's timestamp, in ms since the epoch. One goroutine may call it at a time.
func (s *Lanes) Add(key, value []byte, stamp int64) error {
	return s.all[kafkawire.Partition(key, int32(len(s.all)))].add(pipeline.Outgoing{
		Key: key, Value: value, Headers: s.headers, Timestamp: stamp,
	})
}

// Close ends the senders and returns the first failure. The added records are sent first, for a bounded time if cause
// is a signal.
func (s *Lanes) Close(cause error) error {
	defer s.cancel()
	if errors.As(cause, new(advice.Stopped)) {
		defer time.AfterFunc(drainTimeout, s.cancel).Stop()
	}
	for _, l := range s.all {
		l.close()
	}
	s.senders.Wait()
	for _, l := range s.all {
		if l.err != nil {
			return l.err
		}
	}
	return nil
}

// Acknowledged is how many records the brokers have acknowledged.
func (s *Lanes) Acknowledged() (events int64) {
	for _, l := range s.all {
		events += l.acknowledged.Load()
	}
	return events
}

// add copies a record into the filling batch, and waits while the batch is full. It returns the lane's failure.
func (l *lane) add(r pipeline.Outgoing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && len(l.filling.data) >= laneBytes {
		l.changed.Wait()
	}
	if l.err != nil {
		return l.err
	}
	if len(l.filling.records) == 0 {
		l.since = time.Now()
		l.changed.Broadcast()
	}
	l.filling.add(r)
	l.added++
	if len(l.filling.data) >= laneBytes {
		l.changed.Broadcast()
	}
	return nil
}

func (b *laneBatch) add(r pipeline.Outgoing) {
	at := len(b.data)
	b.data = append(append(b.data, r.Key...), r.Value...)
	mid, end := at+len(r.Key), len(b.data)
	r.Key, r.Value = b.data[at:mid:mid], b.data[mid:end:end]
	b.records = append(b.records, r)
}

func (b *laneBatch) reset() { b.data, b.records = b.data[:0], b.records[:0] }

// run sends batch after batch until the lane is closed and empty, or fails.
func (l *lane) run(ctx context.Context) {
	for l.take() {
		n, err := l.appender.Append(ctx, l.sending.records)
		l.acknowledged.Add(int64(n))
		l.bytes.Add(size(l.sending.records[:n]))
		if err != nil {
			l.fail(err)
			return
		}
	}
}

// take waits for a batch that is due and hands it to the sender. It returns false at the end.
func (l *lane) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed && len(l.filling.data) < laneBytes {
		if len(l.filling.records) == 0 {
			l.changed.Wait()
			continue
		}
		rest := time.Until(l.since.Add(laneLinger))
		if rest <= 0 {
			break
		}
		wake := time.AfterFunc(rest, l.wake)
		l.changed.Wait()
		wake.Stop()
	}
	l.sending, l.filling = l.filling, l.sending
	l.filling.reset()
	l.changed.Broadcast()
	return len(l.sending.records) > 0
}

// wake signals the sender. It takes the lock, so that the signal cannot come between the sender's check and its wait.
func (l *lane) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Broadcast()
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.changed.Broadcast()
}

func (l *lane) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.changed.Broadcast()
}

// unknown is how many records were added and never acknowledged. It may be called when the senders have ended.
func (l *lane) unknown() int64 { return l.added - l.acknowledged.Load() }

func size(records []pipeline.Outgoing) (bytes int64) {
	for i := range records {
		bytes += int64(len(records[i].Key) + len(records[i].Value))
	}
	return bytes
}
