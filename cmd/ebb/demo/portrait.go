package demo

import (
	"cmp"
	"time"

	"ebb/cmd/ebb/shop"
	"ebb/cmd/ebb/silence"
)

// portrait is the customer whose score is drawn: a regular who left, with an alert about it.
type portrait struct {
	shop.Leaver
	spent  int64 // in the time that counts, minor units
	visits int
	last   time.Time // activity
	raised []int64   // when alerts were raised
}

// portray takes a leaver for the portrait if there is more to see of it: earlier alerts, and then money.
func (j *judge) portray(l *shop.Leaver, c *judged, s *silence.Silence) {
	p := &portrait{
		Leaver: *l,
		spent:  c.spent(s.Start, j.worth),
		visits: s.Visits,
		last:   time.UnixMilli(s.Start).UTC(),
		raised: j.raised[l.Customer],
	}
	if j.portrait == nil || p.before(j.portrait) {
		j.portrait = p
	}
}

// before reports whether there is more to see of p: silence as the only sign, earlier alerts, and money.
func (p *portrait) before(q *portrait) bool {
	return cmp.Or(
		cmp.Compare(p.quiet(), q.quiet()), cmp.Compare(len(p.raised), len(q.raised)), cmp.Compare(p.spent, q.spent),
	) > 0
}

// quiet is 1 for a customer who left without a sign but silence, else 0.
func (p *portrait) quiet() int {
	if p.Cause == shop.Moved || p.Cause == shop.Rival {
		return 1
	}
	return 0
}
