package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ebb/cmd/ebb/demo"
	"ebb/cmd/ebb/shop"
	"ebb/scoring/pack"
)

// TestDemoAgainstTheTruth compares the summary with the simulator's truth and the alerts, combined another way: by
// going through each customer's whole history.
func TestDemoAgainstTheTruth(t *testing.T) {
	o := run(
		t,
		nil,
		strings.NewReader(""),
		"demo",
		"--for",
		"0",
		"--customers",
		"3000",
		"--seed",
		"3",
		"--json",
	).want(t, 0)
	alerts, got := demoLines(t, o.stdout)
	h := shopHistory(t, shop.Config{Customers: 3000, Seed: 3})
	for _, a := range alerts {
		if a.Transition == "raised" {
			h.raised[a.Customer] = append(h.raised[a.Customer], a.Time)
		}
	}
	want, groups := h.judge()
	if got.Events != h.events || !got.Simulated || got.Truth == nil {
		t.Fatalf("the summary says %+v; the shop has %d events", got, h.events)
	}
	truth := got.Truth
	numbers := [5]int64{truth.Left, truth.Early, truth.Recent, truth.Undecided, truth.Visitors}
	if numbers != want {
		t.Errorf("left, early, recent, undecided, visitors: %d, want %d", numbers, want)
	}
	for _, g := range truth.Groups {
		if g.By == "class" { // package silence tests classes
			continue
		}
		g.MedianDays, g.MedianGaps = nil, nil
		if w := groups[g.By+" "+g.Name]; g != w {
			t.Errorf("the summary says %+v, want %+v", g, w)
		}
	}
	addUp(t, truth.Groups)
	all := truth.Groups[0]
	if 2*all.ByHorizon < all.Leavers || all.MedianDays == nil || *all.MedianDays > 90 {
		t.Errorf("of the leavers less than half were caught, or the figures do not fit together: %+v", all)
	}
	if all.Right == 0 || all.Right == all.Alerts {
		t.Errorf("%d of %d alerts were right: neither none nor all can be", all.Right, all.Alerts)
	}
}

// addUp: customers are of one class and of one value tier each, and leavers left for one cause.
func addUp(t *testing.T, groups []demo.Group) {
	t.Helper()
	leavers, alerts := map[string]int64{}, map[string]int64{}
	for _, g := range groups {
		leavers[g.By] += g.Leavers
		alerts[g.By] += g.Alerts
	}
	for _, by := range []string{"value", "class", "cause"} {
		if leavers[by] != leavers["all"] || by != "cause" && alerts[by] != alerts["all"] {
			t.Errorf(
				"by %s: %d leavers, %d alerts; of all %d and %d",
				by,
				leavers[by],
				alerts[by],
				leavers["all"],
				alerts["all"],
			)
		}
	}
}

// history is what happened in a shop, customer by customer.
type history struct {
	shop   *shop.Shop
	events int64
	end    time.Time
	active map[string][]time.Time
	orders map[string][]shop.Event
	raised map[string][]time.Time

	groups map[string]demo.Group
}

func shopHistory(t *testing.T, cfg shop.Config) *history {
	t.Helper()
	s, err := shop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k, err := pack.Load("retail", nil, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	h := &history{
		shop: s, active: map[string][]time.Time{}, orders: map[string][]shop.Event{}, raised: map[string][]time.Time{},
		groups: map[string]demo.Group{},
	}
	for ev := range s.Events() {
		h.events, h.end = h.events+1, ev.Time
		if slices.Contains(k.Activity, ev.Type) {
			h.active[ev.Customer] = append(h.active[ev.Customer], ev.Time)
		}
		if ev.Type == "Order Completed" {
			h.orders[ev.Customer] = append(h.orders[ev.Customer], ev)
		}
	}
	return h
}

const (
	aDay    = 24 * time.Hour
	horizon = 90 * aDay // of the pack retail
)

// judge returns how many left, how many of them are left out because they are silent since early, or for too short, and
// how many alerts because nobody knows yet, or because they are about visitors. Groups are by what they are made by,
// and their name.
func (h *history) judge() (numbers [5]int64, groups map[string]demo.Group) {
	from, until := h.shop.Start().Add(h.end.Sub(h.shop.Start())/10), h.end.Add(-horizon)
	for customer := range h.active {
		for _, s := range h.silences(customer) {
			i := slices.IndexFunc(h.raised[customer], func(at time.Time) bool { return !at.Before(s[0]) && at.Before(s[1]) })
			if i < 0 {
				continue
			}
			switch at := h.raised[customer][i]; {
			case len(h.orders[customer]) == 0 || h.orders[customer][0].Time.After(s[0]):
				numbers[4]++
			case at.Before(from) || at.After(until):
				numbers[3]++
			default:
				h.add(customer, s[0], "", func(g *demo.Group) {
					g.Alerts++
					g.Right += one(s[1].Sub(at) > horizon)
				})
			}
		}
	}
	for l := range h.shop.Leavers(h.end) {
		numbers[0]++
		all := h.silences(l.Customer)
		if len(all) == 0 || all[len(all)-1][0].Before(from) {
			numbers[1]++
			continue
		}
		start := all[len(all)-1][0]
		if start.Add(horizon).After(h.end) {
			numbers[2]++
			continue
		}
		soon := horizon * 10
		for _, at := range h.raised[l.Customer] {
			if !at.Before(start) {
				soon = min(soon, at.Sub(start))
			}
		}
		h.add(l.Customer, start, l.Cause.String(), func(g *demo.Group) {
			g.Leavers++
			g.ByHalf += one(soon <= horizon/2)
			g.ByHorizon += one(soon <= horizon)
		})
	}
	return numbers, h.groups
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// silences are a customer's, each with its beginning and its end, the last with an end far away.
func (h *history) silences(customer string) (all [][2]time.Time) {
	at := h.active[customer]
	for i, start := range at {
		next := h.end.AddDate(1000, 0, 0)
		if i+1 < len(at) {
			next = at[i+1]
		}
		if next.Sub(start) >= aDay/2 {
			all = append(all, [2]time.Time{start, next})
		}
	}
	return all
}

// add changes the groups of a customer at a moment: of all, of its worth, and of a cause.
func (h *history) add(customer string, at time.Time, cause string, change func(*demo.Group)) {
	sum, worth := int64(0), "low"
	for _, o := range h.orders[customer] {
		if !o.Time.After(at) && o.Time.After(at.Add(-365*aDay)) {
			sum += o.Value
		}
	}
	switch {
	case sum >= 50_000:
		worth = "high"
	case sum >= 10_000:
		worth = "mid"
	}
	for _, name := range [][2]string{{"all", "all"}, {"value", worth}, {"cause", cause}} {
		if name[1] == "" {
			continue
		}
		g := h.groups[name[0]+" "+name[1]]
		g.By, g.Name = name[0], name[1]
		change(&g)
		h.groups[name[0]+" "+name[1]] = g
	}
}
