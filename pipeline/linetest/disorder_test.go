//go:build integration

package linetest_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ebb/pipeline/linetest/oracle"
)

// Events that come late, twice, or from a clock that runs days ahead, count as specified, with the default lateness.
func TestDisorder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	input := w.produce(disordered(shop(5, 2_000, 500)))
	g := w.group("run", redisAddress(), map[string]string{"time.lateness": "5m"})
	s := g.run(nil, nil, append(shopFlags(), "--until-end")...).finish()

	settings := shopSettings()
	settings.Lateness = 5 * time.Minute
	want := oracle.Fold(input, settings)
	got := g.published()
	checkOnce(t, got)
	checkFold(t, want.Alerts, got)
	c := want.Counts
	if s.Events != c.Records || s.Duplicates != c.Duplicates || s.Late != c.Late || s.Alerts != len(want.Alerts) {
		t.Errorf("summary %+v, the fold says %+v and %d alerts", s, c, len(want.Alerts))
	}
	if c.Duplicates < 100 || c.Late < 100 || len(want.Alerts) < 1000 {
		t.Errorf("the log is too tame: %+v and %d alerts", c, len(want.Alerts))
	}
}

// disordered puts rows into an order of arrival up to half an hour after their times, one in fifty a second time, and
// one in five hundred with a time up to five days ahead.
func disordered(rows []row) []record {
	r := rand.New(rand.NewPCG(9, 9))
	type arrival struct {
		record
		at int64 // ms
	}
	var all []arrival
	for i, rw := range rows {
		at := rw.seconds * 1000
		if r.IntN(500) == 0 {
			rw.seconds += r.Int64N(5 * 86_400)
		}
		rec := record{key: rw.customer, value: rw.flat("shop", i), millis: rw.seconds * 1000}
		for range 1 + max(0, 1-r.IntN(50)) {
			all = append(all, arrival{rec, at + r.Int64N(30*60_000)})
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	records := make([]record, len(all))
	for i, a := range all {
		records[i] = a.record
	}
	return records
}
