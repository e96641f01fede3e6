package feature_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring/feature"
	"ebb/scoring/scoringtest"
)

// drawState draws features and their state after a history.
func drawState(
	t *rapid.T,
	kinds []feature.Kind,
) (f *feature.Set, decl []feature.Feature, history []feature.Event, state []byte, first int64) {
	f, decl = drawFeatures(t, kinds...)
	history = drawHistory(t, true)
	if len(history) > 0 && rapid.Bool().Draw(t, "active") {
		first = history[0].Time
	}
	for _, o := range history {
		state, _ = f.Fold(state, &o)
	}
	return f, decl, history, state, first
}

// TestFeatureEdges: between two edges no value changes, and ranges hold exactly the values between two instants, or
// more for ratios.
func TestFeatureEdges(t *testing.T) {
	t.Run("all", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { checkEdges(t, nil) }) })
	t.Run("ratio", func(t *testing.T) {
		kinds := []feature.Kind{feature.Ratio, feature.Count, feature.Sum}
		rapid.Check(t, func(t *rapid.T) { checkEdges(t, kinds) })
	})
}

func checkEdges(t *rapid.T, kinds []feature.Kind) {
	f, decl, history, state, first := drawState(t, kinds)
	from := drawInstants(t, history, 1)[0]
	to := from + rapid.SampledFrom([]int64{0, hour, 3 * scoringtest.Day, 20 * scoringtest.Day, 800 * scoringtest.Day}).
		Draw(t, "span")
	seen := make([]feature.Range, len(decl))
	for i := range seen {
		seen[i].Always = true
	}
	at, now, next := from, []feature.Value{}, []feature.Value{}
	for edges := 0; ; edges++ {
		now = f.Values(now[:0], feature.All, state, first, at)
		for i, v := range now {
			seen[i] = widen(seen[i], v)
		}
		edge := f.EdgeOfAny(now, state, first, at)
		if edge <= at {
			t.Fatalf("edge %d after %d", edge, at)
		}
		last := min(edge-1, at+1000*scoringtest.Day)
		for _, between := range []int64{last, at + rapid.Int64Range(0, last-at).Draw(t, "between")} {
			if next = f.Values(next[:0], feature.All, state, first, between); !slices.Equal(now, next) {
				t.Fatalf("%+v at %d, %+v at %d, next edge %d of %+v", now, at, next, between, edge, decl)
			}
		}
		if edge > to {
			break
		}
		if edges == 200 {
			to = at
			break
		}
		at = edge
	}
	for i, r := range f.Ranges(nil, feature.All, state, first, from, to) {
		s := seen[i]
		if decl[i].Kind != feature.Ratio && r != s || s.Sometimes && (r.Least > s.Least || r.Greatest < s.Greatest) ||
			r.Always && !s.Always ||
			s.Sometimes && !r.Sometimes {
			t.Fatalf("%+v of %+v between %d and %d, seen %+v", r, decl[i], from, to, s)
		}
	}
	for i, r := range f.Ranges(nil, feature.All, state, first, from, from) {
		v := f.Values(nil, feature.All, state, first, from)[i]
		if r != (feature.Range{Least: v.N, Greatest: v.N, Always: v.OK, Sometimes: v.OK}) {
			t.Fatalf("range of one instant %+v, value %+v", r, v)
		}
	}
}

// TestRatioOfRanges: the ratio of any two values within their ranges is within the ratio's range.
func TestRatioOfRanges(t *testing.T) {
	none, zero := feature.Range{}, feature.Range{Always: true, Sometimes: true}
	if r := feature.RatioOf(zero, zero, 1); r != none {
		t.Errorf("%+v of nothing", r)
	}
	draw := func(t *rapid.T, name string, least int64) (r feature.Range, v feature.Value) {
		n := rapid.OneOf(rapid.Int64Range(least, 9), rapid.Int64Range(least, math.MaxInt64)).Draw(t, name)
		r = feature.Range{Least: n, Greatest: n + min(rapid.Int64Range(0, 9).Draw(t, "width"), math.MaxInt64-n)}
		r.Sometimes = rapid.IntRange(0, 4).Draw(t, "sometimes") > 0
		r.Always = r.Sometimes && rapid.Bool().Draw(t, "always")
		if v.OK = r.Always || r.Sometimes && rapid.Bool().Draw(t, "now"); v.OK {
			v.N = rapid.Int64Range(r.Least, r.Greatest).Draw(t, "value")
		}
		return r, v
	}
	rapid.Check(t, func(t *rapid.T) {
		of, a := draw(t, "of", -math.MaxInt64)
		to, b := draw(t, "to", 0)
		least := rapid.Int64Range(1, 4).Draw(t, "least")
		r, ok := feature.RatioOf(of, to, least), a.OK && b.OK && b.N >= least
		if ok && !r.Sometimes || !ok && r.Always {
			t.Fatalf("%+v of %+v: %+v", a, b, r)
		}
		want := new(big.Int).Mul(big.NewInt(a.N), big.NewInt(1000))
		if !ok || !want.IsInt64() {
			return
		}
		if n := want.Int64() / b.N; n < r.Least || n > r.Greatest {
			t.Fatalf("%d of %d: %d, not within %+v of %+v, %+v", a.N, b.N, n, r, of, to)
		}
	})
}

