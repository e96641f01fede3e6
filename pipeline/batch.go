package pipeline

import (
	"context"

	"github.com/cespare/xxhash/v2"

	"ebb/scoring"
)

// batch is one answer of Fetch, decoded: the unit of I/O, never of meaning.
type batch struct {
	fetched Fetched
	decoder *Decoder
	pack    *scoring.Pack // whose properties the decoder reads
	events  []Event       // parallel to fetched.Records
	hashes  []hashes
	slots   []int32 // where each event's customer is cached; -1 for an unusable record
	err     error   // the fetch failed: nothing else is set
}

// newBatch makes an empty batch, whose decoder reads the properties of a pack.
func newBatch(decoder *Decoder, pack *scoring.Pack) *batch { return &batch{decoder: decoder, pack: pack} }

// hashes of an event's customer key and of its id; id 0: it has none.
type hashes struct{ key, id uint64 }

// decode turns the fetched records into events. Nothing is allocated once the batch has grown to its size.
func (b *batch) decode() {
	b.decoder.Reset()
	n := len(b.fetched.Records)
	b.events, b.hashes, b.slots = room(b.events, n), room(b.hashes, n), room(b.slots, n)
	for i := range b.fetched.Records {
		e := &b.events[i]
		b.decoder.Decode(&b.fetched.Records[i], e)
		if e.Code == Usable {
			b.hashes[i] = hashes{key: xxhash.Sum64(e.Key), id: EventIDHash(e)}
		}
	}
}

// room is s with length n, whatever it then holds; where it is too short, new memory with some to spare.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// cut drops the records from offset end on.
func (b *batch) cut(end int64) {
	if b.fetched.Next <= end {
		return
	}
	n, _ := b.fetched.find(end)
	b.fetched.Records, b.fetched.Next = b.fetched.Records[:n], end
}

// cutBytes drops the records behind the first so many bytes, which one record alone may exceed.
func (b *batch) cutBytes(most int) {
	for i := range b.fetched.Records {
		r := &b.fetched.Records[i]
		if most -= r.size(); most < 0 && i > 0 {
			b.cut(r.Offset)
			return
		}
	}
}

// skip drops the first n records, after they were decoded. Where all go, the room stays for the next batch.
func (b *batch) skip(n int) {
	if n == len(b.events) {
		b.empty(b.fetched.Next)
		return
	}
	b.fetched.Records, b.events, b.hashes, b.slots = b.fetched.Records[n:], b.events[n:], b.hashes[n:], b.slots[n:]
}

// empty makes b a batch without records at offset next, for work that no record causes.
func (b *batch) empty(next int64) {
	b.fetched.Records, b.fetched.Next = b.fetched.Records[:0], next
	b.events, b.hashes, b.slots = b.events[:0], b.hashes[:0], b.slots[:0]
}

// reader fetches and decodes ahead of the fold: one batch waits while the next is fetched.
type prefetcher struct {
	log   Log
	end   int64   // stop before this offset; -1: never
	edges []int64 // no batch reaches over any of these offsets, which rise; see line.atEdge and generations
	free  chan *batch
	ready chan *batch
	stop  context.CancelFunc
	done  chan struct{}
}

// maxBatchRecords bounds what one commit holds. A batch of 4 MiB has about as many of ordinary size; a compressed one, or one
// of tiny records, may have many times more, and what is cut off is fetched again.
const maxBatchRecords = 20_000

// maxBatchBytes bounds it too: should all of it be unusable, one transaction takes it to the DLQ.
const maxBatchBytes = 16 << 20

// firstBatchRecords bounds the first batch after a takeover, and each one after it may be twice as large. Whoever takes over has
// a backlog, and nobody hears of it before its first batch is committed and published; see task bench:takeover.
const firstBatchRecords = 1_000

// startPrefetch begins to fetch at offset. Close it before the Log is used by another owner.
func startPrefetch(ctx context.Context, log Log, offset, end int64, edges []int64, newDecoder func() (*Decoder, *scoring.Pack)) *prefetcher {
	ctx, cancel := context.WithCancel(ctx)
	p := &prefetcher{log: log, end: end, edges: edges, free: make(chan *batch, 3), ready: make(chan *batch, 1), stop: cancel, done: make(chan struct{})}
	for range cap(p.free) {
		p.free <- newBatch(newDecoder())
	}
	go p.run(ctx, offset)
	return p
}

func (p *prefetcher) run(ctx context.Context, offset int64) {
	defer close(p.done)
	defer close(p.ready)
	most := int64(firstBatchRecords)
	for p.end < 0 || offset < p.end {
		var b *batch
		select {
		case b = <-p.free:
		case <-ctx.Done():
			return
		}
		b.err = p.log.Fetch(ctx, offset, &b.fetched)
		if ctx.Err() != nil {
			return
		}
		if b.err == nil {
			for _, edge := range p.edges {
				if offset < edge {
					b.cut(edge)
				}
			}
			if p.end >= 0 {
				b.cut(p.end)
			}
			b.cut(offset + most)
			b.cutBytes(maxBatchBytes)
			most = min(2*most, maxBatchRecords)
			b.decode()
			offset = b.fetched.Next
		}
		select {
		case p.ready <- b:
		case <-ctx.Done():
			return
		}
		if b.err != nil {
			return
		}
	}
}

// close stops fetching and waits for it.
func (p *prefetcher) close() {
	p.stop()
	<-p.done
}

// release gives a batch back to be filled again.
func (p *prefetcher) release(b *batch) { p.free <- b }
