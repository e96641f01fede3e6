package model

import (
	"math"

	"ebb/scoring/exact"
	"ebb/scoring/profile"
)

// Has reports whether customers may be in a stage.
func (s *Stages) Has(stage profile.Stage) bool {
	switch stage {
	case profile.StageNew:
		return s.New > 0
	case profile.StageOnboarding:
		return s.Onboarding > s.New
	case profile.StageDormant:
		return s.Dormant > 0
	case profile.StageChurned:
		return s.Churned > 0
	case profile.StageResurrected:
		return s.Resurrected > 0
	default:
		return true
	}
}

// Stages is where the stages of a customer's life begin and end, in ms; 0: the pack does not have that stage.
type Stages struct {
	New, Onboarding, Dormant, Churned, Resurrected int64

	Until uint64 // bit of the signal that ends onboarding; 0: none
	Tiers [profile.NumStages]thresholds
}

// thresholds are log-odds at which the tiers begin.
type thresholds struct{ watch, atRisk, critical float64 }

// NewThresholds are the thresholds of the risk scores, out of 100, at which the tiers begin.
func NewThresholds(watch, atRisk, critical float64) thresholds {
	return thresholds{exact.Logit(watch / 100), exact.Logit(atRisk / 100), exact.Logit(critical / 100)}
}

// enter is where a tier begins.
func (t *thresholds) enter(tier profile.Tier) float64 {
	switch tier {
	case profile.AtRisk:
		return t.atRisk
	case profile.Critical:
		return t.critical
	default:
		return t.watch
	}
}

// tier is the tier of a sum of terms.
func (t *thresholds) tier(sum float64) profile.Tier {
	switch {
	case sum >= t.critical:
		return profile.Critical
	case sum >= t.atRisk:
		return profile.AtRisk
	case sum >= t.watch:
		return profile.Watch
	}
	return profile.Healthy
}

// tiered reports whether any stage has tiers of its own.
func (s *Stages) tiered() bool {
	for i := range s.Tiers {
		if s.Tiers[i] != s.Tiers[profile.StageActive] {
			return true
		}
	}
	return false
}

// Stage is the customer's stage at an instant, if nothing happens until then.
func (m *Model) Stage(p *profile.Profile, at int64) profile.Stage {
	s := &m.Stages
	silence, age := at-p.Last, at-p.First
	switch {
	case s.Churned > 0 && silence >= s.Churned:
		return profile.StageChurned
	case s.Dormant > 0 && silence >= s.Dormant:
		return profile.StageDormant
	case s.Resurrected > 0 && p.Back > 0 && at-p.Back < s.Resurrected:
		return profile.StageResurrected
	case age < s.New:
		return profile.StageNew
	case age < s.Onboarding && !p.Onboarded:
		return profile.StageOnboarding
	case p.Lapse.Tier != profile.TierNone:
		return profile.StageAtRisk
	}
	return profile.StageActive
}

// stageEdge is the first instant after `after` at which the stage may change with no further event; math.MaxInt64:
// none.
func (m *Model) stageEdge(p *profile.Profile, after int64) int64 {
	s, next := &m.Stages, int64(math.MaxInt64)
	edge := func(from, span int64) {
		if at := from + span; span > 0 && at > after {
			next = min(next, at)
		}
	}
	edge(p.Last, s.Churned)
	edge(p.Last, s.Dormant)
	edge(p.First, s.New)
	if !p.Onboarded {
		edge(p.First, s.Onboarding)
	}
	if p.Back > 0 {
		edge(p.Back, s.Resurrected)
	}
	return next
}

// stagesBetween are the stages that the customer is in from one instant to another, both included.
func (m *Model) stagesBetween(p *profile.Profile, from, to int64) (set profile.StageSet) {
	for at := from; at <= to; at = m.stageEdge(p, at) {
		set |= 1 << m.Stage(p, at)
	}
	return set
}

// NoteReturn notes that activity at an instant ended a silence of a dormant or churned customer, and which signals
// came.
func (m *Model) NoteReturn(p *profile.Profile, silence, at int64) {
	s := &m.Stages
	if gone := min(orNever(s.Dormant), orNever(s.Churned)); s.Resurrected > 0 && silence >= gone {
		p.Back = at
	}
}

func orNever(span int64) int64 {
	if span == 0 {
		return math.MaxInt64
	}
	return span
}
