package backtest

import (
	"strconv"

	"ebb/cmd/ebb/backtest/silences"
	"ebb/scoring/exact"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// level is where alerts might open: at a tier, or at a risk score whatever the tier.
type level struct {
	tier    profile.Tier // TierNone: at a score
	risk    int          // out of 100
	logOdds float64
}

// Risk scores of the levels.
const (
	lowestRisk = 5
	riskStep   = 5
)

func levels() []level {
	all := []level{{tier: profile.Watch}, {tier: profile.AtRisk}, {tier: profile.Critical}}
	for risk := lowestRisk; risk < 100; risk += riskStep {
		all = append(all, level{risk: risk, logOdds: exact.Logit(float64(risk) / 100)})
	}
	return all
}

func (l *level) name() string {
	if l.tier != profile.TierNone {
		return l.tier.String()
	}
	return strconv.Itoa(l.risk)
}

// standing is a customer's score at a minute.
type standing struct {
	minute int64
	sum    float64
	tier   profile.Tier
}

func (l *level) reached(s *standing) bool {
	if l.tier != profile.TierNone {
		return s.tier >= l.tier
	}
	return s.sum >= l.logOdds
}

// stride is by how much of itself a silence grows from one look at the score to the next.
const stride = 0.15

// reachLevels notes the levels that the score of an overdue customer has reached by a time, since the newest event that
// had an effect. The score is looked at at the beginning, at the end, and ever farther apart in between.
func (e *Engine) reachLevels(c *customer, until int64) {
	a := &e.alerts
	if a.measure == nil || c.profile.Visits == 0 || !e.scorer.Pack.Alerts(&c.profile) {
		return
	}
	p := &c.profile
	last := min(until, a.measure.End) / millisPerMinute
	minute := max(moment.CeilMinute(p.At), e.scorer.Pack.Model.OverdueMinute(p))
	if minute > last {
		return
	}
	from := e.standing(c, minute)
	open := e.reachBetween(c, &from, &from)
	for open && from.minute < last {
		silent := from.minute - p.Last/millisPerMinute
		to := e.standing(c, min(last, from.minute+max(1, int64(stride*float64(silent)))))
		open = e.reachBetween(c, &from, &to)
		from = to
	}
}

func (e *Engine) standing(c *customer, minute int64) standing {
	s := e.scorer.Eval.Score(e.look(c), minute*millisPerMinute)
	return standing{minute, s.Sum(), e.scorer.Pack.Model.TierOf(&s)}
}

// reachBetween notes the levels reached between two looks, and reports whether any is left.
func (e *Engine) reachBetween(c *customer, from, to *standing) (left bool) {
	for i := range e.alerts.levels {
		l := &e.alerts.levels[i]
		switch {
		case c.silence.Reached(i) != 0:
		case l.reached(from):
			c.silence.Reach(i, len(e.alerts.levels), from.minute)
		case l.reached(to):
			c.silence.Reach(i, len(e.alerts.levels), e.firstMinute(c, l, *from, *to))
		default:
			left = true
		}
	}
	return left
}

// firstMinute is the minute between two looks at which a level is reached: a tier to the minute, since tiers are what a
// pack chooses, and a score on the straight line between the two.
func (e *Engine) firstMinute(c *customer, l *level, from, to standing) int64 {
	if l.tier == profile.TierNone {
		part := (l.logOdds - from.sum) / (to.sum - from.sum)
		return to.minute - int64((1-part)*float64(to.minute-from.minute))
	}
	for to.minute-from.minute > 1 {
		if s := e.standing(c, (from.minute+to.minute)/2); l.reached(&s) {
			to = s
		} else {
			from = s
		}
	}
	return to.minute
}

// fixed are the rules that alert after a fixed time of silence: 30 days, and a third of a horizon.
func (e *Engine) fixed() (names []string, waits []int64) {
	if third := e.horizon / 3; third != silentAfter {
		return []string{nameSilent, nameThird}, []int64{silentAfter, third}
	}
	return []string{nameSilent}, []int64{silentAfter}
}

// judgement is how good the alerts were; nil: they were not judged.
func (e *Engine) judgement() *silences.Report {
	m := e.alerts.measure
	if m == nil {
		return nil
	}
	names, _ := e.fixed()
	r := m.Report(append([]string{nameEbb, nameRFM}, names...))
	for i := range e.alerts.levels {
		l := &e.alerts.levels[i]
		t := m.Threshold(i, l.name())
		if l.tier != profile.TierNone {
			r.Tiers = append(r.Tiers, t)
		} else {
			r.Scores = append(r.Scores, t)
		}
	}
	return r
}
