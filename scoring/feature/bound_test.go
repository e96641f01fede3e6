package feature_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"ebb/scoring/feature"
	"ebb/scoring/scoringtest"
)

// TestFeaturesSaturate: a number too large for a tile stays at its bound.
func TestFeaturesSaturate(t *testing.T) {
	f := scoringtest.Must(feature.Compile([]feature.Feature{
		{Name: "count", Kind: feature.Count, To: -1, Property: -1, Within: 3},
		{Name: "sum", Kind: feature.Sum, To: -1, Property: -1, Within: 3},
	}))
	var state []byte
	for d := range int64(4) {
		o := feature.Event{Time: scoringtest.Begin + d*scoringtest.Day, Set: 1, Value: math.MaxInt64, HasValue: true}
		for range feature.MaxCount + 1 {
			state, _ = f.Fold(state, &o)
		}
	}
	got := f.Values(nil, feature.All, state, 0, scoringtest.Begin+3*scoringtest.Day)
	want := []feature.Value{{N: 3 * feature.MaxCount, OK: true}, {N: 3 * feature.MaxSum, OK: true}}
	if !slices.Equal(got, want) || !f.Valid(state) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// except for the second byte of two lengths and of two days' numbers
	if len(state) > f.MaxState() || len(state) < f.MaxState()-2*3 {
		t.Errorf("%d bytes, %d at most", len(state), f.MaxState())
	}
	o := feature.Event{Time: scoringtest.Begin + 3*scoringtest.Day, Set: 1, Value: -math.MaxInt64, HasValue: true}
	for range 3 {
		state, _ = f.Fold(state, &o)
	}
	sum := f.Values(nil, feature.All, state, 0, scoringtest.Begin+3*scoringtest.Day)[1].N
	if sum != feature.MaxSum || !f.Valid(state) {
		t.Errorf("sum %d", sum)
	}
}

// TestFeatureStateIsBounded fills every tile of the largest pack that is allowed.
func TestFeatureStateIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := scoringtest.Must(feature.Compile(shopFeatures()))
	if f.MaxState() > feature.MaxStateSize {
		t.Fatalf("%d bytes", f.MaxState())
	}
	var state []byte
	most := 0
	for at := scoringtest.Begin; at < scoringtest.Begin+800*scoringtest.Day; at += hour / 2 {
		o := feature.Event{
			Time:     at - r.Int64N(30*scoringtest.Day),
			Set:      r.Uint64(),
			Value:    r.Int64(),
			HasValue: true,
			Properties: []feature.Property{
				{Kind: feature.PropertyText, Hash: r.Uint64()}, {Kind: feature.PropertyNumber, Number: r.Int64()},
			},
		}
		state, _ = f.Fold(state, &o)
		if most = max(most, len(state)); most > f.MaxState() || at%(16*hour) == 0 && !f.Valid(state) {
			t.Fatalf("state of %d bytes, %d at most", len(state), f.MaxState())
		}
	}
	if most < f.MaxState()/2 {
		t.Errorf("at most %d bytes of %d: the bound is far off", most, f.MaxState())
	}
}

// TestFeaturesShareCells: features that count the same keep it once.
func TestFeaturesShareCells(t *testing.T) {
	f := scoringtest.Must(feature.Compile([]feature.Feature{
		{Kind: feature.Count, To: -1, Property: -1, Within: 30},
		{Kind: feature.Trend, To: -1, Property: -1, Within: 20, Least: 3},
		{Kind: feature.ActiveDays, To: -1, Property: -1, Within: 365},
		{Kind: feature.Ratio, Of: 0, To: 2, Property: -1, Least: 1},
		{Kind: feature.Last, To: -1, Property: 1, Within: 48, Hourly: true},
		{Kind: feature.Last, To: -1, Property: 1, Within: 100},
	}))
	if f.Cells() != 2 {
		t.Errorf("%d cells, want 2", f.Cells())
	}
}
