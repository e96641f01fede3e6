package line

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

const retained = 60 * pipeline.DayMillis

// visits folds records of one batch each, in order, and returns the remaining profiles, by customer, and the counts.
func visits(t *testing.T, size int, records []pipeline.Record) (left map[string]profile.Profile, tally Tally, due int) {
	t.Helper()
	s := newShelf(t, anyOf(t, 10*24*time.Hour), retained*time.Millisecond, 0)
	for part := range slices.Chunk(records, size) {
		s.put(t, part)
	}
	s.settle(t)
	return s.left(t), s.tally, len(s.buckets)
}

func key(customer string) string { return string(pipeline.AppendKey(nil, nil, []byte(customer))) }

// TestRetention removes the state of a customer who is silent for the retention, in the minute when that is so, unless
// a deadline is left.
func TestRetention(t *testing.T) {
	regular := func(days ...float64) (r []pipeline.Record) {
		for d := days[0]; d <= days[1]; d++ {
			r = append(r, visit("", "regular", "visit", d))
		}
		return r
	}
	for name, c := range map[string]struct {
		records          []pipeline.Record
		removed, visited int // customers removed, and visits of "c" in its state; -1: no state
		duplicates       int
	}{
		"silent": {
			slices.Concat([]pipeline.Record{visit("1", "c", "visit", 0)}, regular(1, 61)),
			1,
			-1,
			0,
		},
		"not yet": {
			slices.Concat([]pipeline.Record{visit("1", "c", "visit", 0)}, regular(1, 60)),
			0,
			1,
			0,
		},
		"put off by another event": {
			slices.Concat(
				[]pipeline.Record{visit("1", "c", "visit", 0)},
				regular(1, 40),
				[]pipeline.Record{visit("2", "c", "failed", 40)},
				regular(41, 99),
			),
			0,
			1,
			0,
		},
		"friction alone": {
			slices.Concat([]pipeline.Record{visit("1", "c", "failed", 0)}, regular(1, 61)),
			1,
			-1,
			0,
		},
		"back as a new one": {
			slices.Concat(
				[]pipeline.Record{visit("1", "c", "visit", 0)},
				regular(1, 61),
				[]pipeline.Record{visit("2", "c", "visit", 62)},
			),
			1,
			1,
			0,
		},
		"back in the very record": {
			[]pipeline.Record{
				visit("0", "regular", "visit", 0),
				visit("1", "c", "visit", 0),
				visit("2", "regular", "visit", 61),
				visit("3", "c", "visit", 61.1),
			},
			2,
			1,
			0,
		},
		"repeated while known": {
			slices.Concat(
				[]pipeline.Record{visit("1", "c", "visit", 0)},
				regular(1, 59),
				[]pipeline.Record{visit("1", "c", "visit", 59)},
			),
			0,
			1,
			1,
		},
		"repeated when forgotten": {
			slices.Concat(
				[]pipeline.Record{visit("1", "c", "visit", 0)},
				regular(1, 62),
				[]pipeline.Record{visit("1", "c", "visit", 62)},
			),
			1,
			1,
			0,
		},
		"older than the retention": {
			slices.Concat(regular(0, 90), []pipeline.Record{visit("1", "c", "visit", 5)}, regular(91, 92)),
			1,
			-1,
			0,
		},
		"nothing that counts": {
			[]pipeline.Record{
				{Value: []byte(`{"type":"identify","userId":"c","messageId":"m","timestamp":"2026-03-01T10:00:00Z"}`)},
			},
			0,
			-1,
			0,
		},
		"nothing that counts, before": {
			slices.Concat(
				[]pipeline.Record{visit("1", "c", "visit", 0)},
				regular(1, 62),
				[]pipeline.Record{
					{Value: []byte(`{"type":"identify","userId":"c","messageId":"m","timestamp":"2024-01-14T10:00:00Z"}`)},
				},
			),
			1,
			-1,
			0,
		},
	} {
		for _, size := range []int{1, 7, 1000} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				left, tally, _ := visits(t, size, c.records)
				p, ok := left[key("c")]
				visited := int(p.Visits)
				if !ok {
					visited = -1
				}
				if visited != c.visited || int(tally.Removed) != c.removed || int(tally.Duplicates) != c.duplicates {
					t.Errorf("%d visits left (-1: no state), %d removed, %d duplicates; want %d, %d, %d",
						visited, tally.Removed, tally.Duplicates, c.visited, c.removed, c.duplicates)
				}
			})
		}
	}
}

