package shop_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	want := [][]string{{"customer", "last_event", "left_at", "story"}}
	for l := range s.Leavers(time.Time{}) {
		want = append(
			want,
			[]string{
				l.Customer,
				l.Last.Format("2006-01-02T15:04:05.000Z"),
				l.Left.Format("2006-01-02T15:04:05.000Z"),
				l.Story.String(),
			},
		)
	}
	if diff := cmp.Diff(want, rows); diff != "" || n != len(want)-1 {
		t.Errorf("%d leavers; want (-), written (+):\n%s", n, diff)
	}
}

// TestStories checks each way of leaving by the events of the customers who left so.
func TestStories(t *testing.T) {
	s := open(t, shop.Config{Seed: 6, Customers: 3000})
	events := histories(s)
	share := map[shop.Story]int{}
	var slower, drifted int
	for l := range s.Leavers(time.Time{}) {
		share[l.Story]++
		h := events[l.Customer]
		switch l.Story {
		case shop.Unpaid:
			if n := count(h, "Payment Failed", l.Left.AddDate(0, 0, -3)); n != 2 || h[len(h)-1].Type != "Payment Failed" {
				t.Errorf("%v: %d failed payments at the end, the last event is %v", l, n, h[len(h)-1])
			}
		case shop.Unheard:
			opened, solved := count(h, "Support Ticket Opened", time.Time{}), count(h, "Support Ticket Solved", time.Time{})
			if opened-solved < 2 || h[len(h)-1].Type != "Support Ticket Opened" {
				t.Errorf("%v: %d tickets, %d solved, the last event is %v", l, opened, solved, h[len(h)-1])
			}
		case shop.Drifted:
			if v := visits(h); len(v) > 9 {
				gaps := differences(v)
				drifted++
				if median(gaps[len(gaps)-2:]) > median(gaps[:len(gaps)-4]) {
					slower++
				}
			}
		default: // vanished, or never reported
		}
	}
	for story, bounds := range map[shop.Story][2]int{
		shop.Vanished: {400, 800},
		shop.Drifted:  {250, 600},
		shop.Unpaid:   {100, 300},
		shop.Unheard:  {100, 300},
	} {
		if n := share[story]; n < bounds[0] || n > bounds[1] {
			t.Errorf("%d of 3,000 customers %v, want %d to %d", n, story, bounds[0], bounds[1])
		}
	}
	if slower*100 < drifted*75 {
		t.Errorf("%d of %d who drifted away came less often at the end", slower, drifted)
	}
}

// TestPlausible checks that the shop's figures are plausible.
func TestPlausible(t *testing.T) {
	s := open(t, shop.Config{Seed: 8, Customers: 3000})
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
	within("leavers per customer", float64(len(left))/3000, 0.35, 0.5)
	within("orders per customer", orders/3000, 8, 15)
	within("views per order", float64(kinds["Product Viewed"])/orders, 2, 5)
	within("orders sent back", float64(kinds["Order Refunded"])/orders, 0.03, 0.1)
	within("payments failed per order", float64(kinds["Payment Failed"])/orders, 0.015, 0.06)
	within("tickets per order", float64(kinds["Support Ticket Opened"])/orders, 0.02, 0.08)
	within("typical gap of a frequent customer in days", typical[len(typical)/20], 4, 9)
	within("typical gap of a rare customer in days", typical[len(typical)*19/20], 25, 60)
	within("regulars with a long pause who came back", float64(pauses)/float64(regulars), 0.05, 0.4)
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
