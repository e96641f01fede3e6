package pipeline

import (
	"encoding/binary"
	"math"
	"slices"

	"ebb/scoring/encode"
)

// Bucket widths and margins of event time, in ms.
const (
	MinuteMillis = 60_000
	HourMillis   = 3_600_000
	futureMillis = 24 * HourMillis
)

// Clock is a partition's event time: a function of the folded records only. A time ahead of it counts only once several
// customers vouch for it, and the clock starts in the same way: see claims.go and ADR 9.
type Clock struct {
	// Started is false until the records vouch for a watermark. Until then nothing is swept; an event still fires the
	// deadlines of its own customer.
	Started bool
	// Watermark is event time, in ms since the epoch, up to which the partition counts as complete: the newest accepted
	// event's time minus the allowed lateness. It never moves back. 0 until the clock has started.
	Watermark int64
	// Fired is the last position in the order of deadlines up to which sweeps have fired all of them (F). It never moves
	// back.
	Fired Due
	// Future holds the latest events of up to eight customers that lie more than a day ahead of the newest accepted one,
	// or of all customers while there is none, in their order of arrival: three that agree move the watermark.
	Future []FutureEvent
	// Start is the state of a clock that has not started, else zero.
	Start Start
}

// Due is a position in the order in which a sweep fires deadlines: by minute, within it by the hash of the customer's
// key, so that a sweep of a million deadlines at midnight can stop anywhere, and its position shows how far it got.
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
func (c *Clock) Minute() int64 { return FloorDiv(c.Watermark, MinuteMillis) }

// Observe moves the watermark by an accepted event at t ms and reports whether the event is late (older than the
// watermark was) or lies so far ahead that it does not move the watermark alone (docs/adr/0009). AppendTime means that
// the record's timestamp, stamp, is the broker's clock: it confirms an event's time without other customers.
func (c *Clock) Observe(customer uint64, t, lateness int64, appendTime bool, stamp int64) (late, future bool) {
	late = c.Started && t < c.Watermark
	if !c.Started {
		c.Start.note(t)
	}
	switch {
	case appendTime && t > stamp+futureMillis:
		return late, true
	case appendTime && !c.Started:
		c.start(t, lateness)
	case !c.Started:
		c.tryStart(customer, t, lateness)
	case !appendTime && t > c.Watermark+lateness+futureMillis:
		return late, !c.leap(customer, t, lateness)
	default:
		c.advance(t, lateness)
	}
	return late, false
}

// Pass moves the watermark to w, in ms since the epoch, by time that passes without events. It never moves back. A clock
// that has not started starts there: in a replay from the middle of the log, or where a person says what time it is.
func (c *Clock) Pass(w, lateness int64) {
	switch {
	case c.Started:
		c.advance(w+lateness, lateness)
	case c.Start.Earliest == 0: // without an event there is no deadline
		c.Started, c.Watermark, c.Fired = true, w, Due{Minute: FloorDiv(w, MinuteMillis), Hash: math.MaxUint64}
	default:
		c.start(w+lateness, lateness)
	}
}

// Reach moves the clock of a replay that has come to the published offset to where it was when that was published.
// After a replay of all records it is there already. After one that began in the middle of the log it may be behind, or
// not started.
func (c *Clock) Reach(m *Mark) {
	if m.Fired.Compare(Due{}) > 0 && !c.Started {
		fired := m.Fired // if no record was replayed, there is no deadline
		if first := c.Start.before(m.Watermark); c.Start.Earliest != 0 && first.Compare(fired) < 0 {
			fired = first
		}
		c.Started, c.Fired, c.Start = true, fired, Start{}
	}
	if m.Watermark > c.Watermark {
		c.Watermark, c.Future = m.Watermark, nil
	}
}

func (c *Clock) Clone() Clock {
	k := *c
	k.Future = slices.Clone(c.Future)
	return k
}

// advance moves the watermark by an event at t ms that is accepted. It drops the claims that it has reached, and those
// that a whole day of accepted events has left unconfirmed.
func (c *Clock) advance(t, lateness int64) {
	w := t - lateness
	if w <= c.Watermark {
		return
	}
	c.Watermark = w
	c.Future = slices.DeleteFunc(c.Future, func(f FutureEvent) bool {
		return f.Time <= t+futureMillis || f.Seen+futureMillis < w
	})
}

// BucketMinutes is the width of a due bucket, 6 h. Wider buckets need fewer commands in the replay of a log, where a
// batch arms deadlines over all the months ahead. Narrower buckets are smaller to read when the watermark enters one.
const BucketMinutes = 360

// BucketOf is the due bucket that contains a minute.
func BucketOf(minute int64) int64 { return FloorDiv(minute, BucketMinutes) }

// BucketEnd is the last position in a bucket.
func BucketEnd(bucket int64) Due {
	return Due{Minute: (bucket+1)*BucketMinutes - 1, Hash: math.MaxUint64}
}

// AppendDue appends the due entry of the customer's deadline to dst: minute within the bucket, length and bytes of the
// key.
func AppendDue(dst []byte, minute int64, key []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(minute-BucketOf(minute)*BucketMinutes))
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	return append(dst, key...)
}

// ReadDue reads and cuts off the first entry of bucket in b. ok is false where b is damaged.
func ReadDue(b []byte, bucket int64) (minute int64, key, rest []byte, ok bool) {
	r := encode.NewReader(b)
	m := r.Uvarint()
	if key = r.Part(); r.Damaged() || m >= BucketMinutes {
		return 0, nil, nil, false
	}
	return bucket*BucketMinutes + int64(m), key, r.Rest(), true
}

// WithoutDue appends to dst the due entries of bucket in b, but for those of customers that gone contains. found is how
// many these are; ok is false where b is damaged.
func WithoutDue(dst, b []byte, bucket int64, gone func(key []byte) bool) (rest []byte, found int, ok bool) {
	for len(b) > 0 {
		_, key, next, ok := ReadDue(b, bucket)
		if !ok {
			return nil, 0, false
		}
		if gone(key) {
			found++
		} else {
			dst = append(dst, b[:len(b)-len(next)]...)
		}
		b = next
	}
	return dst, found, true
}

func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

const (
	DayMillis = 24 * HourMillis
)
