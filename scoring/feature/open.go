package feature

import (
	"encoding/binary"

	"ebb/scoring/encode"
	"ebb/scoring/moment"
)

// A cell of `open` keeps a queue of open items: the opening times of the oldest four, and the number and the newest
// opening time of those beyond. An event that solves removes the oldest item, if that was opened by then. The first
// item beyond the four then counts as opened at that newest time: its own was not kept, and no item seems older than it
// is.
//
// If nothing was open by then, the opening event must still be on its way, and the solving time is kept, the newest of
// several: the next event that opens an item before that time opens none.
//
//	flags: number of times kept, and which parts follow       1 byte
//	opening times, oldest first, each after the first as the distance
//	[beyond] their number, distance of their newest from the last time
//	[solved] solving time

const (
	maxOpen     = 4
	maxBeyond   = 1<<14 - 1
	spanSize    = 7 // bytes between two times, at most
	maxOpenSize = 1 + encode.TimeSize + (maxOpen-1)*spanSize + 2 + spanSize + encode.TimeSize
)

// Flags of a queue, above the number of times kept.
const (
	openCount  = 7
	openEver   = 1 << 3 // an item was opened
	openBeyond = 1 << 4
	openSolved = 1 << 5
)

// queue is the content of a cell of `open`.
type queue struct {
	ever   bool // an item was opened
	n      int
	times  [maxOpen + 1]int64 // of n items, oldest first
	beyond int64              // items beyond those
	newest int64              // time of the newest of them
	solved int64              // time of an event that solved an item not opened yet; -1: none
}

func readQueue(b []byte) (q queue, damaged bool) {
	q.solved = -1
	if len(b) == 0 {
		return q, true
	}
	flags, r := b[0], encode.NewReader(b[1:])
	q.ever, q.n = flags&openEver != 0, min(int(flags&openCount), maxOpen)
	var last int64
	for i := range q.n {
		if i == 0 {
			last = r.Time()
		} else {
			last += r.UvarintUpTo(moment.Max)
		}
		q.times[i] = last
	}
	if flags&openBeyond != 0 {
		q.beyond = r.UvarintUpTo(maxBeyond)
		q.newest = last + r.UvarintUpTo(moment.Max)
	}
	if flags&openSolved != 0 {
		q.solved = r.Time()
	}
	return q, !r.Whole() || flags != q.flags()
}

func (q *queue) flags() byte {
	f := byte(q.n)
	if q.ever {
		f |= openEver
	}
	if q.beyond > 0 {
		f |= openBeyond
	}
	if q.solved >= 0 {
		f |= openSolved
	}
	return f
}

func (q *queue) append(dst []byte) []byte {
	dst = append(dst, q.flags())
	var last int64
	for i, t := range q.times[:q.n] {
		if i == 0 {
			dst = encode.AppendTime(dst, t)
		} else {
			dst = binary.AppendUvarint(dst, uint64(t-last))
		}
		last = t
	}
	if q.beyond > 0 {
		dst = binary.AppendUvarint(dst, uint64(q.beyond))
		dst = binary.AppendUvarint(dst, uint64(q.newest-last))
	}
	if q.solved >= 0 {
		dst = encode.AppendTime(dst, q.solved)
	}
	return dst
}

// foldOpen opens an item, or solves one, or both in this order.
func (c *cell) foldOpen(dst, old []byte, o *Event) ([]byte, effect) {
	q, _ := readQueue(old)
	if o.is(c.Of) {
		q.open(o.Time)
	}
	if o.is(c.To) {
		q.solve(o.Time)
	}
	return q.append(dst), taken
}

func (q *queue) open(at int64) {
	q.ever = true
	if at < q.solved {
		q.solved = -1
		return
	}
	i := q.n
	for ; i > 0 && q.times[i-1] > at; i-- {
		q.times[i] = q.times[i-1]
	}
	q.times[i] = at
	if q.n < maxOpen {
		q.n++
		return
	}
	q.newest = max(q.newest, q.times[maxOpen])
	q.beyond = min(q.beyond+1, maxBeyond)
}

func (q *queue) solve(at int64) {
	if q.n == 0 || at < q.times[0] {
		q.solved = max(q.solved, at)
		return
	}
	copy(q.times[:], q.times[1:q.n])
	if q.beyond == 0 {
		q.n--
		return
	}
	q.times[q.n-1] = q.newest
	if q.beyond--; q.beyond == 0 {
		q.newest = 0
	}
}

// oldest is the opening time of the oldest open item.
func (q *queue) oldest() (at int64, ok bool) { return q.times[0], q.n > 0 }

// validOpen reports whether b is a possible result of fold.
func validOpen(b []byte) bool {
	q, damaged := readQueue(b)
	first, open := q.oldest()
	switch {
	case damaged:
		return false
	case open && (!q.ever || q.times[q.n-1] > moment.Max || q.solved > first):
		return false
	case q.beyond > 0 && (q.n < maxOpen || q.newest > moment.Max):
		return false
	case q.solved > moment.Max:
		return false
	default:
		return q.ever || q.solved >= 0
	}
}
