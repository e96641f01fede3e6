package demo

import (
	"slices"
	"time"

	"ebb/cmd/ebb/shop"
	"ebb/cmd/ebb/silence"
	"ebb/scoring/pack"
)

// judge holds the alerts against what the shop's customers did and against who left. It goes through the shop's events
// once more, as far as they were fed.
type judge struct {
	pack    *pack.Pack
	worth   shop.Worth
	horizon int64              // ms
	end     int64              // of the events, ms since the epoch
	raised  map[string][]int64 // when alerts were raised, by customer
	window  silence.Window

	customers map[string]*judged
	groups    groups
	truth     Truth
	portrait  *portrait
}

// judged is a customer as far as its events have been read.
type judged struct {
	silence.Customer
	orders []order // of the time that counts for its worth
	bought bool    // is a customer
}

// order is when somebody paid how much, in minor units.
type order struct{ at, paid int64 }

// judge compares the alerts with the events and leavers up to the last event fed. It also chooses whose score to draw.
func (d *demo) judge() (*Truth, *portrait) {
	s, horizon := d.log.shop, d.pack.Horizon.Milliseconds()
	j := &judge{
		pack: d.pack, worth: s.Worth(), horizon: horizon, end: d.latest, raised: d.show.raised(),
		window:    silence.WindowOf(s.Start().UnixMilli(), d.latest, horizon),
		customers: make(map[string]*judged, s.Customers()),
	}
	n := int64(0)
	for ev := range s.Events() {
		if n++; n > d.fed {
			break
		}
		j.event(&ev)
	}
	for customer, c := range j.customers {
		if one, ok := c.Open(); ok {
			j.silence(customer, c, &one)
		}
	}
	for l := range s.Leavers(time.UnixMilli(d.latest)) {
		j.leaver(&l)
	}
	j.truth.Groups = j.groups.report()
	j.truth.settling = time.UnixMilli(j.window.From).Sub(s.Start())
	return &j.truth, j.portrait
}

// event follows the customer of an event.
func (j *judge) event(ev *shop.Event) {
	c := j.customers[ev.Customer]
	if c == nil {
		c = &judged{}
		j.customers[ev.Customer] = c
	}
	at := ev.Time.UnixMilli()
	if j.pack.Signal([]byte(ev.Type)).Activity {
		if ended, ok := c.Active(at); ok {
			j.silence(ev.Customer, c, &ended)
		}
	}
	c.bought = c.bought || ev.Joins
	if ev.Pays {
		c.orders = append(c.orders, order{at, ev.Value})
	}
}

// silence judges the first alert in a silence that is over or lasts.
func (j *judge) silence(customer string, c *judged, s *silence.Silence) {
	at := j.firstIn(customer, s)
	switch {
	case at == silence.Never:
	case !c.bought:
		j.truth.Visitors++
	case !j.window.Has(at):
		j.truth.Undecided++
	default:
		for _, t := range j.groups.of(s.Class(j.horizon), c.worth(s.Start, j.worth)) {
			t.Alert(s, at, j.horizon)
		}
	}
}

// firstIn is when the first alert in a silence was raised.
func (j *judge) firstIn(customer string, s *silence.Silence) int64 {
	all := j.raised[customer]
	if i, _ := slices.BinarySearch(all, s.Start); i < len(all) && all[i] < s.Next {
		return all[i]
	}
	return silence.Never
}

// leaver judges how soon an alert came about a customer who has left.
func (j *judge) leaver(l *shop.Leaver) {
	j.truth.Left++
	c := j.customers[l.Customer]
	if c == nil {
		j.truth.Early++
		return
	}
	s, ok := c.Open()
	switch {
	case !ok || s.Start < j.window.From:
		j.truth.Early++
		return
	case s.Start+j.horizon > j.end:
		j.truth.Recent++
		return
	}
	at := j.firstIn(l.Customer, &s)
	for _, t := range append(j.groups.of(s.Class(j.horizon), c.worth(s.Start, j.worth)), j.groups.cause(l.Cause)) {
		t.Leaver(&s, at, j.horizon)
	}
	if at != silence.Never && s.Class(j.horizon) == silence.Regular {
		j.portray(l, c, &s)
	}
}
