package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/oracle"
)

// feed writes the shop's records to the input: three in four customers' in transactions, the others' plainly and while
// a transaction is open. Some transactions are aborted, some stay open for a while. The content and order of the log
// are read from the log itself afterwards: a transaction with an unclear end is written again.
type feed struct {
	shop   *shop
	r      *rand.Rand
	broker string
	rate   int  // records per second
	aborts bool // some transactions

	plain, transactions *kgo.Client
	sent, aborted       atomic.Int64 // records
	failed              atomic.Int64 // attempts that were repeated
}

func newFeed(o *options, broker string) *feed {
	return &feed{
		shop:   newShop(o.seed, o.customers),
		r:      rand.New(rand.NewPCG(o.seed, 3)),
		broker: broker,
		rate:   o.rate,
		aborts: o.aborts,
	}
}

// tick is how often a batch is written.
const tick = 100 * time.Millisecond

// run writes until stop is closed, on average at the rate: what an outage delayed is written after it.
func (f *feed) run(ctx context.Context, stop <-chan struct{}) error {
	defer f.close()
	began := time.Now()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		due := int(float64(f.rate)*time.Since(began).Seconds()) - int(f.sent.Load())
		if due > 0 {
			records := f.shop.next(min(due, f.rate))
			if err := f.write(ctx, records); err != nil {
				return err
			}
			f.sent.Add(int64(len(records)))
		}
		select {
		case <-ticker.C:
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes a batch, with as many attempts as needed.
func (f *feed) write(ctx context.Context, records []record) error {
	var plain, grouped []record
	for _, r := range records {
		if oracle.Partition([]byte(r.key), 7*4)%4 == 0 {
			plain = append(plain, r)
		} else {
			grouped = append(grouped, r)
		}
	}
	var pause time.Duration
	if f.r.IntN(40) == 0 {
		pause = time.Duration(f.r.Int64N(int64(2 * time.Second)))
	}
	if f.r.IntN(6) == 0 && f.aborts {
		ghosts := f.shop.ghosts(grouped)
		f.again(ctx, func() error { return f.transaction(ctx, ghosts, nil, pause, kgo.TryAbort) })
		f.aborted.Add(int64(len(ghosts)))
	}
	f.again(ctx, func() error { return f.transaction(ctx, grouped, plain, pause, kgo.TryCommit) })
	return ctx.Err()
}

// again repeats do until it succeeds, with fresh clients after each failure: a fresh client ends the transaction of the
// one before.
func (f *feed) again(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		err := f.connect()
		if err == nil {
			if err = do(); err == nil {
				return
			}
		}
		f.failed.Add(1)
		f.close()
		select {
		case <-time.After(tick):
		case <-ctx.Done():
		}
	}
}

// transaction writes records in one, and others beside it while it is open.
func (f *feed) transaction(
	ctx context.Context,
	records, beside []record,
	pause time.Duration,
	end kgo.TransactionEndTry,
) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := f.transactions.BeginTransaction(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	half := len(records) / 2
	if err := produce(ctx, f.transactions, records[:half]); err != nil {
		return err
	}
	if err := produce(ctx, f.plain, beside); err != nil {
		return err
	}
	if err := produce(ctx, f.transactions, records[half:]); err != nil {
		return err
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
	return f.transactions.EndTransaction(ctx, end)
}

// produce writes records in order and waits for them. The fold's own partitioner places the keys.
func produce(ctx context.Context, cl *kgo.Client, records []record) error {
	sent := make([]*kgo.Record, len(records))
	for i, r := range records {
		sent[i] = &kgo.Record{
			Topic: inputTopic, Key: []byte(r.key), Value: r.value, Headers: r.headers,
			Partition: int32(oracle.Partition([]byte(r.key), partitions)),
		}
	}
	return cl.ProduceSync(ctx, sent...).FirstErr()
}

func (f *feed) connect() (err error) {
	if f.plain != nil {
		return nil
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(f.broker), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if f.plain, err = kgo.NewClient(options...); err != nil {
		return err
	}
	f.transactions, err = kgo.NewClient(
		append(options, kgo.TransactionalID("chaos.input"), kgo.TransactionTimeout(20*time.Second))...)
	if err != nil {
		f.close()
	}
	return err
}

func (f *feed) close() {
	for _, cl := range []*kgo.Client{f.plain, f.transactions} {
		if cl != nil {
			cl.Close()
		}
	}
	f.plain, f.transactions = nil, nil
}