// widen is a range that contains v too.
func widen(r feature.Range, v feature.Value) feature.Range {
	switch {
	case !v.OK:
		r.Always = false
	case !r.Sometimes:
		r.Least, r.Greatest, r.Sometimes = v.N, v.N, true
	default:
		r.Least, r.Greatest = min(r.Least, v.N), max(r.Greatest, v.N)
	}
	return r
}

// TestRatioNeedsBoth: a ratio of features without data is not zero, and neither is one based on it.
func TestRatioNeedsBoth(t *testing.T) {
	f := scoringtest.Must(feature.Compile([]feature.Feature{
		{Name: "spent", Kind: feature.Sum, Of: 0, To: -1, Property: -1, Within: 90},
		{Name: "orders", Kind: feature.Count, Of: 0, To: -1, Property: -1, Within: 90},
		{Name: "orders_year", Kind: feature.Count, Of: 0, To: -1, Property: -1, Within: 364},
		{Name: "mean", Kind: feature.Ratio, Of: 0, To: 1, Property: -1, Least: 1},
		{Name: "mean_trend", Kind: feature.Ratio, Of: 3, To: 2, Property: -1, Least: 1},
		{Name: "clicks", Kind: feature.Count, Of: 1, To: -1, Property: -1, Within: 90},
		{Name: "click_share", Kind: feature.Ratio, Of: 5, To: 1, Property: -1, Least: 1},
		{Name: "visits", Kind: feature.Count, Of: 2, To: -1, Property: -1, Within: 90, AbsentZero: true},
		{Name: "visit_share", Kind: feature.Ratio, Of: 7, To: 1, Property: -1, Least: 1},
	}))
	state, _ := f.Fold(nil, &feature.Event{Time: scoringtest.Begin, Set: 1, Value: 500, HasValue: true})
	for _, c := range []struct {
		after                int64
		mean, trend, visited feature.Value
	}{
		{
			10 * scoringtest.Day,
			feature.Value{N: 500_000, OK: true},
			feature.Value{N: 500_000_000, OK: true},
			feature.Value{OK: true},
		},
		// the denominator has left the window
		{100 * scoringtest.Day, feature.Value{}, feature.Value{}, feature.Value{}},
	} {
		v := f.Values(nil, feature.All, state, scoringtest.Begin, scoringtest.Begin+c.after)
		if v[3] != c.mean || v[4] != c.trend || v[8] != c.visited || v[6].OK {
			t.Errorf("%d days on: %+v", c.after/scoringtest.Day, v)
		}
		r := f.Ranges(nil, feature.All, state, scoringtest.Begin, scoringtest.Begin+c.after, scoringtest.Begin+c.after)
		if r[4].Sometimes != c.trend.OK || r[6].Sometimes {
			t.Errorf("%d days on: ranges %+v", c.after/scoringtest.Day, r)
		}
	}
}

// TestLastRunsOut: a range that ends where the newest event leaves the window does not always have data.
func TestLastRunsOut(t *testing.T) {
	f := scoringtest.Must(
		feature.Compile([]feature.Feature{{Name: "n", Kind: feature.Last, Of: 0, To: -1, Property: 0, Within: 3}}),
	)
	midnight := scoringtest.Begin / scoringtest.Day * scoringtest.Day
	state, _ := f.Fold(
		nil,
		&feature.Event{Time: midnight, Set: 1, Properties: []feature.Property{{Kind: feature.PropertyNumber, Number: 7}}},
	)
	for to, always := range map[int64]bool{3*scoringtest.Day - 1: true, 3 * scoringtest.Day: false} {
		r := f.Ranges(nil, feature.All, state, midnight, midnight+scoringtest.Day, midnight+to)[0]
		if want := (feature.Range{Least: 7, Greatest: 7, Always: always, Sometimes: true}); r != want {
			t.Errorf("up to %d ms: %+v, want %+v", to, r, want)
		}
	}
}