// TestRetentionByBatches removes the same customers, whether a sweep or the customer's own next event comes first, and
// leaves nothing of a removed customer.
func TestRetentionByBatches(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var records []pipeline.Record
	day := 0.0
	for i := range 3000 {
		day += r.ExpFloat64() * 0.4
		kind := "visit"
		if r.IntN(8) == 0 {
			kind = "failed"
		}
		customer := r.IntN(30) * r.IntN(30) * r.IntN(30) // some often, most hardly ever
		records = append(
			records,
			visit(strconv.Itoa(i-r.IntN(3)), strconv.Itoa(customer), kind, day-float64(r.IntN(4)/3*r.IntN(20))),
		)
	}
	want, counted, _ := visits(t, 1, records)
	if counted.Removed < 500 {
		t.Fatalf("only %d customers were removed", counted.Removed)
	}
	for _, size := range []int{2, 19, 400, 3000} {
		got, tally, buckets := visits(t, size, records)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(profile.IDRing{})); diff != "" {
			t.Fatalf("batches of %d records: profiles (-one at a time +batches):\n%s", size, diff)
		}
		if tally.Removed != counted.Removed || tally.Alerts != counted.Alerts || tally.Duplicates != counted.Duplicates {
			t.Errorf("batches of %d records: %+v, one at a time %+v", size, tally, counted)
		}
		if bound := 3 * len(got); buckets > bound {
			t.Errorf("%d due buckets for %d customers", buckets, len(got))
		}
	}
}

// TestRetentionOfVisitors removes a customer whom the pack does not alert about yet after the pack's retention, if that is
// shorter, and counts those that there are.
func TestRetentionOfVisitors(t *testing.T) {
	text := "name: shop\nversion: '1'\nhorizon: 10d\nactivity: [visit, buy]\nsignals: {buy: {types: [buy]}}\n" +
		"eligible: {signal: buy, retention: 20d}\n"
	k, err := pack.Load("shop.yaml", func(string) ([]byte, error) { return []byte(text), nil }, pack.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	var records []pipeline.Record
	for day := range 100 {
		records = append(records, visit("", "regular", "buy", float64(day)), visit("", "visitor", "visit", float64(day)+0.1))
		if day%2 == 0 { // who comes once, and never again
			records = append(records, visit("", fmt.Sprintf("v%d", day), "visit", float64(day)+0.2))
		}
		if day < 3 {
			records = append(records, visit("", "buyer", "buy", float64(day)+0.3))
		}
	}
	for name, c := range map[string]struct {
		retention      time.Duration
		left, visitors int // profiles
	}{
		"shorter than the others'": {60 * 24 * time.Hour, 1 + 1 + 10, 1 + 10},
		"longer than the others'":  {9 * 24 * time.Hour, 1 + 1 + 5, 1 + 5},
		"the others are kept":      {0, 2 + 1 + 10, 1 + 10},
	} {
		for _, size := range []int{1, 7, 1000} {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				s := newShelf(t, k, c.retention, 0)
				for part := range slices.Chunk(records, size) {
					s.put(t, part)
				}
				s.settle(t)
				if left := s.left(t); len(left) != c.left || int(s.meta.Ineligible) != c.visitors {
					t.Errorf("%d profiles are left, %d of visitors; want %d and %d", len(left), s.meta.Ineligible, c.left, c.visitors)
				}
				if s.tally.Ineligible != 150 {
					t.Errorf("%d events of visitors, want 150", s.tally.Ineligible)
				}
				told, _ := s.told(t)
				if delete(told, key("buyer")); len(told) > 0 {
					t.Errorf("alerts about %v", told)
				}
				// an event of a visitor moves no deadline: it is looked at once in a retention
				if most := uint64(len(records)) + 20; s.tally.Armed > most {
					t.Errorf("%d deadlines stored, at most %d expected", s.tally.Armed, most)
				}
			})
		}
	}
}
