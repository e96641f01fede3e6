package scoring

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Stage is where a customer stands in its life with the business. The names are a contract.
type Stage uint8

// Stages. At any time a customer is in the first that fits, in the order of Model.stage.
const (
	StageActive Stage = iota
	StageNew
	StageOnboarding
	StageAtRisk
	StageDormant
	StageChurned
	StageResurrected
	NumStages
)

var stageNames = [NumStages]string{"active", "new", "onboarding", "at_risk", "dormant", "churned", "resurrected"}

// StageNames are the names of the stages, in order.
func StageNames() []string { return slices.Clone(stageNames[:]) }

// String is the stage's stable name.
func (s Stage) String() string {
	if s >= NumStages {
		return "unknown"
	}
	return stageNames[s]
}

// StageSet is a set of stages, a bit each.
type StageSet uint8

// AllStages are all of them.
const AllStages StageSet = 1<<NumStages - 1

// Has reports whether s is in the set.
func (set StageSet) Has(s Stage) bool { return set&(1<<s) != 0 }

// Stages says where the stages of a customer's life begin and end, in ms; 0: the pack does not have that stage.
type Stages struct {
	New, Onboarding, Dormant, Churned, Resurrected int64

	Until uint64 // bit of the signal that ends onboarding; 0: none
	tiers [NumStages]thresholds
}

// thresholds are log-odds at which the tiers begin.
type thresholds struct{ watch, atRisk, critical float64 }

// newThresholds are those of risk scores, out of 100, at which the tiers begin.
func newThresholds(watch, atRisk, critical float64) thresholds {
	return thresholds{logit(watch / 100), logit(atRisk / 100), logit(critical / 100)}
}

// enter is where a tier begins.
func (t *thresholds) enter(tier Tier) float64 {
	switch tier {
	case AtRisk:
		return t.atRisk
	case Critical:
		return t.critical
	default:
		return t.watch
	}
}

// tier is the tier of a sum of terms.
func (t *thresholds) tier(sum float64) Tier {
	switch {
	case sum >= t.critical:
		return Critical
	case sum >= t.atRisk:
		return AtRisk
	case sum >= t.watch:
		return Watch
	}
	return Healthy
}

// Declared reports whether there are stages beside active and at risk.
func (s *Stages) Declared() bool { return s.New|s.Onboarding|s.Dormant|s.Churned != 0 }

// tiered reports whether any stage has tiers of its own.
func (s *Stages) tiered() bool {
	for i := range s.tiers {
		if s.tiers[i] != s.tiers[StageActive] {
			return true
		}
	}
	return false
}

// stage is the customer's stage at an instant, given that nothing happens until then.
func (m *Model) stage(p *Profile, at int64) Stage {
	s := &m.Stages
	silence, age := at-p.Last, at-p.First
	switch {
	case s.Churned > 0 && silence >= s.Churned:
		return StageChurned
	case s.Dormant > 0 && silence >= s.Dormant:
		return StageDormant
	case s.Resurrected > 0 && p.Back > 0 && at-p.Back < s.Resurrected:
		return StageResurrected
	case age < s.New:
		return StageNew
	case age < s.Onboarding && !p.Onboarded:
		return StageOnboarding
	case p.Episode.Tier != TierNone:
		return StageAtRisk
	}
	return StageActive
}

// stageEdge is the first instant after `after` at which the stage may change with no further event; math.MaxInt64:
// none.
func (m *Model) stageEdge(p *Profile, after int64) int64 {
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
func (m *Model) stagesBetween(p *Profile, from, to int64) (set StageSet) {
	for at := from; at <= to; at = m.stageEdge(p, at) {
		set |= 1 << m.stage(p, at)
	}
	return set
}

// returned notes that activity at an instant ended a silence of a dormant or churned customer, and which signals came.
func (m *Model) returned(p *Profile, silence, at int64) {
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

// stagesFile are the stages as written.
type stagesFile struct {
	New         string           `json:"new,omitempty"         yaml:"new"`
	Onboarding  *onboardingFile  `json:"onboarding,omitempty"  yaml:"onboarding"`
	Dormant     string           `json:"dormant,omitempty"     yaml:"dormant"`
	Churned     string           `json:"churned,omitempty"     yaml:"churned"`
	Resurrected string           `json:"resurrected,omitempty" yaml:"resurrected"`
	Tiers       map[string]Tiers `json:"tiers,omitempty"       yaml:"tiers"`
}

type onboardingFile struct {
	Within string `json:"within"          yaml:"within"`
	Until  string `json:"until,omitempty" yaml:"until"`
}

// Bounds of spans in a pack.
const (
	leastSpan = time.Hour
	mostSpan  = 3650 * 24 * time.Hour
)

// checkStages notes what is wrong with the stages.
func (f *packFile) checkStages() {
	at, s := f.at("stages"), f.Stages
	if s == nil {
		return
	}
	span := func(name, text string) time.Duration {
		if text == "" {
			return 0
		}
		return f.checkSpan(at+"."+name, text, leastSpan)
	}
	span("new", s.New)
	dormant, churned := span("dormant", s.Dormant), span("churned", s.Churned)
	if dormant > 0 && churned > 0 && dormant >= churned {
		f.broken(at+".dormant", "%s, must be less than churned, %s: who is both is churned", s.Dormant, s.Churned)
	}
	if span("resurrected", s.Resurrected) > 0 && dormant == 0 && churned == 0 {
		f.broken(at+".resurrected", "%s, but there is no dormant or churned to come back from", s.Resurrected)
	}
	if o := s.Onboarding; o != nil {
		f.checkSpan(at+".onboarding.within", o.Within, leastSpan)
		f.checkSignalNamed(at+".onboarding.until", o.Until)
	}
	for name, t := range sorted(s.Tiers) {
		if !slices.Contains(StageNames(), name) {
			f.broken(at+".tiers."+name, "is no stage, there are %s", strings.Join(StageNames(), ", "))
		}
		if !t.rise() {
			f.broken(at+".tiers."+name, "watch %v, at_risk %v, critical %v: must rise, between 0 and 100", t.Watch, t.AtRisk, t.Critical)
		}
	}
}

// buildStages compiles the stages.
func (k *Pack) buildStages(f *packFile) {
	span := func(text string) int64 {
		if text == "" {
			return 0
		}
		d, _ := parseDays(text)
		return d.Milliseconds()
	}
	s := f.Stages
	if s == nil {
		s = &stagesFile{}
	}
	stages := Stages{New: span(s.New), Dormant: span(s.Dormant), Churned: span(s.Churned), Resurrected: span(s.Resurrected)}
	if o := s.Onboarding; o != nil {
		stages.Onboarding = span(o.Within)
		if i := slices.Index(f.signalNames(), o.Until); i >= 0 {
			stages.Until = 1 << i
		}
	}
	for i := range stages.tiers {
		t, ok := s.Tiers[Stage(i).String()]
		if !ok {
			t = k.Tiers
		}
		stages.tiers[i] = newThresholds(t.Watch, t.AtRisk, t.Critical)
	}
	k.Model.Stages = stages
}
