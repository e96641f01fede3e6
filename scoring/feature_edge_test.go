package scoring_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring"
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

// TestFeatureEdges: between two edges no value changes, and ranges hold what is said between two instants, no more than that
// but for ratios.
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
	to := from + rapid.SampledFrom([]int64{0, hour, 3 * day, 20 * day, 800 * day}).Draw(t, "span")
	seen := make([]scoring.FeatureRange, len(decl))
	for i := range seen {
		seen[i].Always = true
	}
	at, now, next := from, []scoring.FeatureValue{}, []scoring.FeatureValue{}
	for edges := 0; ; edges++ {
		now = f.Values(now[:0], state, first, at)
		for i, v := range now {
			seen[i] = widen(seen[i], v)
		}
		edge := f.Edge(now, state, first, at)
		if edge <= at {
			t.Fatalf("edge %d after %d", edge, at)
		}
		last := min(edge-1, at+1000*day)
		for _, between := range []int64{last, at + rapid.Int64Range(0, last-at).Draw(t, "between")} {
			if next = f.Values(next[:0], state, first, between); !slices.Equal(now, next) {
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
	for i, r := range f.Ranges(nil, state, first, from, to) {
		s := seen[i]
		if decl[i].Kind != scoring.FeatureRatio && r != s || r.Least > s.Least || r.Greatest < s.Greatest || r.Always && !s.Always || s.Sometimes && !r.Sometimes {
			t.Fatalf("%+v of %+v between %d and %d, seen %+v", r, decl[i], from, to, s)
		}
	}
	for i, r := range f.Ranges(nil, state, first, from, from) {
		v := f.Values(nil, state, first, from)[i]
		if r != (scoring.FeatureRange{Least: v.N, Greatest: v.N, Always: v.OK, Sometimes: v.OK}) {
			t.Fatalf("range of one instant %+v, value %+v", r, v)
		}
	}
}

// TestRatioOfRanges: whatever two features say within their ranges, their ratio is within its range.
func TestRatioOfRanges(t *testing.T) {
	none, zero := scoring.FeatureRange{}, scoring.FeatureRange{Always: true, Sometimes: true}
	if r := scoring.Ratio(zero, zero, 1); r != none {
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
		r, ok := scoring.Ratio(of, to, least), b.OK && b.N >= least
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
