package pipeline_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

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
		"moves with the newest event, less the lateness": {
			{1, 100, false, false, 99},
			{2, 105, false, false, 104},
			{3, 104, false, false, 104},
		},
		"an event older than the watermark is late":       {{1, 100, false, false, 99}, {2, 98, true, false, 99}},
		"a day ahead of the newest event is ahead enough": {{1, 124, false, false, 123}, {2, 149, false, true, 123}},
		"one clock far ahead moves nothing": {
			{1, 100, false, false, 99},
			{2, 900, false, true, 99},
			{2, 901, false, true, 99},
			{3, 101, false, false, 100},
		},
		"nor do two": {
			{1, 100, false, false, 99},
			{2, 900, false, true, 99},
			{3, 901, false, true, 99},
			{1, 101, false, false, 100},
		},
		"a third customer there does, to the oldest": {
			{1, 100, false, false, 99},
			{2, 900, false, true, 99},
			{3, 500, false, true, 99},
			{4, 700, false, false, 499},
		},
		"but not one that is months away from them": {
			{1, 100, false, false, 99},
			{2, 900, false, true, 99},
			{3, 901, false, true, 99},
			{4, 9000, false, true, 99},
			{5, 902, false, false, 899},
		},
		"a gap in the log, and a bad clock among all": {
			{1, 100, false, false, 99},
			{2, 9000, false, true, 99},
			{3, 200, false, true, 99},
			{2, 9001, false, true, 99},
			{4, 210, false, true, 99},
			{2, 9002, false, true, 99},
			{5, 211, false, false, 199},
			{6, 212, false, false, 211},
		},
		"an event every three days, of other customers": {
			{1, 100, false, false, 99},
			{2, 172, false, true, 99},
			{3, 244, false, true, 99},
			{4, 316, false, false, 171},
			{5, 388, false, false, 243},
			{6, 460, false, false, 315},
		},
		"a claim that a day of events has not confirmed": {
			{1, 100, false, false, 99},
			{2, 900, false, true, 99},
			{3, 900, false, true, 99},
			{4, 120, false, false, 119},
			{5, 125, false, false, 124},
			{6, 900, false, true, 124},
		},
		"eight customers' claims, the latest of them": {
			{1, 100, false, false, 99},
			{2, 900, false, true, 99},
			{3, 900, false, true, 99},
			{4, 2000, false, true, 99},
			{5, 3000, false, true, 99},
			{6, 4000, false, true, 99},
			{7, 5000, false, true, 99},
			{8, 6000, false, true, 99},
			{9, 7000, false, true, 99},
			{10, 8000, false, true, 99},
			{11, 900, false, true, 99},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := pipeline.Clock{Started: true, Watermark: 99 * hour}
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

func TestClockStart(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	type event struct {
		customer  uint64
		at        int64 // hours
		watermark int64 // hours, after it; 0: not started
	}
	for name, c := range map[string]struct {
		fired  int64 // hours
		events []event
	}{
		"three customers, to the newest": {
			100,
			[]event{{1, 100, 0}, {2, 105, 0}, {1, 107, 0}, {3, 106, 106}, {4, 108, 107}},
		},
		"in steps of a day, and no farther": {
			100,
			[]event{{1, 100, 0}, {2, 160, 0}, {3, 124, 123}, {4, 125, 124}},
		},
		"a first event years ahead": {
			100,
			[]event{{1, 9000, 0}, {2, 100, 0}, {3, 101, 0}, {4, 102, 101}},
		},
		"a first event years behind has deadlines": {
			10,
			[]event{{1, 10, 0}, {2, 9000, 0}, {3, 9001, 0}, {4, 9002, 9001}},
		},
		"a bad clock at every other event": {
			100,
			[]event{{1, 9000, 0}, {2, 100, 0}, {1, 9001, 0}, {3, 101, 0}, {1, 9002, 0}, {4, 102, 101}},
		},
		"one customer, after a day without a gap": {
			100,
			[]event{{1, 100, 0}, {1, 120, 0}, {1, 123, 0}, {1, 124, 123}},
		},
		"two customers likewise": {
			100,
			[]event{{1, 100, 0}, {2, 120, 0}, {1, 119, 0}, {1, 140, 139}},
		},
		"a gap begins the day anew": {
			100,
			[]event{{1, 100, 0}, {1, 120, 0}, {1, 145, 0}, {1, 168, 0}, {1, 169, 168}},
		},
		"and so does a contradiction": {
			100,
			[]event{{1, 100, 0}, {1, 120, 0}, {2, 9000, 0}, {1, 121, 0}, {1, 144, 0}, {1, 145, 144}},
		},
		"one customer every two days does not tell time": {0, []event{{1, 100, 0}, {1, 148, 0}, {1, 196, 0}, {1, 244, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			var clock pipeline.Clock
			for i, e := range c.events {
				late, future := clock.Observe(e.customer, e.at*hour, hour, false, 0)
				if late || future || clock.Watermark != e.watermark*hour || clock.Started != (e.watermark > 0) {
					t.Fatalf(
						"event %d: late %v, future %v, started %v, watermark %d, want %d",
						i,
						late,
						future,
						clock.Started,
						clock.Watermark/hour,
						e.watermark,
					)
				}
			}
			if clock.Fired.Minute != c.fired*60 {
				t.Errorf("deadlines count as fired up to hour %d, want %d", clock.Fired.Minute/60, c.fired)
			}
			if clock.Started != (clock.Start == pipeline.Start{}) {
				t.Errorf("started %v, but %+v is left", clock.Started, clock.Start)
			}
		})
	}
}

// State written by earlier versions, without the fields of this one, is that of a clock that has started.
func TestClockOfEarlierVersions(t *testing.T) {
	const day = 24 * int64(time.Hour/time.Millisecond)
	var c pipeline.Clock
	old := `{"started":true,"watermark":8640000000,"fired":{"minute":144000,"hash":7},"future":[{"customer":1,"time":9504000000},{"customer":2,"time":9590400000}]}`
	if err := json.Unmarshal([]byte(old), &c); err != nil {
		t.Fatal(err)
	}
	if late, future := c.Observe(3, 112*day, 0, false, 0); late || future || c.Watermark != 110*day {
		t.Errorf("late %v, future %v, watermark at day %d, want 110", late, future, c.Watermark/day)
	}
	if now, err := json.Marshal(c); err != nil || strings.Contains(string(now), "start\"") {
		t.Errorf("a clock that has started is written as %s: %v", now, err)
	}
}

// For any records, neither the watermark nor the fired position moves back, nothing beyond the watermark counts as
// fired, and a clock that was written and read goes on like the original.
func TestClockProperties(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	rapid.Check(t, func(t *rapid.T) {
		var kept, stored pipeline.Clock
		lateness := rapid.Int64Range(0, 40*24).Draw(t, "lateness") * hour
		eras := rapid.SliceOfN(rapid.Int64Range(3*8766, 200*8766), 1, 4).Draw(t, "eras") // hours from 1973 to 2170
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			customer, era := rapid.Uint64Range(1, 12).Draw(t, "customer"), rapid.SampledFrom(eras).Draw(t, "era")
			at := (era + rapid.Int64Range(0, 60*24).Draw(t, "hours")) * hour
			byBroker, stamp := rapid.IntRange(0, 9).Draw(t, "broker") == 0, eras[0]*hour
			before := kept
			late, future := kept.Observe(customer, at, lateness, byBroker, stamp)
			written, err := json.Marshal(stored)
			if err != nil {
				t.Fatal(err)
			}
			stored = pipeline.Clock{}
			if err := json.Unmarshal(written, &stored); err != nil {
				t.Fatal(err)
			}
			lateStored, futureStored := stored.Observe(customer, at, lateness, byBroker, stamp)
			if late != lateStored || future != futureStored || !cmp.Equal(kept, stored, cmpopts.EquateEmpty()) {
				t.Fatalf("kept %+v (%v, %v), stored %+v (%v, %v)", kept, late, future, stored, lateStored, futureStored)
			}
			back := kept.Watermark < before.Watermark || kept.Fired.Compare(before.Fired) < 0 || before.Started && !kept.Started
			if back || kept.Fired.Minute > kept.Minute() || len(kept.Future) > 8 {
				t.Fatalf("%+v after %+v", kept, before)
			}
		}
	})
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
