package pack

import (
	"maps"
	"slices"
	"strings"
	"time"

	"ebb/scoring/model"
	"ebb/scoring/profile"
)

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

// checkStages notes what is wrong with the stages.
func (f *file) checkStages() {
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
		if !slices.Contains(profile.StageNames(), name) {
			f.broken(at+".tiers."+name, "is no stage, there are %s", strings.Join(profile.StageNames(), ", "))
		}
		if !t.rise() {
			f.broken(
				at+".tiers."+name,
				"watch %v, at_risk %v, critical %v: must rise, between 0 and 100",
				t.Watch,
				t.AtRisk,
				t.Critical,
			)
		}
	}
}

// buildStages compiles the stages.
func (k *Pack) buildStages(f *file) {
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
	stages := model.Stages{
		New:         span(s.New),
		Dormant:     span(s.Dormant),
		Churned:     span(s.Churned),
		Resurrected: span(s.Resurrected),
	}
	if o := s.Onboarding; o != nil {
		stages.Onboarding = span(o.Within)
		if i := slices.Index(f.signalNames(), o.Until); i >= 0 {
			stages.Until = 1 << i
		}
	}
	for i := range stages.Tiers {
		t, ok := s.Tiers[profile.Stage(i).String()]
		if !ok {
			t = k.Tiers
		}
		stages.Tiers[i] = model.NewThresholds(t.Watch, t.AtRisk, t.Critical)
	}
	k.Model.Stages = stages
}

const (
	hardlyAnyScore = 99.7 // risk score that hardly any customer reaches
)

// lintStages notes stages without customers, and tiers that nobody reaches.
func (k *Pack) lintStages(note func(string, ...any)) {
	if s := &k.Model.Stages; s.Onboarding > 0 && !s.Has(profile.StageOnboarding) {
		note("stage onboarding: nobody is in it, stage new lasts as long")
	}
	tiers := map[string]Tiers{"": k.Tiers}
	if s := k.declared.Stages; s != nil {
		for name, t := range s.Tiers {
			tiers["stage "+name+": "] = t
			if stage := profile.Stage(slices.Index(profile.StageNames(), name)); !k.Model.Stages.Has(stage) {
				note("stage %s: has tiers, and the pack does not have it", name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tiers)) {
		t := tiers[name]
		for i, at := range []float64{t.Watch, t.AtRisk, t.Critical} {
			if at >= hardlyAnyScore {
				note(
					"%stier %s: begins at %v, which hardly any score comes to",
					name,
					[]profile.Tier{profile.Watch, profile.AtRisk, profile.Critical}[i],
					at,
				)
			}
		}
	}
}

func (f *file) normaliseStages() {
	s := f.Stages
	if s == nil {
		return
	}
	for _, span := range []*string{&s.New, &s.Dormant, &s.Churned, &s.Resurrected} {
		*span = normalSpan(*span)
	}
	if s.Onboarding != nil {
		s.Onboarding.Within = normalSpan(s.Onboarding.Within)
	}
}
