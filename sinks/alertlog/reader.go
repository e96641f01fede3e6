// Package alertlog reads published alerts back, committed ones only: for commands, and for whoever shows or sends them
// on.
package alertlog

import (
	"bytes"
	"context"
	"sync"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkascan"
	"ebb/pipeline/kafkawire"
)

// Reader reads every partition of a topic of alerts, each on a goroutine of its own.
type Reader struct {
	Client    *kafkawire.Client
	Topic     string
	FromStart bool // begin with the oldest alert, not with the next one
	UntilEnd  bool // stop at the end offsets found at the start

	// Patience is how long a reading that has an end goes on while brokers do not answer or hold records back. One without
	// an end goes on until it is stopped.
	Patience time.Duration

	// Retry is told what went wrong and is tried again, Lost which offsets [from, next) of a partition were deleted before
	// they were read. Both are optional, and called by one goroutine at a time.
	Retry func(error)
	Lost  func(partition int32, from, next int64)

	// Held is told what holds the reading up behind an open transaction. Optional, called like Retry.
	Held func(what string)

	telling sync.Mutex
}

// Read hands the values of all alerts to take, in the order of each partition. All alerts of a customer are in one
// partition, hence in order. It ends when every partition has ended, one fails, take does, or ctx ends; after its error
// take is not called again. caughtUp says that no other batch waits, so that what take holds back should be let go.
func (r *Reader) Read(ctx context.Context, partitions int32, take func(batch [][]byte, caughtUp bool) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	values := make(chan [][]byte, partitions)
	var reading sync.WaitGroup
	for partition := range partitions {
		reading.Go(func() {
			if err := r.readPartition(ctx, partition, values); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		reading.Wait()
		close(values)
	}()
	var failed error
	for batch := range values {
		if failed != nil {
			continue // until all have noticed
		}
		if failed = take(batch, len(values) == 0); failed != nil {
			cancel(failed)
		}
	}
	return context.Cause(ctx)
}

// readPartition sends the partition's values, those of an answer at a time.
func (r *Reader) readPartition(ctx context.Context, partition int32, values chan<- [][]byte) error {
	start, end, err := r.Client.Bounds(ctx, r.Topic, partition)
	if err != nil {
		return err
	}
	scan := kafkascan.Scan{
		Client: r.Client, Topic: r.Topic, Partition: partition, From: end, To: kafkascan.Endless,
		Retry: r.retry, Waiting: func(held *kafkascan.HeldUpError, _ time.Duration) error { r.held(held); return nil },
		Lost: func(from, next int64) { r.lost(partition, from, next) },
	}
	if r.FromStart {
		scan.From = start
	}
	if r.UntilEnd {
		scan.To, scan.Patience = end, r.Patience
	}
	var batch [][]byte
	scan.Record = func(record *pipeline.Record) error {
		if record.Value != nil { // a tombstone is no alert
			batch = append(batch, bytes.Clone(record.Value)) // the next answer overwrites it
		}
		return nil
	}
	scan.Answered = func(int64) error {
		if len(batch) == 0 {
			return nil
		}
		select {
		case values <- batch:
			batch = nil
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return scan.Run(ctx)
}

// retry passes on that brokers are asked again.
func (r *Reader) retry(err error) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Retry != nil {
		r.Retry(err)
	}
}

// held passes on what holds the reading up.
func (r *Reader) held(held *kafkascan.HeldUpError) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Held != nil {
		r.Held(held.Error())
	}
}

// lost passes on what was deleted.
func (r *Reader) lost(partition int32, from, next int64) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.Lost != nil {
		r.Lost(partition, from, next)
	}
}
