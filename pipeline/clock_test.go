package pipeline_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
)

func TestClock(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	type event struct {
		customer     uint64
		at           int64 // hours
		late, future bool
		watermark    int64 // hours, after it
	}
	for name, events := range map[string][]event{
		"moves with the newest event, less the lateness": {{1, 100, false, false, 99}, {2, 105, false, false, 104}, {3, 104, false, false, 104}},
		"an event older than the watermark is late":      {{1, 100, false, false, 99}, {2, 98, true, false, 99}},
		"one clock far ahead moves nothing":              {{1, 100, false, false, 99}, {2, 9000, false, true, 99}, {2, 9001, false, true, 99}, {3, 101, false, false, 100}},
		"nor do two":                                     {{1, 100, false, false, 99}, {2, 9000, false, true, 99}, {3, 9001, false, true, 99}, {1, 101, false, false, 100}},
		"a third customer there does, to the oldest":     {{1, 100, false, false, 99}, {2, 9000, false, true, 99}, {3, 5000, false, true, 99}, {4, 7000, false, false, 4999}},
		"two bad clocks and a gap in the log":            {{1, 100, false, false, 99}, {2, 9000, false, true, 99}, {3, 9001, false, true, 99}, {4, 200, false, false, 199}, {4, 230, false, false, 229}},
	} {
		t.Run(name, func(t *testing.T) {
			var c pipeline.Clock
			for i, e := range events {
				late, future := c.Observe(e.customer, e.at*hour, hour, false, 0)
				got := event{e.customer, e.at, late, future, c.Watermark / hour}
				if diff := cmp.Diff(e, got, cmp.AllowUnexported(event{})); diff != "" {
					t.Fatalf("event %d: %s", i, diff)
				}
			}
		})
	}
}

func TestClockAgainstBrokerTime(t *testing.T) {
	const day = 24 * int64(time.Hour/time.Millisecond)
	var c pipeline.Clock
	c.Observe(1, 100*day, 0, true, 100*day)
	if _, future := c.Observe(1, 103*day, 0, true, 101*day); !future || c.Watermark != 100*day {
		t.Errorf("an event two days after its own record: future %v, watermark at day %d", future, c.Watermark/day)
	}
	if _, future := c.Observe(1, 130*day, 0, true, 130*day); future || c.Watermark != 130*day {
		t.Errorf("an event after a month of silence: future %v, watermark at day %d", future, c.Watermark/day)
	}
}

func TestDueOrder(t *testing.T) {
	ordered := []pipeline.Due{{}, {Hash: 1}, {Minute: 1}, {Minute: 1, Hash: math.MaxUint64}, {Minute: 2}}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := a.Compare(b), min(1, max(-1, i-j)); got != want {
				t.Errorf("%v against %v: %d, want %d", a, b, got, want)
			}
		}
	}
}
