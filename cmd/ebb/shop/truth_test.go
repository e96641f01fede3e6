package shop_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/shop"
)

// histories are a shop's events by customer.
func histories(s *shop.Shop) map[string][]shop.Event {
	h := map[string][]shop.Event{}
	for ev := range s.Events() {
		h[ev.Customer] = append(h[ev.Customer], ev)
	}
	return h
}

// TestTruth compares the truth with the events, at several moments of the shop.
func TestTruth(t *testing.T) {
	s := open(t, shop.Config{Seed: 3, Customers: 1500})
	events := histories(s)
	atEnd := map[string]shop.Leaver{}
	for l := range s.Leavers(time.Time{}) {
		atEnd[l.Customer] = l
	}
	for _, days := range []int{0, 20, 200, 539, 540, 900} {
		until := s.Start().AddDate(0, 0, days)
		n := 0
		for l := range s.Leavers(until) {
			n++
			if !l.Left.Before(until) || l != atEnd[l.Customer] {
				t.Fatalf("left by day %d: %v, at the end: %v", days, l, atEnd[l.Customer])
			}
			h := events[l.Customer]
			if last := h[len(h)-1].Time; !last.Equal(l.Last) || !last.Before(l.Left) {
				t.Fatalf("%v has an event at %v", l, last)
			}
		}
		want := 0
		for _, l := range atEnd {
			if l.Left.Before(until) {
				want++
			}
		}
		if n != want {
			t.Errorf("%d left by day %d, want %d", n, days, want)
		}
	}
}

// TestTruthOfPart: where the number of events ends the shop, the events of customers who have left by the last one are
// complete.
func TestTruthOfPart(t *testing.T) {
	s := open(t, shop.Config{Seed: 4, Events: 30_000})
	last := map[string]time.Time{}
	var until time.Time
	for ev := range s.Events() {
		last[ev.Customer], until = ev.Time, ev.Time
	}
	n := 0
	for l := range s.Leavers(until) {
		n++
		if !last[l.Customer].Equal(l.Last) {
			t.Fatalf("%v, but the last event written is at %v", l, last[l.Customer])
		}
	}
	if n == 0 {
		t.Error("nobody left")
	}
}

func TestWriteTruth(t *testing.T) {
	s := open(t, shop.Config{Seed: 3, Customers: 200})
	var out bytes.Buffer
	n, err := s.WriteTruth(&out, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"customer", "last_event", "left_at", "cause"}}
	for l := range s.Leavers(time.Time{}) {
		want = append(
			want,
			[]string{
				l.Customer,
				l.Last.Format("2006-01-02T15:04:05.000Z"),
				l.Left.Format("2006-01-02T15:04:05.000Z"),
				l.Cause.String(),
			},
		)
	}
	if diff := gocmp.Diff(want, rows); diff != "" || n != len(want)-1 {
		t.Errorf("%d leavers; want (-), written (+):\n%s", n, diff)
	}
}

