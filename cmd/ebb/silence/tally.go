package silence

import (
	"math"
	"slices"
)

// Window is between when alerts count: at its beginning every customer is new, and of what comes after it nobody knows
// yet whether it was right.
type Window struct{ From, Until int64 }

// WindowOf is the window of a log that runs from begin to end: from a horizon, at most a tenth of the log, after its
// beginning until a horizon before its end.
func WindowOf(begin, end, horizon int64) Window {
	return Window{begin + min(horizon, (end-begin)/10), end - horizon}
}

// Has reports whether an alert at a moment counts.
func (w Window) Has(at int64) bool { return at >= w.From && at <= w.Until }

// Tally counts what the alerts about a group of customers were worth.
type Tally struct {
	Alerts, Right int64 // the latter: not back within a horizon

	Gone                int64 // silences of customers who have left
	ByHalf, ByHorizon   int64 // of them, with an alert within half a horizon, and within one
	delayDays, ownTimes []float64
}

// Alert counts an alert in a silence.
func (t *Tally) Alert(s *Silence, at, horizon int64) {
	t.Alerts++
	if s.Next == Never || s.Next-at > horizon {
		t.Right++
	}
}

// Leaver counts the last silence of a customer who has left, with the first alert in it; Never: there was none.
func (t *Tally) Leaver(s *Silence, alert, horizon int64) {
	t.Gone++
	delay := math.Inf(1)
	if alert != Never && alert-s.Start <= horizon {
		delay = float64(alert - s.Start)
		t.ByHorizon++
		if 2*(alert-s.Start) <= horizon {
			t.ByHalf++
		}
	}
	t.delayDays = append(t.delayDays, delay/float64(day))
	if s.Typical > 0 {
		t.ownTimes = append(t.ownTimes, delay/float64(s.Typical))
	}
}

// Delay is how long after their last activity half of the leavers were caught, in days and in their own typical gaps;
// infinite where fewer than half were caught within a horizon, NaN where there is none. The gaps leave out one-timers,
// who have none.
func (t *Tally) Delay() (days, gaps float64) { return Median(t.delayDays), Median(t.ownTimes) }

// Median is the mean of the two in the middle; NaN of nothing.
func Median(of []float64) float64 {
	if len(of) == 0 {
		return math.NaN()
	}
	of = slices.Sorted(slices.Values(of))
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}
