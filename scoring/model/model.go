package model

import (
	"math"
	"time"

	"ebb/scoring/exact"
	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Model is what turns a customer's state into a score: the numbers of the core, the stages with their tiers, and the
// factors with the features that they read. New makes one, and the caller sets the exported fields; then it does not
// change any more and may be shared between goroutines.
type Model struct {
	Stages   Stages
	Factors  []Factor
	Cap      float64      // of the factors' sum in either direction, in log-odds
	Features *feature.Set // that the factors read, and others
	Raise    Raise

	horizon    float64 // days
	lnHorizon  float64
	lnRegular  float64 // of the longest typical gap of a regular
	lnMin      float64 // of MinSilence
	lnMinAhead float64 // of the silence a horizon later
	levelFade  float64 // days: the time constant of level and population
	spell      int64   // ms

	overdueLogOdds float64 // of the overdue quantile

	probeStep int64   // minutes from one probe of a customer to the next: a horizon
	epochStep int64   // minutes
	epochFade float64 // of the counts of probes, from one epoch to the next

	// maxSilence is the days of silence after which a customer is no longer looked at: an overdue one has long been
	// critical by then.
	maxSilence float64
}

// New is the core's model for a horizon, in which a customer is overdue beyond a quantile of its own gaps.
func New(length time.Duration, overdue float64) Model {
	ms := length.Milliseconds()
	horizon := moment.Days(ms)
	m := Model{
		Raise:     Raise{Otherwise: profile.AtRisk},
		horizon:   horizon,
		lnHorizon: exact.Log(horizon),
		levelFade: float64(4 * horizon),
		spell:     (ms + spells - 1) / spells,
		lnRegular: exact.Log(
			horizon / regularGaps,
		),
		lnMin:          exact.Log(MinSilence),
		lnMinAhead:     exact.Log(MinSilence + horizon),
		overdueLogOdds: exact.Logit(overdue),
		probeStep:      ms / moment.MinuteMillis,
		epochStep:      ms / moment.MinuteMillis / epochsPerHorizon,
		maxSilence:     max(3650, math.Ceil(float64(20*horizon))),
	}
	m.epochFade = exact.Exp(-moment.Days(m.epochStep*moment.MinuteMillis) / horizon)
	return m
}

// TierOf is the tier of a score at its stage; TierNone of a customer without activity.
func (m *Model) TierOf(s *Score) profile.Tier {
	if s.Visits == 0 {
		return profile.TierNone
	}
	return m.TierAt(s.Stage, s.Sum())
}

// FloorTier is the tier that the floor of an open episode, in log-odds, lifts to at a stage: at least watch.
func (m *Model) FloorTier(logOdds float64, stage profile.Stage) profile.Tier {
	return max(profile.Watch, m.TierAt(stage, logOdds))
}

// TierAt is the tier of a sum at a stage.
func (m *Model) TierAt(stage profile.Stage, sum float64) profile.Tier {
	return m.Stages.Tiers[stage].tier(sum)
}
