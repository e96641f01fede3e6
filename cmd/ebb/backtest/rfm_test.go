package backtest

import (
	"cmp"
	"maps"
	"math"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// compareRFM compares the order of the rank sum with the naive one.
func compareRFM(t *rapid.T, s *snapshot, log []happened) {
	known := slices.IndexFunc(log, func(h happened) bool { return h.at > s.at })
	rows, sums := slices.Clone(s.rows), map[string]float64{}
	for i, sum := range s.rfm() {
		sums[rows[i].customer.name] = sum
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(sums[b.customer.name], sums[a.customer.name]) })
	var got []string
	for _, r := range rows {
		got = append(got, r.customer.name)
	}
	if diff := gocmp.Diff(naiveRFM(log[:known], s.at, false), got); diff != "" {
		t.Fatalf("RFM at %d (-want +got):\n%s", s.at, diff)
	}
}

// listedIn is when the rule lists customers, by one look at the whole log per list, while lists are judged. waits: those
// who have failed before alone.
func listedIn(log []happened, raised map[string][]int64, from, until int64, waits bool) map[string][]int64 {
	all := slices.Concat(slices.Collect(maps.Values(raised))...)
	listed := map[string][]int64{}
	for mark := from + listEvery; mark <= until; mark += listEvery {
		n := 0
		for _, at := range all {
			if at > mark-listEvery && at <= mark && at >= from && at <= until {
				n++
			}
		}
		if mark == from+listEvery {
			for _, at := range all {
				if at == from {
					n++
				}
			}
		}
		next := slices.IndexFunc(append(log, happened{at: math.MaxInt64}), func(h happened) bool { return h.at > mark })
		for _, name := range naiveRFM(log[:next], mark, waits) {
			times := listed[name]
			if n > 0 && (len(times) == 0 || times[len(times)-1] < lastBought(log[:next], name)) {
				listed[name] = append(times, mark)
				n--
			}
		}
	}
	return listed
}

// raisedIn is when alerts are raised in a log, by customer.
func raisedIn(pack *pack.Pack, log []happened) map[string][]int64 {
	raised := map[string][]int64{}
	profiles := map[string]*profile.Profile{}
	var pop profile.Population
	scorer := scoring.NewScorer(pack)
	wake := func(name string, at int64) {
		for p := profiles[name]; p.Armed != 0 && p.Armed <= at/60_000; {
			for _, d := range scorer.Wake(&profile.Customer{Profile: p}) {
				if d.Transition == scoring.Raised {
					raised[name] = append(raised[name], d.At)
				}
			}
		}
	}
	for _, h := range log {
		if profiles[h.customer] == nil {
			profiles[h.customer] = &profile.Profile{}
		}
		wake(h.customer, h.at)
		scorer.Observe(
			&profile.Customer{Profile: profiles[h.customer]},
			&pop,
			&scoring.Observation{Time: h.at, Signal: pack.Signal([]byte(h.kind))},
		)
	}
	for name := range profiles {
		wake(name, log[len(log)-1].at)
	}
	return raised
}

func lastBought(log []happened, name string) int64 {
	for _, h := range slices.Backward(log) {
		if h.customer == name && h.kind == "buy" {
			return h.at
		}
	}
	return 0
}

// naiveRFM is the active customers as of mark, highest rank sum first, those with equal ones in the order of their
// first event that counts. waits: those who have failed alone.
func naiveRFM(log []happened, mark int64, waits bool) []string {
	type customer struct {
		name              string
		failed            bool
		last, days, value float64
		on                map[int64]bool
	}
	var all []*customer
	for i, h := range log {
		if h.kind == "other" {
			continue
		}
		at := slices.IndexFunc(all, func(c *customer) bool { return c.name == h.customer })
		if at < 0 {
			at = len(all)
			all = append(all, &customer{name: h.customer, on: map[int64]bool{}})
		}
		all[at].failed = all[at].failed || h.kind == "fail"
		if c := all[at]; h.kind == "buy" {
			c.last, c.value = float64(h.at), c.value+log[i].value()
			c.on[h.at/millisPerDay] = true
			c.days = float64(len(c.on))
		}
	}
	all = slices.DeleteFunc(
		all,
		func(c *customer) bool {
			return c.days == 0 || c.last <= float64(mark-2*horizonDays*millisPerDay) || waits && !c.failed
		},
	)
	sum := func(c *customer) float64 {
		total := 0.0
		for _, other := range all {
			for _, pair := range [][2]float64{{c.last, other.last}, {c.days, other.days}, {c.value, other.value}} {
				if pair[0] < pair[1] { // lower than the other: ranks above it
					total++
				} else if pair[0] == pair[1] {
					total += 0.5
				}
			}
		}
		return total
	}
	slices.SortStableFunc(all, func(a, b *customer) int { return cmp.Compare(sum(b), sum(a)) })
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}
