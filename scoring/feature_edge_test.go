package scoring_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
	"ebb/scoring/scoringtest"
)

// drawState draws features and what a history leaves of them.
func drawState(t *rapid.T, kinds []scoring.FeatureKind) (f *scoring.Features, decl []scoring.Feature, history []scoring.FeatureEvent, state []byte, first int64) {
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

// TestFeatureEdges: between two edges no value changes, and ranges hold what is said between two instants, no more
// than that but for ratios.
func TestFeatureEdges(t *testing.T) {
	t.Run("all", func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { checkEdges(t, nil) }) })
	t.Run("ratio", func(t *testing.T) {
		kinds := []scoring.FeatureKind{scoring.FeatureRatio, scoring.FeatureCount, scoring.FeatureSum}
		rapid.Check(t, func(t *rapid.T) { checkEdges(t, kinds) })
	})
}

func checkEdges(t *rapid.T, kinds []scoring.FeatureKind) {
	f, decl, history, state, first := drawState(t, kinds)
	from := drawInstants(t, history, 1)[0]
	to := from + rapid.SampledFrom([]int64{0, hour, 3 * scoringtest.Day, 20 * scoringtest.Day, 800 * scoringtest.Day}).Draw(t, "span")
	seen := make([]scoring.FeatureRange, len(decl))
	for i := range seen {
		seen[i].Always = true
	}
	at, now, next := from, []scoring.FeatureValue{}, []scoring.FeatureValue{}
	for edges := 0; ; edges++ {
		now = f.Values(now[:0], scoring.AllFeatures, state, first, at)
		for i, v := range now {
			seen[i] = widen(seen[i], v)
		}
		edge := f.EdgeOfAny(now, state, first, at)
		if edge <= at {
			t.Fatalf("edge %d after %d", edge, at)
		}
		last := min(edge-1, at+1000*scoringtest.Day)
		for _, between := range []int64{last, at + rapid.Int64Range(0, last-at).Draw(t, "between")} {
			if next = f.Values(next[:0], scoring.AllFeatures, state, first, between); !slices.Equal(now, next) {
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
	for i, r := range f.Ranges(nil, scoring.AllFeatures, state, first, from, to) {
		s := seen[i]
		if decl[i].Kind != scoring.FeatureRatio && r != s || s.Sometimes && (r.Least > s.Least || r.Greatest < s.Greatest) || r.Always && !s.Always || s.Sometimes && !r.Sometimes {
			t.Fatalf("%+v of %+v between %d and %d, seen %+v", r, decl[i], from, to, s)
		}
	}
	for i, r := range f.Ranges(nil, scoring.AllFeatures, state, first, from, from) {
		v := f.Values(nil, scoring.AllFeatures, state, first, from)[i]
		if r != (scoring.FeatureRange{Least: v.N, Greatest: v.N, Always: v.OK, Sometimes: v.OK}) {
			t.Fatalf("range of one instant %+v, value %+v", r, v)
		}
	}
}

// TestRatioOfRanges: whatever two features say within their ranges, their ratio is within its range.
func TestRatioOfRanges(t *testing.T) {
	none, zero := scoring.FeatureRange{}, scoring.FeatureRange{Always: true, Sometimes: true}
	if r := scoring.RatioOf(zero, zero, 1); r != none {
		t.Errorf("%+v of nothing", r)
	}
	draw := func(t *rapid.T, name string, least int64) (r scoring.FeatureRange, v scoring.FeatureValue) {
		n := rapid.OneOf(rapid.Int64Range(least, 9), rapid.Int64Range(least, math.MaxInt64)).Draw(t, name)
		r = scoring.FeatureRange{Least: n, Greatest: n + min(rapid.Int64Range(0, 9).Draw(t, "width"), math.MaxInt64-n)}
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
		r, ok := scoring.RatioOf(of, to, least), a.OK && b.OK && b.N >= least
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

// widen is a range that holds v too.
func widen(r scoring.FeatureRange, v scoring.FeatureValue) scoring.FeatureRange {
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

// TestRatioNeedsBoth: a ratio of what nothing is known of is not zero, nor is one that rests on it.
func TestRatioNeedsBoth(t *testing.T) {
	f := scoringtest.Must(scoring.CompileFeatures([]scoring.Feature{
		{Name: "spent", Kind: scoring.FeatureSum, Of: 0, To: -1, Property: -1, Within: 90},
		{Name: "orders", Kind: scoring.FeatureCount, Of: 0, To: -1, Property: -1, Within: 90},
		{Name: "orders_year", Kind: scoring.FeatureCount, Of: 0, To: -1, Property: -1, Within: 364},
		{Name: "mean", Kind: scoring.FeatureRatio, Of: 0, To: 1, Property: -1, Least: 1},
		{Name: "mean_trend", Kind: scoring.FeatureRatio, Of: 3, To: 2, Property: -1, Least: 1},
		{Name: "clicks", Kind: scoring.FeatureCount, Of: 1, To: -1, Property: -1, Within: 90},
		{Name: "click_share", Kind: scoring.FeatureRatio, Of: 5, To: 1, Property: -1, Least: 1},
		{Name: "visits", Kind: scoring.FeatureCount, Of: 2, To: -1, Property: -1, Within: 90, AbsentZero: true},
		{Name: "visit_share", Kind: scoring.FeatureRatio, Of: 7, To: 1, Property: -1, Least: 1},
	}))
	state, _ := f.Fold(nil, &scoring.FeatureEvent{Time: scoringtest.Begin, Set: 1, Value: 500, HasValue: true})
	for _, c := range []struct {
		after                int64
		mean, trend, visited scoring.FeatureValue
	}{
		{10 * scoringtest.Day, scoring.FeatureValue{N: 500_000, OK: true}, scoring.FeatureValue{N: 500_000_000, OK: true}, scoring.FeatureValue{OK: true}},
		{100 * scoringtest.Day, scoring.FeatureValue{}, scoring.FeatureValue{}, scoring.FeatureValue{}}, // what it is divided by has left the window
	} {
		v := f.Values(nil, scoring.AllFeatures, state, scoringtest.Begin, scoringtest.Begin+c.after)
		if v[3] != c.mean || v[4] != c.trend || v[8] != c.visited || v[6].OK {
			t.Errorf("%d days on: %+v", c.after/scoringtest.Day, v)
		}
		r := f.Ranges(nil, scoring.AllFeatures, state, scoringtest.Begin, scoringtest.Begin+c.after, scoringtest.Begin+c.after)
		if r[4].Sometimes != c.trend.OK || r[6].Sometimes {
			t.Errorf("%d days on: ranges %+v", c.after/scoringtest.Day, r)
		}
	}
}
