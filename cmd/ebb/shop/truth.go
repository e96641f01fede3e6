package shop

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"time"
)

// Leaver is a customer who left for good.
type Leaver struct {
	Customer string
	Last     time.Time // its last event of any kind
	Left     time.Time // when it left: after Last
	Cause    Cause     // why
}

// Leavers are the customers who left for good before a moment, in order of their names, whether or not their events
// show it. Who pauses has not left, who never bought was no customer, and of whom a cut feed let nothing through nobody
// can tell. A zero until is the end of the shop.
func (s *Shop) Leavers(until time.Time) iter.Seq[Leaver] {
	end := s.end
	if !until.IsZero() {
		end = min(end, until.UnixMilli())
	}
	return func(yield func(Leaver) bool) {
		for i := range s.cfg.Customers {
			c := s.customer(i)
			last := never
			for c.next() < end {
				if a := c.take(); !s.lost(a) {
					last = a.at
				}
			}
			if c.left >= end || last == never {
				continue
			}
			if !yield(Leaver{c.name, time.UnixMilli(last).UTC(), time.UnixMilli(c.left).UTC(), c.cause}) {
				return
			}
		}
	}
}

// truthTime formats a moment for the truth file.
const truthTime = "2006-01-02T15:04:05.000Z"

// WriteTruth writes the customers who left before a moment as CSV: customer, last_event, left_at, cause. It returns how
// many there are.
func (s *Shop) WriteTruth(w io.Writer, until time.Time) (leavers int, err error) {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"customer", "last_event", "left_at", "cause"}) // Error below reports the failure
	for l := range s.Leavers(until) {
		leavers++
		_ = out.Write([]string{l.Customer, l.Last.Format(truthTime), l.Left.Format(truthTime), l.Cause.String()})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return leavers, fmt.Errorf("write truth: %w", err)
	}
	return leavers, nil
}
