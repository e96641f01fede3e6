package backtest

import (
	"slices"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"ebb/cmd/ebb/shop"
	"ebb/scoring"
	"ebb/scoring/pack"
)

// lapse is a raised alert: whose, and about which silence.
type lapse struct {
	customer string
	since    int64
}

// cutShop is a shop whose website's feed is cut for a time, and what was done by then.
type cutShop struct {
	raised map[lapse]int64    // when
	seen   map[string][]int64 // activities, by customer
	by     map[lapse]string   // the source of the activity that a silence follows
	silent int64              // ms: the longest time without an event of the website
}

// sourceOf is the system of the shop that sends an event.
func sourceOf(eventType string) string {
	switch eventType {
	case shop.Order, "Order Refunded", "Payment Failed":
		return "back office"
	case "Support Ticket Opened", "Support Ticket Solved":
		return "helpdesk"
	default:
		return "website"
	}
}

// cutAt measures a shop on whose log what the website sends from from to to is left out.
func cutAt(s *shop.Shop, k *pack.Pack, guard bool, from, to int64) *cutShop {
	e := New(Config{Pack: k, Active: 2 * k.Horizon, List: true, Guard: guard})
	c := &cutShop{raised: map[lapse]int64{}, seen: map[string][]int64{}, by: map[lapse]string{}}
	newest := s.Start().UnixMilli()
	for ev := range s.Events() {
		if ev.Anonymous {
			continue
		}
		at, source := ev.Time.UnixMilli(), sourceOf(ev.Type)
		cut := source == "website" && from <= at && at < to
		if k.Signal([]byte(ev.Type)).Activity {
			c.seen[ev.Customer] = append(c.seen[ev.Customer], at)
			c.by[lapse{ev.Customer, at}] = source
		}
		if cut {
			continue
		}
		if source == "website" {
			c.silent, newest = max(c.silent, at-newest), at
		}
		e.Observe(&Event{
			Key: []byte(ev.Customer), Type: []byte(ev.Type), Time: at, ID: xxhash.Sum64String(ev.ID),
			Minor: ev.Value, HasValue: ev.Value != 0, Source: []byte(source), SourceHash: xxhash.Sum64String(source),
		})
	}
	e.Finish()
	for a := range e.Alerts() {
		if a.Transition == scoring.Raised {
			c.raised[lapse{a.Key(), a.Since}] = a.At
		}
	}
	return c
}

// cutLength is for how long the website's feed is cut.
const cutLength = 3 * millisPerDay

// TestCutFeed: a feed of the shop is cut for three days. Without the guard customers are alerted about of whom nobody can
// know whether they came. With it nobody is who depends on that feed, from two hours after the cut to its end. After its
// return everybody is who would have been if nothing had been cut, and stays away, and later by no more than the feed was
// silent. (Features count in calendar days, so under a pack with factors one of them may be.)
func TestCutFeed(t *testing.T) {
	s, err := shop.New(shop.Config{Customers: 12_000, Days: 300, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	from := s.Start().Add(200*24*time.Hour + 9*time.Hour).UnixMilli()
	for name, later := range map[string]int{"retail": 1, "any": 0} {
		k, err := pack.Load(name, nil, pack.Overrides{})
		if err != nil {
			t.Fatal(err)
		}
		whole := cutAt(s, k, true, 0, 0)
		if blind := cutAt(s, k, false, from, from+cutLength).blind(from); blind < 20 {
			t.Errorf("%s: without the guard %d are raised while the feed is cut", name, blind)
		}
		got := cutAt(s, k, true, from, from+cutLength)
		if blind := got.blind(from); blind > 0 {
			t.Errorf("%s: %d are raised while the feed is cut", name, blind)
		}
		due, missing, late := got.after(whole, from, k.Horizon.Milliseconds())
		if due < 70 || missing > 0 || late > later {
			t.Errorf("%s: of %d raised after the cut %d are missing, and %d come too late", name, due, missing, late)
		}
	}
}

// blind is how many are raised, from two hours after the cut to its end, of those who depend on the feed.
func (c *cutShop) blind(from int64) (n int) {
	for l, at := range c.raised {
		if c.by[l] == "website" && from+120*millisPerMinute <= at && at < from+cutLength {
			n++
		}
	}
	return n
}

// after compares the two weeks after a cut with those of the whole shop: how many are raised there of customers who
// depend on the feed and stay away, and of these how many are not here, or later by more than the feed was silent.
func (c *cutShop) after(whole *cutShop, from, horizon int64) (due, missing, late int) {
	for l, at := range whole.raised {
		returns := slices.ContainsFunc(
			whole.seen[l.customer],
			func(seen int64) bool { return l.since < seen && seen < at+horizon },
		)
		if c.by[l] != "website" || at < from+120*millisPerMinute || at > from+cutLength+14*millisPerDay || returns {
			continue
		}
		due++
		switch when, ok := c.raised[l]; {
		case !ok:
			missing++
		case when > at+c.silent+millisPerMinute:
			late++
		}
	}
	return due, missing, late
}