// TestCauses checks each cause by the events of the customers who left for it, where no feed was cut at the end.
func TestCauses(t *testing.T) {
	s := open(t, shop.Config{Seed: 6, Customers: 10_000})
	events := histories(s)
	share := map[shop.Cause]int{}
	var slower, wooed int
	for l := range s.Leavers(time.Time{}) {
		share[l.Cause]++
		h := events[l.Customer]
		if count(h, shop.Order, time.Time{}) == 0 && !cutBetween(s, h[0].Time.AddDate(0, 0, -7), l.Left) {
			t.Errorf("%v never bought", l)
		}
		if cutBetween(s, l.Last.AddDate(0, 0, -30), l.Left) {
			continue
		}
		last := h[len(h)-1]
		switch l.Cause {
		case shop.Once:
			if v := visits(h); len(v) != 1 {
				t.Errorf("%v came %d times", l, len(v))
			}
		case shop.Tried:
			if v := visits(h); len(v) < 2 || len(v) > 5 {
				t.Errorf("%v came %d times", l, len(v))
			}
		case shop.Returned:
			if last.Type != "Order Refunded" {
				t.Errorf("%v: the last event is %v", l, last)
			}
		case shop.Unpaid:
			if n := count(h, "Payment Failed", l.Left.AddDate(0, 0, -3)); n != 2 || last.Type != "Payment Failed" {
				t.Errorf("%v: %d failed payments at the end, the last event is %v", l, n, last)
			}
		case shop.Unheard:
			opened, solved := count(h, "Support Ticket Opened", time.Time{}), count(h, "Support Ticket Solved", time.Time{})
			if opened-solved < 2 || last.Type != "Support Ticket Opened" {
				t.Errorf("%v: %d tickets, %d solved, the last event is %v", l, opened, solved, last)
			}
		case shop.Rival:
			if v := visits(h); len(v) > 9 {
				gaps := differences(v)
				wooed++
				if median(gaps[len(gaps)-2:]) > median(gaps[:len(gaps)-4]) {
					slower++
				}
			}
		case shop.Cancelled, shop.Deserted, shop.Wronged, shop.Unsold: // of other businesses
		case shop.Moved, shop.Stays, shop.Causes: // from one day to the next, or never reported
		}
	}
	for cause, bounds := range map[shop.Cause][2]int{
		shop.Once:     {2000, 3000},
		shop.Tried:    {1000, 2000},
		shop.Moved:    {80, 250},
		shop.Rival:    {80, 300},
		shop.Returned: {300, 700},
		shop.Unpaid:   {200, 450},
		shop.Unheard:  {200, 500},
	} {
		if n := share[cause]; n < bounds[0] || n > bounds[1] {
			t.Errorf("%d of 10,000 customers %v, want %d to %d", n, cause, bounds[0], bounds[1])
		}
	}
	if slower*100 < wooed*70 {
		t.Errorf("%d of %d whom a rival won came less often at the end", slower, wooed)
	}
}

// cutBetween reports whether a feed was cut between two moments.
func cutBetween(s *shop.Shop, from, to time.Time) bool {
	return slices.ContainsFunc(s.Cuts(), func(c shop.Cut) bool { return c.From.Before(to) && from.Before(c.To) })
}

// TestCuts: while a feed is cut nothing of its source comes, and all else does.
func TestCuts(t *testing.T) {
	s := open(t, shop.Config{Seed: 9, Customers: 5000})
	of := map[string]string{
		"Order Completed": "back office", "Order Refunded": "back office", "Payment Failed": "back office",
		"Support Ticket Opened": "helpdesk", "Support Ticket Solved": "helpdesk",
	}
	cuts, others := s.Cuts(), 0
	for ev := range s.Events() {
		for _, c := range cuts {
			if ev.Time.Before(c.From) || !ev.Time.Before(c.To) {
				continue
			}
			if others++; cmp.Or(of[ev.Type], "website") == c.Source {
				t.Fatalf("%v while the feed of %s was cut, %v to %v", ev, c.Source, c.From, c.To)
			}
		}
	}
	days := 0.0
	for _, c := range cuts {
		days += c.To.Sub(c.From).Hours() / 24
	}
	if len(cuts) < 2 || days < 2 || days > 30 || others == 0 {
		t.Errorf("%d cuts of %.1f days together, %d events of other sources in them", len(cuts), days, others)
	}
}

