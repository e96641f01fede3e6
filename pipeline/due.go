package pipeline

import (
	"container/heap"
	"fmt"
	"math"
)

// dueItem is one armed deadline that lies in a loaded bucket.
type dueItem struct {
	Due
	key []byte
}

// dueQueue holds the armed deadlines of the buckets that the watermark has reached. All later ones lie in the store, in
// coarse buckets of an hour; the queue takes a bucket in when the watermark enters it.
type dueQueue struct {
	items  dueHeap
	loaded int64     // every bucket up to this one is in items
	ready  []dueItem // the earliest items in order, taken out so that their profiles could be loaded
}

func newDueQueue() *dueQueue { return &dueQueue{loaded: math.MinInt64} }

// wanted appends the buckets to load for the watermark to dst, at most limit. The bucket in which the last sweep stopped
// is the first one.
func (q *dueQueue) wanted(dst []int64, clock *Clock, limit int) []int64 {
	if !clock.Started {
		return dst
	}
	if q.loaded == math.MinInt64 {
		q.loaded = floorDiv(clock.Fired.Minute, 60) - 1
	}
	last := floorDiv(clock.Watermark, hourMillis)
	for b := q.loaded + 1; b <= last && len(dst) < limit; b++ {
		dst = append(dst, b)
	}
	return dst
}

// load takes in what the store, or a commit under way to it, holds for bucket. Entries up to fired have had their turn.
func (q *dueQueue) load(bucket int64, entries []byte, fired Due) error {
	for len(entries) > 0 {
		minute, key, rest, ok := readDue(entries, bucket)
		if !ok {
			return fmt.Errorf("due bucket %d is damaged, %d bytes before its end", bucket, len(entries))
		}
		entries = rest
		d := Due{Minute: minute, Hash: hashBytes(key)}
		if d.Compare(fired) > 0 {
			q.add(d, key)
		}
	}
	return nil
}

func (q *dueQueue) add(d Due, key []byte) {
	heap.Push(&q.items, dueItem{d, append([]byte(nil), key...)})
}

// prepare moves the earliest items up to limit, at most n, to ready and returns those.
func (q *dueQueue) prepare(limit Due, n int) []dueItem {
	for len(q.ready) < n && len(q.items) > 0 && q.items[0].Compare(limit) <= 0 {
		q.ready = append(q.ready, heap.Pop(&q.items).(dueItem))
	}
	return q.ready
}

// next takes out the earliest item up to limit.
func (q *dueQueue) next(limit Due) (dueItem, bool) {
	fromHeap := len(q.items) > 0 && q.items[0].Compare(limit) <= 0
	if len(q.ready) > 0 && (!fromHeap || q.ready[0].Compare(q.items[0].Due) <= 0) {
		item := q.ready[0]
		q.ready = q.ready[1:]
		return item, true
	}
	if fromHeap {
		return heap.Pop(&q.items).(dueItem), true
	}
	return dueItem{}, false
}

// putBack returns an item that cannot have its turn yet.
func (q *dueQueue) putBack(item dueItem) { heap.Push(&q.items, item) }

// pending reports whether there is anything up to limit, loaded or still in the store.
func (q *dueQueue) pending(limit Due) bool {
	return q.loaded < floorDiv(limit.Minute, 60) || len(q.ready) > 0 || len(q.items) > 0 && q.items[0].Compare(limit) <= 0
}

func (q *dueQueue) size() int { return len(q.items) + len(q.ready) }

type dueHeap []dueItem

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].Compare(h[j].Due) < 0 }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(dueItem)) }
func (h *dueHeap) Pop() any {
	old := *h
	item := old[len(old)-1]
	old[len(old)-1] = dueItem{}
	*h = old[:len(old)-1]
	return item
}
