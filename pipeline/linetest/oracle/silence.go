package oracle

import (
	"math"
	"slices"
)

// tiers are those of an open episode, in order.
func tiers() []string { return []string{"watch", "at_risk", "critical"} }

// enters is where the tiers begin, in log-odds.
func enters() []float64 {
	return []float64{math.Log(0.4 / 0.6), math.Log(0.6 / 0.4), math.Log(0.8 / 0.2)}
}

// tierOf is the tier of a score; healthy: below all.
func tierOf(score float64) string {
	tier := "healthy"
	for i, enter := range enters() {
		if score >= enter {
			tier = tiers()[i]
		}
	}
	return tier
}

// aim is the log-odds of m's next transition without an event; false: there is none.
func (f *fold) aim(m *member) (float64, bool) {
	next := slices.Index(tiers(), m.tier) + 1
	if m.tier == "" && !m.regular(f.Horizon) {
		next = 1
	}
	if next == len(tiers()) {
		return 0, false
	}
	return enters()[next], true
}

// silence looks at m at each whole minute up to end that it has not looked at yet, and raises and escalates by the
// rules: not before the customer is overdue, silent for longer than its median gap.
func (f *fold) silence(m *member, end int64) {
	for m.visits > 0 {
		threshold, ok := f.aim(m)
		if !ok {
			return
		}
		begin, transition := max(m.from, overdue(&m.customer)), "raised"
		if m.tier != "" {
			begin, transition = max(m.from, m.since), "escalated"
		}
		t, ok := f.firstMinute(m, begin, end, threshold)
		if !ok {
			return
		}
		m.tier = tierOf(m.score(days(t), f.Horizon))
		f.alert(m, transition, t)
	}
}

// sweep looks at m up to end, and removes it where it has been silent for the retention and no transition is to come.
func (f *fold) sweep(m *member, end int64) {
	f.silence(m, end)
	retention := f.Retention.Milliseconds()
	if retention == 0 || m.at == 0 {
		return
	}
	newest := int64(math.Round(m.at * float64(day)))
	if end/minute > (newest+retention)/minute && !f.expected(m, end) {
		*m = member{tenant: m.tenant, name: m.name}
	}
}

// expected reports whether a transition of m lies between end and ten years later.
func (f *fold) expected(m *member, end int64) bool {
	threshold, ok := f.aim(m)
	if m.visits == 0 || !ok {
		return false
	}
	_, found := f.firstMinute(m, max(end, overdue(&m.customer)), end+10*365*day, threshold)
	return found
}

// overdue is the first ms after the silence has outgrown the median gap e^m.
func overdue(c *customer) int64 {
	return int64(math.Floor((c.last+math.Exp(c.m))*float64(day))) + 1
}

// firstMinute is the first whole minute from begin to end at which m's score reaches the threshold. It looks at the
// minutes of an hour only where the score at the hour's end reaches the threshold, or lacks no more than friction can
// have faded by then. It follows the specification's definition, and not its shortcut.
func (f *fold) firstMinute(m *member, begin, end int64, threshold float64) (int64, bool) {
	reaches := func(t int64) bool { return m.score(days(t), f.Horizon) >= threshold }
	t := (begin + minute - 1) / minute * minute
	end = end / minute * minute
	if t > end {
		return 0, false
	}
	if reaches(t) {
		return t, true
	}
	for t < end {
		next := min(t+hour, end)
		for at := t; m.score(days(next), f.Horizon) >= threshold-frictionWeight/(24*f.Horizon) && at <= next; at += minute {
			if reaches(at) {
				return at, true
			}
		}
		t = next
	}
	return 0, false
}
