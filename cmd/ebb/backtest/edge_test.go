package backtest

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestMiddle: of 1,001 values in a row, the interval leaves out 25 at either end.
func TestMiddle(t *testing.T) {
	values := make([]float64, 1001)
	for i := range values {
		values[i] = float64((i * 5) % 1001)
	}
	if got := middle(values); got != (Interval{25, 975}) {
		t.Errorf("%v", got)
	}
}

// TestTopTenth: it is rounded up, so that it is at least one wherever there are customers.
func TestTopTenth(t *testing.T) {
	for n, want := range map[int]int{1: 1, 9: 1, 10: 1, 11: 2, 20: 2, 21: 3} {
		if got := newRanking(make([]float64, n), make([]bool, n)).topTenth(); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
}

// TestEdgesOfADate: a customer active exactly the active time before is not scored, and activity at the very instant
// counts as before it.
func TestEdgesOfADate(t *testing.T) {
	pack := shopPack(t)
	const at = start + 100*millisPerDay
	active := 2 * pack.Horizon
	e := New(Config{Pack: pack, Active: active, Dates: []time.Time{time.UnixMilli(at)}, End: time.UnixMilli(at)})
	for _, h := range []happened{
		{"just out", "buy", at - active.Milliseconds()},
		{"just in", "buy", at - active.Milliseconds() + 1},
		{"now", "buy", at},
		{"stays", "buy", at},
		{"stays", "buy", at + 1},
		{"late", "buy", at + 90*millisPerDay},
	} {
		e.Observe(&Event{Key: []byte(h.customer), Type: []byte(h.kind), Time: h.at})
	}
	got := map[string]bool{}
	for s := range e.Finish().Dates[0].Scored() {
		got[s.Key] = s.Churned
	}
	if diff := gocmp.Diff(map[string]bool{"just in": true, "now": true, "stays": false}, got); diff != "" {
		t.Errorf("who churned (-want +got):\n%s", diff)
	}
}

// TestProbeAtAnEvent: a probe at the instant of an event begins with the state after it.
func TestProbeAtAnEvent(t *testing.T) {
	pack := shopPack(t)
	e := New(Config{Pack: pack, Active: pack.Horizon, End: time.UnixMilli(start)})
	e.Observe(&Event{Key: []byte("c"), Type: []byte("buy"), Time: start})
	next := e.customers["c"].profile.Probe.Next
	e.Observe(&Event{Key: []byte("c"), Type: []byte("buy"), Time: int64(next) * millisPerMinute})
	if p := e.customers["c"].profile.Probe; p.Next != next || p.Cell != 0 || next == 0 {
		t.Errorf("at %d it has begun already: %+v", next, p)
	}
}