// TestVisitors: some have an account and never buy, others no account; neither are customers who leave.
func TestVisitors(t *testing.T) {
	s := open(t, shop.Config{Seed: 9, Customers: 4000})
	leavers := map[string]bool{}
	for l := range s.Leavers(time.Time{}) {
		leavers[l.Customer] = true
	}
	accounts, anonymous := 0, 0
	for customer, h := range histories(s) {
		if h[0].Anonymous != strings.HasPrefix(customer, "a-") {
			t.Fatalf("anonymous: %v, called %s", h[0].Anonymous, customer)
		}
		if count(h, shop.Order, time.Time{}) > 0 || cutBetween(s, h[0].Time, h[len(h)-1].Time.AddDate(0, 0, 7)) {
			continue
		}
		if leavers[customer] {
			t.Errorf("%s has left and never bought", customer)
		}
		if len(visits(h)) > 4 {
			t.Errorf("%s came %d times and never bought", customer, len(visits(h)))
		}
		if h[0].Anonymous {
			anonymous++
		} else {
			accounts++
		}
	}
	if anonymous < 1500 || accounts < 300 || accounts > 500 {
		t.Errorf("%d anonymous visitors and %d with an account never bought, of 4,000 customers", anonymous, accounts)
	}
}

// TestPlausible checks that the shop's figures are plausible.
func TestPlausible(t *testing.T) {
	s := open(t, shop.Config{Seed: 8, Customers: 10_000})
	left := map[string]bool{}
	for l := range s.Leavers(time.Time{}) {
		left[l.Customer] = true
	}
	kinds, byMonth := map[string]int{}, map[time.Month]int{}
	var pauses, night, regulars int
	var typical []float64
	for customer, h := range histories(s) {
		for _, ev := range h {
			kinds[ev.Type]++
			if ev.Type == "Order Completed" && ev.Time.Year() == 2025 {
				byMonth[ev.Time.Month()]++
			}
			if (ev.Type == "Order Refunded") != (ev.Value < 0) {
				t.Fatalf("value of %v", ev)
			}
		}
		v := visits(h)
		for _, at := range v {
			if at.Hour() < 7 {
				night++
			}
		}
		if len(v) < 12 || left[customer] {
			continue
		}
		regulars++
		gaps := differences(v)
		typical = append(typical, median(gaps))
		if slices.Max(gaps) > 4*median(gaps) {
			pauses++
		}
	}
	slices.Sort(typical)
	within := func(what string, got, low, high float64) {
		t.Helper()
		if got < low || got > high {
			t.Errorf("%s: %.3f, want %g to %g", what, got, low, high)
		}
	}
	orders := float64(kinds["Order Completed"])
	within("leavers per customer", float64(len(left))/10_000, 0.45, 0.65)
	within("orders per customer", orders/10_000, 3, 6)
	within("views per order", float64(kinds["Product Viewed"])/orders, 2, 5)
	within("orders sent back", float64(kinds["Order Refunded"])/orders, 0.03, 0.1)
	within("payments failed per order", float64(kinds["Payment Failed"])/orders, 0.015, 0.06)
	within("tickets per order", float64(kinds["Support Ticket Opened"])/orders, 0.02, 0.08)
	within("typical gap of a frequent customer in days", typical[len(typical)/20], 4, 9)
	within("typical gap of a rare customer in days", typical[len(typical)*19/20], 15, 60)
	within("frequent customers with a long pause who came back", float64(pauses)/float64(regulars), 0.5, 0.95)
	within("December against February", float64(byMonth[time.December])/31/(float64(byMonth[time.February])/28), 1.02, 1.6)
	within("visits begun at night", float64(night), 0, 0)
}

func count(h []shop.Event, kind string, from time.Time) (n int) {
	for _, ev := range h {
		if ev.Type == kind && !ev.Time.Before(from) {
			n++
		}
	}
	return n
}

// visits are the beginnings of a customer's visits: activity half an hour after the activity before, or later.
func visits(h []shop.Event) (begun []time.Time) {
	var last time.Time
	for _, ev := range h {
		if ev.Type != "Products Searched" && ev.Type != "Product Viewed" && ev.Type != "Order Completed" {
			continue
		}
		if ev.Time.Sub(last) > 30*time.Minute {
			begun = append(begun, ev.Time)
		}
		last = ev.Time
	}
	return begun
}

func differences(at []time.Time) (days []float64) {
	for i := 1; i < len(at); i++ {
		days = append(days, at[i].Sub(at[i-1]).Hours()/24)
	}
	return days
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
