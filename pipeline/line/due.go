package line

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"ebb/pipeline"
)

// dueItem is one armed deadline in a loaded bucket.
type dueItem struct {
	pipeline.Due
	key []byte
}

func compareDue(a, b dueItem) int { return a.Compare(b.Due) }

// dueQueue holds the armed deadlines of the buckets that the watermark has reached, in their order. All later ones are
// in the store, in coarse buckets; the queue loads a bucket when the watermark enters it.
type dueQueue struct {
	sorted []dueItem // of loaded buckets; they come in order of time, so appending keeps the order
	memory []dueItem // sorted, behind the items that were taken out since it was moved to the beginning
	late   dueHeap   // armed in buckets that were already loaded
	loaded int64     // every bucket up to this one is in the queue
}

// enoughDue is how many items the queue may hold before it stops loading buckets.
const enoughDue = 4 * sweepLimit

func newDueQueue() *dueQueue { return &dueQueue{loaded: math.MinInt64} }

// wanted appends to dst the buckets to load up to that of a minute, at most limit. It appends none while the sweeps
// have enough to do: later items stay in the store. The first bucket is the one in which the last sweep stopped.
func (q *dueQueue) wanted(dst []int64, clock *pipeline.Clock, minute int64, limit int) []int64 {
	if !clock.Started || q.size() >= enoughDue {
		return dst
	}
	if q.loaded == math.MinInt64 {
		q.loaded = pipeline.BucketOf(clock.Fired.Minute) - 1
	}
	last := pipeline.BucketOf(minute)
	for b := q.loaded + 1; b <= last && len(dst) < limit; b++ {
		dst = append(dst, b)
	}
	return dst
}

// load takes in what the store, and a commit in progress, hold for bucket. Entries up to fired have already fired.
func (q *dueQueue) load(bucket int64, fired pipeline.Due, parts ...[]byte) error {
	if taken := len(q.memory) - len(q.sorted); taken >= len(q.sorted) {
		q.memory = append(q.memory[:0], q.sorted...)
	}
	begin, end := len(q.memory)-len(q.sorted), len(q.memory)
	for _, part := range parts {
		entries := bytes.Clone(part) // one copy per bucket; the items alias it
		for len(entries) > 0 {
			minute, key, rest, ok := pipeline.ReadDue(entries, bucket)
			if !ok {
				return fmt.Errorf("due bucket %d is damaged, %d bytes before its end", bucket, len(entries))
			}
			entries = rest
			if d := (pipeline.Due{Minute: minute, Hash: pipeline.KeyHash(key)}); d.Compare(fired) > 0 {
				q.memory = append(q.memory, dueItem{d, key})
			}
		}
	}
	slices.SortFunc(q.memory[end:], compareDue)
	q.sorted, q.loaded = q.memory[begin:], bucket
	return nil
}

// add takes in a deadline that was armed within the loaded buckets. It keeps a copy of key.
func (q *dueQueue) add(d pipeline.Due, key []byte) { q.late.push(dueItem{d, bytes.Clone(key)}) }

// upcoming calls visit with the items up to limit whose customers the next sweep will need, a few at a time: the
// earliest n, then those of late.
func (q *dueQueue) upcoming(limit pipeline.Due, n int, visit func(few []dueItem)) {
	due := 0
	for due < min(n, len(q.sorted)) && q.sorted[due].Compare(limit) <= 0 {
		due++
	}
	for few := range slices.Chunk(q.sorted[:due], ahead) {
		visit(few)
	}
	for i := 0; i < len(q.late) && n > 0; i++ {
		if q.late[i].Compare(limit) <= 0 {
			visit(q.late[i : i+1])
			n--
		}
	}
}

// peek returns the earliest item up to limit, which drop then takes out.
func (q *dueQueue) peek(limit pipeline.Due) (item dueItem, ok bool) {
	switch {
	case q.lateFirst():
		item = q.late[0]
	case len(q.sorted) > 0:
		item = q.sorted[0]
	default:
		return dueItem{}, false
	}
	return item, item.Compare(limit) <= 0
}

// drop takes out the earliest item.
func (q *dueQueue) drop() {
	if q.lateFirst() {
		q.late.pop()
		return
	}
	q.sorted = q.sorted[1:]
}

func (q *dueQueue) lateFirst() bool {
	return len(q.late) > 0 && (len(q.sorted) == 0 || compareDue(q.late[0], q.sorted[0]) < 0)
}

// pending reports whether there is anything up to limit, loaded or still in the store.
func (q *dueQueue) pending(limit pipeline.Due) bool {
	_, ok := q.peek(limit)
	return ok || q.loaded < pipeline.BucketOf(limit.Minute)
}

func (q *dueQueue) size() int { return len(q.sorted) + len(q.late) }

// dueHeap is a binary heap by due position. container/heap would box each item: two allocations per deadline.
type dueHeap []dueItem

func (h *dueHeap) push(item dueItem) {
	*h = append(*h, item)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if compareDue(s[i], s[parent]) >= 0 {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

func (h *dueHeap) pop() {
	s := *h
	last := len(s) - 1
	s[0], s[last] = s[last], dueItem{}
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if compareDue(s[child], s[least]) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
