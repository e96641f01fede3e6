package silences

import (
	"math"
	"time"

	"ebb/cmd/ebb/silence"
)

// Report is how good the alerts of several rules were.
type Report struct {
	From     time.Time   `json:"from"` // alerts from here on
	Until    time.Time   `json:"until"`
	End      time.Time   `json:"end"` // nothing after it is known
	Silences int64       `json:"silences"`
	Months   Figure      `json:"customer_months"` // of known customers, from From until Until
	Rules    []Rule      `json:"rules"`           // what ebb raises first, then the rules it is compared with
	Tiers    []Threshold `json:"what_if_tiers"`   // alerts opening at each tier, whoever the customer is
	Scores   []Threshold `json:"what_if_scores"`  // alerts opening at a risk score
}

// Rule is how good the alerts of a rule were: those about all customers, then about each class.
type Rule struct {
	Name    string      `json:"name"`
	Classes []Judgement `json:"classes"`
}

// Threshold is how good alerts would be that open at a risk score.
type Threshold struct {
	Name    string      `json:"name"`
	Classes []Judgement `json:"classes"`
}

// Judgement is how good alerts about a class of customers were.
type Judgement struct {
	Class     string  `json:"class"`
	Alerts    int64   `json:"alerts"`
	Volume    Figure  `json:"per_1000_customer_months"`
	Right     int64   `json:"right"` // followed by a horizon of silence
	Precision Figure  `json:"precision"`
	Lapses    Caught  `json:"lapses"`             // silences of more than two horizons
	Own       *Caught `json:"own_gaps,omitempty"` // silences a horizon longer than the customer's own gaps; not of thresholds
}

// Caught is how soon alerts came in the silences of those who left.
type Caught struct {
	Lapses  int64  `json:"lapses"`
	Third   Figure `json:"by_third"` // share alerted within a third of a horizon
	Half    Figure `json:"by_half"`
	Horizon Figure `json:"by_horizon"`
	Two     Figure `json:"by_two_horizons"`
	// median time to the alert over all lapses; null: there are none, or it is more than two horizons
	MedianDays Figure `json:"median_days"`
	MedianGaps Figure `json:"median_own_gaps"` // the same in the customers' typical gaps
}

// All is the class of all customers together.
const All = "all"

// Report ends the measure. names are of the rules in order: those noted, then those that wait.
func (m *Measure) Report(names []string) *Report {
	instant := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	r := &Report{
		From: instant(m.window.From), Until: instant(m.window.Until), End: instant(m.End), Silences: m.silences,
		Months: Figure(float64(m.known) / dayMillis / monthDays),
	}
	two, own := definition(m.afterTwoHorizons), m.beyondOwn()
	for i, name := range names {
		rule := Rule{Name: name}
		for _, g := range groups() {
			j := m.judgement(&m.rules[i], g)
			j.Lapses = m.caught(two, i, g.has)
			c := m.caught(own, i, g.has)
			j.Own = &c
			rule.Classes = append(rule.Classes, j)
		}
		r.Rules = append(r.Rules, rule)
	}
	return r
}

// Threshold is how good alerts at a level would be.
func (m *Measure) Threshold(level int, name string) Threshold {
	t := Threshold{Name: name}
	for _, g := range groups() {
		t.Classes = append(t.Classes, m.judgement(&m.levels[level], g))
	}
	return t
}

// group is a class, or all of them together.
type group struct {
	name     string
	from, to silence.Class
}

func (g group) has(c silence.Class) bool { return c >= g.from && c < g.to }

func groups() []group {
	all := []group{{All, 0, silence.Classes}}
	for c := range silence.Classes {
		all = append(all, group{c.String(), c, c + 1})
	}
	return all
}

// judgement adds up what a tally has of a group, with the lapses of more than two horizons to the day.
func (m *Measure) judgement(t *tally, g group) Judgement {
	j := Judgement{Class: g.name}
	var soon [numSoon]int64
	var lapses int64
	days := make([]int64, m.longestDelay())
	for c := g.from; c < g.to; c++ {
		n := &t[c]
		j.Alerts += n.alerts
		j.Right += n.right
		lapses += m.lapses[c]
		for i := range soon {
			soon[i] += n.caught[i]
		}
		for i, d := range n.days {
			days[i] += d
		}
	}
	j.Volume = Figure(1000 * float64(j.Alerts) * dayMillis * monthDays / float64(m.known))
	j.Precision = share(j.Right, j.Alerts)
	j.Lapses = caughtOf(soon, lapses)
	j.Lapses.MedianDays = medianDay(days, lapses)
	return j
}

// caughtOf are the shares of lapses, without the medians.
func caughtOf(soon [numSoon]int64, lapses int64) Caught {
	return Caught{
		Lapses: lapses, Third: share(soon[third], lapses), Half: share(soon[half], lapses),
		Horizon: share(soon[whole], lapses), Two: share(soon[twice], lapses),
		MedianDays: Figure(math.NaN()), MedianGaps: Figure(math.NaN()),
	}
}

// medianDay is the day within which half of the lapses are caught; NaN: fewer are.
func medianDay(days []int64, lapses int64) Figure {
	seen := int64(0)
	for day, n := range days {
		if seen += n; n > 0 && 2*seen >= lapses {
			return Figure(day)
		}
	}
	return Figure(math.NaN())
}
