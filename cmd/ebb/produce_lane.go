package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// lane is the way of one partition: a batch that fills while the one before it is on its way, so that order is kept and
// neither side waits for the other.
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

// How a batch grows: it goes when it has so many bytes, or when its first record has waited so long.
const (
	laneBytes  = 768 << 10
	laneLinger = 10 * time.Millisecond

	// drainTimeout is how long what was read before Ctrl-C may take to be acknowledged.
	drainTimeout = 5 * time.Second
)

// startLanes starts a sender for each partition. stop ends them: what was added is sent first, for a bounded time if the
// context has ended; it returns the first failure.
func startLanes(ctx context.Context, client *kafkawire.Client, topic *connect.Limits) (lanes []*lane, stop func(cause error) error, err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	for i := range topic.Partitions {
		appender, err := client.NewAppender(ctx, kafkawire.AppenderConfig{
			Topic: topic.Name, Partition: i, MaxRequest: min(laneBytes+laneBytes/8, topic.Config.MaxMessageBytes),
		})
		if err != nil {
			cancel()
			return nil, nil, err
		}
		l := &lane{appender: appender}
		l.changed = sync.NewCond(&l.mu)
		lanes = append(lanes, l)
	}
	var senders sync.WaitGroup
	for _, l := range lanes {
		senders.Go(func() { l.run(ctx) })
	}
	return lanes, func(cause error) error {
		defer cancel()
		if errors.As(cause, new(advice.Stopped)) {
			defer time.AfterFunc(drainTimeout, cancel).Stop()
		}
		for _, l := range lanes {
			l.close()
		}
		senders.Wait()
		return firstError(lanes)
	}, nil
}

func firstError(lanes []*lane) error {
	for _, l := range lanes {
		if l.err != nil {
			return l.err
		}
	}
	return nil
}

// add copies a record into the filling batch, and waits while that is full. It returns the lane's failure.
func (l *lane) add(key, value []byte, stamp int64) error {
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
	l.filling.add(key, value, stamp)
	l.added++
	if len(l.filling.data) >= laneBytes {
		l.changed.Broadcast()
	}
	return nil
}

func (b *laneBatch) add(key, value []byte, stamp int64) {
	at := len(b.data)
	b.data = append(append(b.data, key...), value...)
	mid, end := at+len(key), len(b.data)
	b.records = append(b.records, pipeline.Outgoing{Key: b.data[at:mid:mid], Value: b.data[mid:end:end], Timestamp: stamp})
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

// take waits for a batch worth sending and makes it the sender's. It returns false at the end.
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

// wake has the sender look again. It takes the lock, so that it cannot come between the look and the wait.
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

// unknown is how many records were added and never acknowledged. Call it when the senders have ended.
func (l *lane) unknown() int64 { return l.added - l.acknowledged.Load() }

func size(records []pipeline.Outgoing) (bytes int64) {
	for i := range records {
		bytes += int64(len(records[i].Key) + len(records[i].Value))
	}
	return bytes
}

// pace holds a rate: the n-th event is due n/perSecond after the start.
type pace struct {
	perSecond float64 // 0: no limit
	start     time.Time
	n         int64
}

// wait returns when the next event is due, or the reason why ctx ended.
func (p *pace) wait(ctx context.Context) error {
	if p.perSecond == 0 {
		return nil
	}
	due := p.start.Add(time.Duration(float64(p.n) / p.perSecond * float64(time.Second)))
	p.n++
	early := time.Until(due)
	if early < time.Millisecond {
		return nil
	}
	t := time.NewTimer(early)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
