package worker

import (
	"context"

	"ebb/pipeline"
	"ebb/pipeline/decode"
	"ebb/pipeline/line"
	"ebb/scoring/pack"
)

// reader fetches and decodes ahead of the fold: one batch waits while the next is fetched.
type prefetcher struct {
	log   pipeline.Log
	end   int64   // stop before this offset; -1: never
	edges []int64 // no batch crosses any of these offsets, which rise; see line.Line.Edges
	free  chan *line.Batch
	ready chan *line.Batch
	stop  context.CancelFunc
	done  chan struct{}
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

// startPrefetch begins to fetch at offset. The caller closes it before another owner uses the Log.
func startPrefetch(
	ctx context.Context,
	log pipeline.Log,
	offset, end int64,
	edges []int64,
	newDecoder func() (*decode.Decoder, *pack.Pack),
) *prefetcher {
	ctx, cancel := context.WithCancel(ctx)
	p := &prefetcher{
		log:   log,
		end:   end,
		edges: edges,
		free:  make(chan *line.Batch, 3),
		ready: make(chan *line.Batch, 1),
		stop:  cancel,
		done:  make(chan struct{}),
	}
	for range cap(p.free) {
		p.free <- line.NewBatch(newDecoder())
	}
	go p.run(ctx, offset)
	return p
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
		b.Err = p.log.Fetch(ctx, offset, &b.Fetched)
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

// close stops fetching and waits for it.
func (p *prefetcher) close() {
	p.stop()
	<-p.done
}

// release returns a batch for reuse.
func (p *prefetcher) release(b *line.Batch) { p.free <- b }
