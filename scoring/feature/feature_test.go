package feature_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ebb/scoring/feature"
	"ebb/scoring/scoringtest"
)

const hour = int64(3_600_000)

// drawFeatures draws the features of a pack over four signals and two properties.
func drawFeatures(t *rapid.T, kinds ...feature.Kind) (*feature.Set, []feature.Feature) {
	if len(kinds) == 0 {
		for k := range feature.NumKinds {
			kinds = append(kinds, k)
		}
	}
	var decl []feature.Feature
	for i := range rapid.IntRange(1, 10).Draw(t, "features") {
		d := feature.Feature{
			Name: fmt.Sprintf("f%d", i), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Of: rapid.IntRange(0, 3).Draw(t, "of"), To: -1, Property: -1,
		}
		k := d.Kind.Traits()
		switch k.Source {
		case feature.OfFeatures:
			if len(decl) == 0 {
				continue
			}
			d.Of = rapid.IntRange(0, len(decl)-1).Draw(t, "part")
			d.To = rapid.IntRange(0, len(decl)-1).Draw(t, "whole")
		case feature.OfNothing:
			d.Of = -1
		default:
		}
		if k.Until {
			d.To = (d.Of + rapid.IntRange(1, 3).Draw(t, "until")) % 4
		}
		if k.Windowed {
			d.Within = rapid.OneOf(rapid.SampledFrom([]int{1, 2, 7, 30, 90, 100, 101, 365, 400}), rapid.IntRange(1, 400)).
				Draw(t, "within")
			if !k.DaysOnly && rapid.IntRange(0, 3).Draw(t, "hourly") == 0 {
				d.Hourly, d.Within = true, min(d.Within, rapid.IntRange(1, 48).Draw(t, "hours"))
			}
		}
		switch k.Property {
		case feature.Optional:
			d.Property = rapid.IntRange(-1, 1).Draw(t, "property")
		case feature.Required:
			d.Property = rapid.IntRange(0, 1).Draw(t, "property")
		default:
		}
		if k.Least > 0 {
			d.Least = rapid.Int64Range(1, 4).Draw(t, "least")
		}
		if k.MayBeZero {
			d.AbsentZero = rapid.Bool().Draw(t, "absent zero")
		}
		if k.MayBePriced {
			d.Priced = rapid.Bool().Draw(t, "priced")
		}
		decl = append(decl, d)
	}
	for {
		f, err := feature.Compile(decl)
		if err == nil {
			return f, decl
		}
		if !strings.Contains(err.Error(), "bytes") {
			t.Fatal(err)
		}
		decl = decl[:len(decl)-1]
	}
}

var drawProperty = rapid.Custom(func(t *rapid.T) feature.Property {
	switch kind := rapid.SampledFrom([]feature.PropertyKind{0, 1, 1, 1, 2, 2, 3, 4}).Draw(t, "type"); kind {
	case feature.PropertyNone, feature.PropertyOther:
		return feature.Property{Kind: kind}
	case feature.PropertyText:
		return feature.Property{Kind: kind, Hash: rapid.Uint64Range(0, 25).Draw(t, "text")}
	case feature.PropertyNumber:
		return feature.Property{
			Kind:   kind,
			Number: rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64Range(-1e9, 1e9)).Draw(t, "number"),
		}
	default:
		return feature.Property{Kind: kind, Number: rapid.Int64Range(0, 1).Draw(t, "bool")}
	}
})

// drawHistory draws events in order of arrival: most of them in order of time, and with late set some of them very
// late.
func drawHistory(t *rapid.T, late bool) []feature.Event {
	now := rapid.SampledFrom([]int64{31_536_000_000, 946_684_800_000, 1_600_000_000_000, 4_102_444_800_000}).
		Draw(t, "begin")
	pace := rapid.SampledFrom([]int64{60_000, 12 * hour, 2 * scoringtest.Day, 40 * scoringtest.Day}).Draw(t, "pace")
	var events []feature.Event
	for range rapid.IntRange(0, 80).Draw(t, "events") {
		now += rapid.Int64Range(0, pace).Draw(t, "gap")
		o := feature.Event{Time: now, Set: rapid.Uint64Range(0, 15).Draw(t, "signals")}
		switch {
		case rapid.IntRange(0, 9).Draw(t, "at midnight") == 0:
			o.Time -= now % scoringtest.Day
			o.Time += rapid.Int64Range(-1, 0).Draw(t, "before midnight")
		case late && rapid.IntRange(0, 4).Draw(t, "late") == 0:
			o.Time -= rapid.Int64Range(
				0,
				rapid.SampledFrom([]int64{hour, 30 * scoringtest.Day, 900 * scoringtest.Day}).Draw(t, "at most"),
			).
				Draw(t, "by")
		}
		o.Time = max(o.Time, 31_536_000_000)
		if late {
			now = max(now, o.Time)
		} else {
			o.Time = max(o.Time, lastTime(events))
		}
		if o.HasValue = rapid.Bool().Draw(t, "has value"); o.HasValue {
			o.Value = rapid.Int64Range(-1000, 1e8).Draw(t, "value")
		}
		o.Properties = rapid.SliceOfN(drawProperty, 0, 2).Draw(t, "properties")
		events = append(events, o)
	}
	return events
}

