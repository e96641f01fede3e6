package pipeline

import (
	"encoding/binary"
	"math"
	"slices"
)

// Bucket widths and margins of event time, in ms.
const (
	minuteMillis = 60_000
	hourMillis   = 3_600_000
	futureMillis = 24 * hourMillis
)

// Clock is a partition's event time: a function of the records folded and of nothing else.
type Clock struct {
	// Started is false until the first usable record.
	Started bool `json:"started"`
	// Watermark is event time, in ms since the epoch, up to which the partition is taken to be complete: the newest
	// accepted event's time minus the allowed lateness. It never moves back.
	Watermark int64 `json:"watermark"`
	// Fired is the last position in the order of deadlines up to which a sweep has fired every one (F).
	Fired Due `json:"fired"`
	// Future holds the newest event times of up to two customers that lie more than a day ahead of the watermark and
	// have not moved it: a third customer there does.
	Future []FutureEvent `json:"future,omitempty"`
}

// FutureEvent is an event far ahead of the watermark.
type FutureEvent struct {
	Customer uint64 `json:"customer"` // hash of the customer's key
	Time     int64  `json:"time"`     // ms since the epoch
}

// Due is a position in the order in which a sweep fires deadlines: by minute, within it by the hash of the customer's
// key, so that a sweep of a million at midnight can stop anywhere and say how far it got.
type Due struct {
	Minute int64  `json:"minute"` // minutes since the epoch
	Hash   uint64 `json:"hash"`
}

// Compare orders positions.
func (d Due) Compare(o Due) int {
	switch {
	case d.Minute != o.Minute:
		if d.Minute < o.Minute {
			return -1
		}
		return 1
	case d.Hash < o.Hash:
		return -1
	case d.Hash > o.Hash:
		return 1
	}
	return 0
}

// Minute is the last whole minute of event time that the watermark has reached.
func (c *Clock) Minute() int64 { return floorDiv(c.Watermark, minuteMillis) }

// Observe moves the watermark by an accepted event at t ms and reports whether the event is late (older than the
// watermark was) or lies so far ahead that it does not move the watermark alone (DESIGN section 8). appendTime with
// stamp says that the record carries the broker's clock: against that an event is judged without needing others.
func (c *Clock) Observe(customer uint64, t, lateness int64, appendTime bool, stamp int64) (late, future bool) {
	if !c.Started {
		if appendTime && t > stamp+futureMillis {
			return false, true
		}
		c.Started, c.Watermark = true, t-lateness
		c.Fired = Due{Minute: c.Minute(), Hash: math.MaxUint64}
		return false, false
	}
	late = t < c.Watermark
	switch {
	case appendTime && t > stamp+futureMillis:
		return late, true
	case !appendTime && t > c.Watermark+futureMillis:
		return late, !c.vouched(customer, t, lateness)
	}
	c.advance(t - lateness)
	return late, false
}

// vouched notes an event ahead of the watermark and moves the watermark once three customers have one: to the oldest of
// their three, which one bad clock, or two, cannot choose.
func (c *Clock) vouched(customer uint64, t, lateness int64) bool {
	i := slices.IndexFunc(c.Future, func(f FutureEvent) bool { return f.Customer == customer })
	switch {
	case i >= 0:
		c.Future[i].Time = max(c.Future[i].Time, t)
		return false
	case len(c.Future) < 2:
		c.Future = append(c.Future, FutureEvent{customer, t})
		return false
	}
	oldest := min(t, c.Future[0].Time, c.Future[1].Time)
	if t > oldest { // keep the two farthest ahead; the oldest is about to be passed
		for i := range c.Future {
			if c.Future[i].Time == oldest {
				c.Future[i] = FutureEvent{customer, t}
				break
			}
		}
	}
	c.advance(oldest - lateness)
	return true
}

// reach brings the clock of a replay that has come to the published offset to where it was when that was published. A
// replay of all records is there already; one that began in the middle of the log may not be.
func (c *Clock) reach(m *Mark) {
	if m.Fired.Compare(Due{}) > 0 && !c.Started {
		c.Started, c.Fired = true, m.Fired // no record was replayed, so there is no deadline
	}
	c.Watermark = max(c.Watermark, m.Watermark)
}

func (c *Clock) clone() Clock {
	k := *c
	k.Future = slices.Clone(c.Future)
	return k
}

func (c *Clock) advance(w int64) {
	if w <= c.Watermark {
		return
	}
	c.Watermark = w
	c.Future = slices.DeleteFunc(c.Future, func(f FutureEvent) bool { return f.Time <= w+futureMillis })
}

// bucketMinutes is the width of a due bucket, 6 h. Wider: fewer commands when a log is replayed, where a batch arms deadlines all
// over the months ahead. Narrower: less to read at a time when the watermark enters one.
const bucketMinutes = 360

// bucketOf is the due bucket that a minute lies in.
func bucketOf(minute int64) int64 { return floorDiv(minute, bucketMinutes) }

// bucketEnd is the last position in a bucket.
func bucketEnd(bucket int64) Due {
	return Due{Minute: (bucket+1)*bucketMinutes - 1, Hash: math.MaxUint64}
}

// AppendDue appends a due entry for the customer's deadline to dst: minute within the bucket, length and bytes of the key.
func AppendDue(dst []byte, minute int64, key []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(minute-bucketOf(minute)*bucketMinutes))
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	return append(dst, key...)
}

// readDue takes one entry of bucket off the front of b. ok is false where b is damaged.
func readDue(b []byte, bucket int64) (minute int64, key, rest []byte, ok bool) {
	r := reader{b: b}
	m := r.uvarint()
	n := r.uvarint()
	key = r.bytes(int(min(n, math.MaxInt32)))
	return bucket*bucketMinutes + int64(m), key, r.b, !r.bad && m < bucketMinutes
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
