package worker

import (
	"context"
	"errors"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/line"
)

// prefetcher fetches and decodes ahead of the fold: one batch waits while the next is fetched.
type prefetcher struct {
	log    pipeline.Log
	verify func(ctx context.Context, since time.Time) error // nil: the input is not watched
	end    int64                                            // stop before this offset; -1: never
	edges  []int64                                          // no batch reaches over any of these offsets, which rise; see line.Line.Edges
	free   chan *line.Batch
	ready  chan *line.Batch
	stop   context.CancelFunc
	done   chan struct{}
}

// maxBatchRecords bounds what one commit holds. A batch of 4 MiB has about as many records of ordinary size. A
// compressed one, or one of tiny records, may have many times more; the records cut off are fetched again.
const maxBatchRecords = 20_000

// maxBatchBytes bounds it too: if all of it is unusable, one transaction sends it to the DLQ.
const maxBatchBytes = 16 << 20

// firstBatchRecords bounds the first batch after a takeover, and each one after it may be twice as large. A new owner
// has a backlog, and nothing of it is visible before its first batch is committed and published; see task
// bench:takeover.
const firstBatchRecords = 1_000

// start begins to fetch at offset. Close it before the Log is used by another owner.
func (p *prefetcher) start(ctx context.Context, offset int64, newBatch func() *line.Batch) {
	ctx, p.stop = context.WithCancel(ctx)
	p.free, p.ready, p.done = make(chan *line.Batch, 3), make(chan *line.Batch, 1), make(chan struct{})
	for range cap(p.free) {
		p.free <- newBatch()
	}
	go p.run(ctx, offset)
}

func (p *prefetcher) run(ctx context.Context, offset int64) {
	defer close(p.done)
	defer close(p.ready)
	most := int64(firstBatchRecords)
	for p.end < 0 || offset < p.end {
		var b *line.Batch
		select {
		case b = <-p.free:
		case <-ctx.Done():
			return
		}
		b.Err = p.fetch(ctx, offset, &b.Fetched)
		if ctx.Err() != nil {
			return
		}
		if b.Err == nil {
			for _, edge := range p.edges {
				if offset < edge {
					b.Cut(edge)
				}
			}
			if p.end >= 0 {
				b.Cut(p.end)
			}
			b.Cut(offset + most)
			b.CutBytes(maxBatchBytes)
			most = min(2*most, maxBatchRecords)
			b.Decode()
			offset = b.Fetched.Next
		}
		select {
		case p.ready <- b:
		case <-ctx.Done():
			return
		}
		if b.Err != nil {
			return
		}
	}
}

// fetch is the log's, of which nothing is folded before the input is known to be the one that it was: one that was
// deleted and created again has other records at the same offsets, and one with more partitions has lost customers.
func (p *prefetcher) fetch(ctx context.Context, offset int64, f *pipeline.Fetched) error {
	began := time.Now() //nolint:forbidigo // as of when the input is asked for
	err := p.log.Fetch(ctx, offset, f)
	if p.verify == nil || err == nil && len(f.Records) == 0 || err != nil && !errors.Is(err, pipeline.ErrOutOfRange) {
		return err
	}
	if changed := p.verify(ctx, began); changed != nil {
		return changed
	}
	return err
}

// close stops fetching and waits for it.
func (p *prefetcher) close() {
	p.stop()
	<-p.done
}

// release returns a batch for reuse.
func (p *prefetcher) release(b *line.Batch) { p.free <- b }
