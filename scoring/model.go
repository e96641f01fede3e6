package scoring

import (
	"math"
	"time"
)

// Model is what turns a customer's state into a score: the numbers of the core, the stages with their tiers, and the
// factors with the features that they read. Make one with newModel and fill in the exported fields; then it is not
// changed any more and may be shared between goroutines.
type Model struct {
	Stages   Stages
	Factors  []Factor
	Cap      float64   // of what the factors together add or take away, in log-odds
	Features *Features // that the factors read, and others

	horizon   float64 // days
	lnHorizon float64
	levelFade float64 // days: the time constant of level and population
	spell     int64   // ms

	overdueLogOdds float64 // of the overdue quantile

	probeStep int64   // minutes from one probe of a customer to the next: a horizon
	epochStep int64   // minutes
	epochFade float64 // of what probes have taught, from one epoch to the next

	// maxSilence is the days of silence after which a customer is looked at no more: by then whoever is overdue has
	// long been critical.
	maxSilence float64
}

// newModel is the core's model for a horizon, in which a customer is overdue beyond a quantile of its own gaps.
func newModel(length time.Duration, overdue float64) Model {
	ms := length.Milliseconds()
	horizon := days(ms)
	m := Model{
		horizon: horizon, lnHorizon: Log(horizon), levelFade: float64(4 * horizon), spell: (ms + spells - 1) / spells,
		overdueLogOdds: logit(overdue),
		probeStep:      ms / minuteMillis,
		epochStep:      ms / minuteMillis / epochsPerHorizon,
		maxSilence:     max(3650, math.Ceil(float64(20*horizon))),
	}
	m.epochFade = Exp(-days(m.epochStep*minuteMillis) / horizon)
	return m
}

// TierOf is the tier of a score at its stage; TierNone of a customer without activity.
func (m *Model) TierOf(s *Score) Tier {
	if s.Visits == 0 {
		return TierNone
	}
	return m.tierAt(s.Stage, s.Sum())
}

// floorTier is the tier that the floor of an open episode, in log-odds, lifts to at a stage: at least watch.
func (m *Model) floorTier(logOdds float64, stage Stage) Tier {
	return max(Watch, m.tierAt(stage, logOdds))
}

// tierAt is the tier of a sum at a stage.
func (m *Model) tierAt(stage Stage, sum float64) Tier { return m.Stages.tiers[stage].tier(sum) }