func lastTime(events []feature.Event) int64 {
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Time
}

// drawInstants draws instants from shortly before the newest event to long after.
func drawInstants(t *rapid.T, events []feature.Event, n int) []int64 {
	base := int64(1_000_000_000_000)
	if len(events) > 0 {
		base = newest(events)
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) int64 {
		at := base + rapid.OneOf(
			rapid.Int64Range(-3*hour, 3*scoringtest.Day),
			rapid.Int64Range(-30*scoringtest.Day, 900*scoringtest.Day),
		).
			Draw(t, "after")
		if rapid.Bool().Draw(t, "edge") {
			at += rapid.Int64Range(-1, 0).Draw(t, "before") - at%scoringtest.Day
		}
		return at
	}), n, n).Draw(t, "instants")
}

// TestFeaturesAsRecomputed compares every kind, alone and beside others, with a recomputation from all events, in order
// and with late ones.
func TestFeaturesAsRecomputed(t *testing.T) {
	check := func(t *testing.T, late bool, kinds ...feature.Kind) {
		rapid.Check(t, func(t *rapid.T) {
			f, decl := drawFeatures(t, kinds...)
			history := drawHistory(t, late)
			oracle := &featureOracle{decl: decl}
			if len(history) > 0 && rapid.Bool().Draw(t, "active") {
				oracle.first = history[0].Time
			}
			var state []byte
			for _, o := range history {
				want := oracle.tooLate(&o)
				var tooLate bool
				state, tooLate = f.Fold(state, &o)
				if tooLate != want {
					t.Fatalf("%+v too late: %v, want %v", o, tooLate, want)
				}
				oracle.events = append(oracle.events, o)
				sameFeatures(t, f, oracle, state, o.Time)
				if !f.Valid(state) || len(state) > f.MaxState() {
					t.Fatalf("state % x of %d bytes, %d at most", state, len(state), f.MaxState())
				}
			}
			for _, at := range drawInstants(t, history, 6) {
				sameFeatures(t, f, oracle, state, at)
			}
		})
	}
	for kind := range feature.NumKinds {
		kinds := []feature.Kind{kind}
		if kind.Traits().Source == feature.OfFeatures {
			kinds = append(kinds, feature.Count, feature.Sum)
		}
		t.Run(kind.String(), func(t *testing.T) {
			check(t, false, kinds...)
			check(t, true, kinds...)
		})
	}
	t.Run("all", func(t *testing.T) { check(t, true) })
}

func sameFeatures(t *rapid.T, f *feature.Set, oracle *featureOracle, state []byte, at int64) {
	got, want := f.Values(nil, feature.All, state, oracle.first, at), oracle.values(at)
	if !slices.Equal(got, want) {
		t.Fatalf("at %d: %+v\nwant %+v\nof %+v\nstate % x", at, got, want, oracle.decl, state)
	}
	money := false
	for i := range oracle.decl {
		if got, want := f.Known(state, i), oracle.known(i); got != want {
			t.Fatalf("feature %d of %+v known: %v, want %v\nstate % x", i, oracle.decl, got, want, state)
		}
		money = money || oracle.known(i) && (oracle.decl[i].IsMoney() || oracle.decl[i].Priced)
	}
	if got := f.HoldsMoney(state); got != money {
		t.Fatalf("%+v hold money: %v, want %v\nstate % x", oracle.decl, got, money, state)
	}
}

// TestFeatureStateOfEvents: the state does not depend on the order of events, except for `open` and equal times in
// `last`, nor on the buffer it is folded in.
func TestFeatureStateOfEvents(t *testing.T) {
	kinds := []feature.Kind{
		feature.Count, feature.Sum, feature.ActiveDays, feature.Since,
		feature.Trend, feature.Distinct, feature.Last,
	}
	rapid.Check(t, func(t *rapid.T) {
		f, _ := drawFeatures(t, kinds...)
		history := drawHistory(t, true)
		times := map[int64]bool{}
		history = slices.DeleteFunc(history, func(o feature.Event) bool {
			again := times[o.Time]
			times[o.Time] = true
			return again
		})
		var state, other []byte
		for _, o := range history {
			state, _ = f.Fold(state, &o)
		}
		for _, o := range rapid.Permutation(history).Draw(t, "order") {
			grown := append(make([]byte, 0, len(other)+rapid.IntRange(0, 300).Draw(t, "room")), other...)
			other, _ = f.Fold(grown, &o)
		}
		if !bytes.Equal(state, other) {
			t.Fatalf("% x\n% x", state, other)
		}
	})
}
