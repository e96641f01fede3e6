package scoring

import (
	"maps"
	"math"
	"slices"
)

// Resolutions of features that are spans, in seconds.
const (
	secondsPerHour = 3600
	hardlyAnyScore = 99.7 // risk score that next to nobody reaches
)

// reach is between which values a feature lies whatever happens.
func (k *Pack) reach(index int) (least, most int64) {
	const any = 1 << 53
	switch f := &k.Features[index]; f.Kind {
	case FeatureActiveDays:
		return 0, int64(f.Within)
	case FeatureDistinct:
		return 0, maxDistinct
	case FeatureSum, FeatureLast:
		return -any, any
	case FeatureRatio:
		if least, _ := k.reach(f.Of); least >= 0 {
			return 0, any
		}
		return -any, any
	default:
		return 0, any
	}
}

// stepOf is between which values of a feature of that kind there is none.
func stepOf(kind FeatureKind) int64 {
	switch kind {
	case FeatureSince, FeatureTenure:
		return secondsPerDay
	case FeatureOpen:
		return secondsPerHour
	default:
		return 1
	}
}

// lintFactors notes what no value of a feature reaches, and factors that add nothing or count in no stage.
func (k *Pack) lintFactors(note func(string, ...any)) {
	if len(k.Model.Factors) > 0 && k.Model.Cap == 0 {
		note("cap: 0, so that no factor adds anything")
	}
	for i := range k.Model.Factors {
		c := &k.Model.Factors[i]
		f := &k.Features[c.Feature]
		least, most := k.reach(c.Feature)
		nothing := c.Curve.add(least) == 0 && c.Curve.add(most) == 0
		for j, p := range c.Curve {
			if p.Value < least && j+1 < len(c.Curve) && c.Curve[j+1].Value <= least || p.Value > most && j > 0 && c.Curve[j-1].Value >= most {
				note("factor %s: the point at %d lies beyond what %s can be, %d to %d", c.Code, p.Value, f.Name, least, most)
			} else if p.Value < least {
				note("factor %s: the point at %d lies below what %s can be, %d", c.Code, p.Value, f.Name, least)
			}
			if p.Value%stepOf(f.Kind) != 0 {
				note("factor %s: the point at %d s is none that %s has: it counts whole %s", c.Code, p.Value, f.Name, map[bool]string{true: "hours", false: "days"}[f.Kind == FeatureOpen])
			}
			nothing = nothing && (p.LogOdds == 0 || p.Value < least || p.Value > most)
		}
		if nothing {
			note("factor %s: adds nothing, whatever %s is", c.Code, f.Name)
		}
		if c.Stages == AllStages {
			continue
		}
		for s := range NumStages {
			if c.Stages.Has(s) && !k.Model.Stages.has(s) {
				note("factor %s: counts in stage %s, which the pack does not have", c.Code, s)
			}
		}
	}
}

// has reports whether customers may be in a stage.
func (s *Stages) has(stage Stage) bool {
	switch stage {
	case StageNew:
		return s.New > 0
	case StageOnboarding:
		return s.Onboarding > s.New
	case StageDormant:
		return s.Dormant > 0
	case StageChurned:
		return s.Churned > 0
	case StageResurrected:
		return s.Resurrected > 0
	default:
		return true
	}
}

