package backtest

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"ebb/cmd/ebb/backtest/silences"
	"ebb/scoring"
	"ebb/scoring/profile"
)

// alerts are the lapses that ebb and other rules alert about. They are judged silence by silence.
type alerts struct {
	end     time.Time
	measure *silences.Measure // nil: they are not judged
	levels  []level

	lately   int64 // raised since the last list, of those judged
	nextList int64

	keep bool
	kept []Alert
}

// Alert is a change of a customer's lapse, as ebb would have published it.
type Alert struct {
	customer   *customer
	Transition scoring.Transition
	Tier       profile.Tier
	At         int64 // ms since the epoch
	Since      int64 // the newest activity before it, ms
}

// Key is the customer's.
func (a *Alert) Key() string { return a.customer.name }

// begin notes when the log begins.
func (e *Engine) begin(first int64) {
	a := &e.alerts
	if a.end.IsZero() {
		return
	}
	_, waits := e.fixed()
	a.measure = silences.New(silences.Config{
		Horizon: e.horizon, End: a.end.UnixMilli(), Waits: waits, Levels: len(a.levels),
	}, first)
	from, _ := a.measure.Window()
	a.nextList = from + listEvery
}

// note takes in what the scorer decided about a customer.
func (e *Engine) note(c *customer, decisions []scoring.Decision) {
	a := &e.alerts
	for i := range decisions {
		d := &decisions[i]
		if d.Kind != profile.Lapse {
			continue
		}
		if a.keep {
			a.kept = append(a.kept, Alert{c, d.Transition, d.Tier, d.At, d.Since})
		}
		if d.Transition == scoring.Raised && a.measure != nil {
			c.silence.Note(silences.Raised, d.At)
			if a.measure.Judged(d.At) {
				a.lately++
			}
		}
	}
}

// endSilence judges the alerts of the customer's present silence, which ends. Of a silence of somebody whom the pack
// does not alert about nobody asks whether it was caught.
func (e *Engine) endSilence(c *customer, end int64) {
	m := e.alerts.measure
	switch {
	case m == nil:
	case e.scorer.Pack.Alerts(&c.profile):
		m.Silence(&c.silence, c.profile.Visits, c.profile.Active(), end)
	default:
		m.Pass(&c.silence, c.profile.Visits, c.profile.Active(), end)
	}
}

// Alerts yields the lapses of the whole log in order of time, after Finish.
func (e *Engine) Alerts() iter.Seq[Alert] {
	kept := e.alerts.kept
	slices.SortStableFunc(kept, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.Key(), b.Key()))
	})
	return slices.Values(kept)
}

// listEvery is the time between two lists of the RFM rule.
const listEvery = 7 * millisPerDay

// list raises the RFM rule's alerts: as many as ebb has raised since the last list, for active customers whom the pack
// alerts about, without an alert of the rule in their silence.
func (e *Engine) list(at int64) {
	a := &e.alerts
	a.nextList += listEvery
	if !a.measure.Judged(at) {
		a.nextList = math.MaxInt64
		return
	}
	active := &snapshot{at: at}
	e.each(func(c *customer) {
		e.wake(c, at)
		if c.profile.Active() > at-e.active && e.scorer.Pack.Alerts(&c.profile) {
			active.rows = append(active.rows, row{customer: c, last: c.profile.Active(), days: c.activeDays, value: c.value})
		}
	})
	scores := active.rfm()
	order := make([]int32, 0, len(scores))
	for i := range active.rows {
		if !active.rows[i].customer.silence.Alerted(silences.Listed) {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(i, j int32) int { return cmp.Or(cmp.Compare(scores[j], scores[i]), cmp.Compare(i, j)) })
	for _, i := range order[:min(int64(len(order)), a.lately)] {
		active.rows[i].customer.silence.Note(silences.Listed, at)
	}
	a.lately = 0
}
