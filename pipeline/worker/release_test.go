package worker

import (
	"testing"

	"pgregory.net/rapid"

	"ebb/pipeline"
)

// TestReleasable: no hour has more releases than the rate, however seldom or often the owner asks, and at a steady pace an
// hour has nearly as many.
func TestReleasable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perHour := rapid.Int64Range(1, 400_000).Draw(t, "per hour")
		type release struct {
			at int64
			n  int
		}
		var all []release
		f := pipeline.FirstStart{Over: true}
		ask := func(at int64) {
			if n := releasable(&f, perHour, at); n > 0 {
				f.Releases, f.At = f.Releases+1, at
				all = append(all, release{at, n})
			}
		}
		at := int64(1_700_000_000_000)
		for range rapid.IntRange(1, 200).Draw(t, "asked") {
			at += rapid.Int64Range(0, pipeline.HourMillis/20).Draw(t, "gap")
			ask(at)
		}
		for i := range all {
			sum := int64(0)
			for _, r := range all[i:] {
				if r.at < all[i].at+pipeline.HourMillis {
					sum += int64(r.n)
				}
			}
			if sum > perHour {
				t.Fatalf("%d within an hour, at a rate of %d", sum, perHour)
			}
		}
		all, f = nil, pipeline.FirstStart{Over: true}
		for ms := int64(0); ms < pipeline.HourMillis; ms += 250 {
			ask(at + ms)
		}
		sum := int64(0)
		for _, r := range all {
			sum += int64(r.n)
		}
		if sum*10 < perHour*9 {
			t.Fatalf("%d in an hour, at a rate of %d", sum, perHour)
		}
	})
}

// TestPartOf: the parts of all partitions add up to the whole, and each has something.
func TestPartOf(t *testing.T) {
	for _, c := range []struct{ n, of, want int64 }{{10, 4, 10}, {1000, 3, 1000}, {2, 8, 8}, {7, 7, 7}} {
		sum := int64(0)
		for i := range c.of {
			sum += partOf(c.n, c.of, i)
		}
		if sum != c.want {
			t.Errorf("%d over %d: %d", c.n, c.of, sum)
		}
	}
}

// TestClockSetBack: releases go on.
func TestClockSetBack(t *testing.T) {
	f := pipeline.FirstStart{Over: true, Releases: 3, At: 1_700_000_000_000}
	if releasable(&f, 60, f.At-24*pipeline.HourMillis) == 0 || releasable(&f, 60, f.At-1) != 0 {
		t.Error("a clock that was set back stops releases, or does not count")
	}
}