// lintStages notes stages that nobody is in, and tiers that nobody reaches.
func (k *Pack) lintStages(note func(string, ...any)) {
	if s := &k.Model.Stages; s.Onboarding > 0 && !s.has(StageOnboarding) {
		note("stage onboarding: nobody is in it, stage new lasts as long")
	}
	tiers := map[string]Tiers{"": k.Tiers}
	if s := k.declared.Stages; s != nil {
		for name, t := range s.Tiers {
			tiers["stage "+name+": "] = t
			if stage := Stage(slices.Index(StageNames(), name)); !k.Model.Stages.has(stage) {
				note("stage %s: has tiers, and the pack does not have it", name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tiers)) {
		t := tiers[name]
		for i, at := range []float64{t.Watch, t.AtRisk, t.Critical} {
			if at >= hardlyAnyScore {
				note("%stier %s: begins at %v, which hardly any score comes to", name, []Tier{Watch, AtRisk, Critical}[i], at)
			}
		}
	}
}

// lintKinds notes openings of which the floor never stands, and floors that lift nobody.
func (k *Pack) lintKinds(note func(string, ...any)) {
	for n := range k.Kinds {
		opens := k.Kinds[n].Opens
		for i := range opens {
			o := &opens[i]
			if o.Feature >= 0 {
				if _, most := k.reach(o.Feature); o.AtLeast > most {
					note("%s.opens[%d]: %s is never %d, %d at most", Kind(n), i, k.Features[o.Feature].Name, o.AtLeast, most)
				}
			}
			if o.Floor < k.Tiers.Watch {
				note("%s.opens[%d]: its floor of %v lies below the tier watch", Kind(n), i, o.Floor)
			}
			for j := i + 1; j < len(opens); j++ {
				if o.behind(&opens[j], k.Kinds[n].Closes) {
					note("%s.opens[%d]: its floor never stands, since [%d] opens whenever it would", Kind(n), i, j)
					break
				}
			}
		}
	}
}

// behind reports whether a later opening, whose floor is no lower, is open whenever o is: it opens with it, and
// nothing ends it alone. Some signals end all.
func (o *Opening) behind(later *Opening, all uint64) bool {
	return later.Signal == o.Signal && later.Closes&^(o.Closes|all) == 0 &&
		(later.Feature < 0 || later.Feature == o.Feature && later.AtLeast <= o.AtLeast)
}

// lintValue notes value tiers that nobody is in.
func (k *Pack) lintValue(note func(string, ...any)) {
	if v := &k.Value; v.Feature >= 0 {
		if _, most := k.reach(v.Feature); v.High > most {
			note("value: %s is never %d, %d at most", k.Features[v.Feature].Name, v.High, most)
		}
	}
}

// lintPlaybooks notes playbooks that no alert names.
func (k *Pack) lintPlaybooks(note func(string, ...any)) {
	given := map[string]bool{ReasonOverdue: true, ReasonRareVisitor: true, ReasonLittleActivity: true, ReasonNewCustomer: true}
	for _, weight := range k.Friction {
		given[ReasonFriction] = given[ReasonFriction] || weight > 0
	}
	weak := map[string]float64{}
	for i := range k.Model.Factors {
		c := &k.Model.Factors[i]
		adds := c.Curve.most(k.reach(c.Feature))
		given[c.Code] = given[c.Code] || adds >= minShare
		weak[c.Code] = max(weak[c.Code], adds)
	}
	for n := range k.Kinds {
		for _, o := range k.Kinds[n].Opens {
			given[o.Code], given[Kind(n).String()] = true, true
		}
	}
	for i := range k.Playbooks {
		for _, when := range k.Playbooks[i].When {
			switch adds, factor := weak[when]; {
			case given[when]:
			case factor:
				note("playbook for %s: its factor adds %v at most, and what adds less than %v is no reason", when, adds, minShare)
			default:
				note("playbook for %s: no alert of the pack gives it as a reason, nor is of that kind", when)
			}
		}
	}
}

// lintSignals notes signals whose conditions no event meets.
func (k *Pack) lintSignals(note func(string, ...any)) {
	for name, s := range sorted(k.declared.Signals) {
		byProperty := map[string][]condition{}
		for i := range s.Where {
			c, _ := s.Where[i].compile(0)
			byProperty[s.Where[i].Property] = append(byProperty[s.Where[i].Property], c)
		}
		for _, property := range slices.Sorted(maps.Keys(byProperty)) {
			if contradict(byProperty[property]) {
				note("signal %s: no event meets what it asks of %s", name, property)
			}
		}
	}
}

// contradict reports whether no property meets all conditions.
func contradict(all []condition) bool {
	least, most, numbers := int64(-math.MaxInt64), int64(math.MaxInt64), false
	var is []PropertyValue // one each of what it has to equal
	missing, there := false, false
	for _, c := range all {
		switch c.test {
		case testAtLeast:
			least, numbers = max(least, c.number), true
		case testAtMost:
			most, numbers = min(most, c.number), true
		case testExists:
			missing, there = missing || !c.truth, there || c.truth
		default:
			is = append(is, c.wanted())
		}
	}
	for _, v := range is {
		if v != is[0] || numbers && (v.Kind != PropertyNumber || v.Number < least || v.Number > most) {
			return true
		}
	}
	return least > most || missing && (there || numbers || len(is) > 0)
}

// wanted is a property that meets the condition.
func (c *condition) wanted() PropertyValue {
	switch c.test {
	case testText:
		return PropertyValue{Kind: PropertyText, Hash: c.hash}
	case testBool:
		v := PropertyValue{Kind: PropertyBool}
		if c.truth {
			v.Number = 1
		}
		return v
	case testExists:
		if !c.truth {
			return PropertyValue{}
		}
		return PropertyValue{Kind: PropertyOther}
	default:
		return PropertyValue{Kind: PropertyNumber, Number: c.number}
	}
}

// Wanted are properties that meet conditions of the pack's signals, by the index of the property: what made-up events
// hold so that each condition is met now and then.
func (k *Pack) Wanted() [][]PropertyValue {
	all := make([][]PropertyValue, len(k.properties))
	for _, s := range sorted(k.declared.Signals) {
		for i := range s.Where {
			p := slices.Index(k.properties, s.Where[i].Property)
			c, _ := s.Where[i].compile(p)
			all[p] = append(all[p], c.wanted())
		}
	}
	return all
}
