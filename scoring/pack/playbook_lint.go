package pack

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ebb/scoring/profile"
)

// lintPlaybooks notes playbooks that no alert names.
func (k *Pack) lintPlaybooks(note func(string, ...any)) {
	g := k.givenReasons()
	for i := range k.Playbooks {
		for j := range k.Playbooks[i].When {
			w := &k.Playbooks[i].When[j]
			for _, code := range w.each() {
				why := k.neverHolds(w, code, g)
				kinds := g.kindsOf(w, code)
				at := slices.IndexFunc(k.Playbooks[:i], func(p Playbook) bool { return p.covers(w, code, kinds) })
				if why == "" && at >= 0 {
					why = fmt.Sprintf("is never reached, [%d] has it already", at)
				}
				if why != "" {
					note("playbooks[%d], %s: %s", i, w.called(code), why)
				}
			}
		}
	}
}

// called is what a note calls the conditions at one of their reasons.
func (w *When) called(code string) string {
	if code != "" {
		return code
	}
	var kinds []string
	for n := range w.kinds.All {
		kinds = append(kinds, n.String())
	}
	return strings.Join(kinds, ", ")
}

// given is which alerts a pack has.
type given struct {
	kinds  map[string]profile.KindSet // by the code of a reason
	adds   map[string]float64         // at most, by the code of a factor
	all    profile.KindSet
	events []uint16
}

// givenReasons are the reasons by which alerts of the pack may choose a playbook.
func (k *Pack) givenReasons() *given {
	const lapse = profile.KindSet(1 << profile.Lapse)
	g := &given{kinds: map[string]profile.KindSet{}, adds: map[string]float64{}, all: lapse}
	for _, code := range []string{ReasonOverdue, ReasonLittleActivity, ReasonNewCustomer} {
		g.kinds[code] = lapse
	}
	for mark := range k.troubles {
		g.kinds[ReasonFriction] = lapse
		g.events = append(g.events, mark)
	}
	for i := range k.Model.Factors {
		c := &k.Model.Factors[i]
		adds := c.Curve.Most(k.reach(c.Feature))
		if g.adds[c.Code] = max(g.adds[c.Code], adds); adds >= MinShare {
			g.kinds[c.Code] |= lapse
		}
	}
	for n := range k.Kinds {
		for _, o := range k.Kinds[n].Opens {
			g.kinds[o.Code] |= 1 << n
			g.all |= 1 << n
		}
	}
	return g
}

// kindsOf are the kinds of the alerts that may satisfy the conditions at one of their reasons.
func (g *given) kindsOf(w *When, code string) profile.KindSet {
	if code == "" {
		return w.kinds & g.all
	}
	return w.kinds & g.kinds[code]
}

// neverHolds says why no alert of the pack satisfies the conditions at one of their reasons; empty: one may.
func (k *Pack) neverHolds(w *When, code string, g *given) string {
	kinds := g.kindsOf(w, code)
	adds, factor := g.adds[code]
	switch {
	case code == "" && kinds == 0:
		return "no alert of the pack is of that kind"
	case g.kinds[code] == 0 && code != "" && factor:
		return fmt.Sprintf("its factor adds %v at most, and what adds less than %v is no reason", adds, MinShare)
	case kinds == 0:
		return "no alert of the pack gives it as a reason, nor is of that kind"
	case w.events != nil && !slices.ContainsFunc(w.events, g.has):
		return "no such event has friction"
	}
	for _, a := range w.amounts {
		least, most := int64(0), int64(math.MaxInt64)
		if a.of >= 0 {
			least, most = k.reach(a.of)
		}
		if a.least > a.most || a.most < least || a.least > most {
			return "no number satisfies what it asks of " + k.amountName(&a)
		}
	}
	return k.nobodyIn(w, kinds)
}

// playbookFeatures notes the features that conditions of playbooks read.
func (k *Pack) playbookFeatures(used []bool) {
	for i := range k.Playbooks {
		for _, w := range k.Playbooks[i].When {
			for _, a := range w.amounts {
				if a.of >= 0 {
					used[a.of] = true
				}
			}
		}
	}
}

// has reports whether an event type with a mark has friction.
func (g *given) has(event uint16) bool { return slices.Contains(g.events, event) }

func (k *Pack) amountName(a *amount) string {
	switch a.of {
	case ofVisits:
		return whenVisits
	case ofSilence:
		return whenSilent
	}
	return k.Features[a.of].Name
}

// nobodyIn says why no customer with an alert of some kinds is in the stages, tiers and value tiers; empty: one may be.
func (k *Pack) nobodyIn(w *When, kinds profile.KindSet) string {
	stages := profile.StageSet(0)
	for s := range profile.NumStages {
		if w.stages.Has(s) && k.Model.Stages.Has(s) {
			stages |= 1 << s
		}
	}
	if stages == 0 {
		return "the pack does not have that stage"
	}
	if early := uint8(1)<<k.Model.Raise.Earliest() - 1; kinds == 1<<profile.Lapse && w.tiers&^early == 0 {
		return "no lapse is raised as early as that tier"
	}
	if k.Value.Feature < 0 && w.values>>ValueUnknown&1 == 0 {
		return "the pack declares no value"
	}
	return ""
}

// each are the conditions' reasons, or one empty code where they hold at any.
func (w *When) each() []string {
	if w.reasons == nil {
		return []string{""}
	}
	return w.reasons
}

// covers reports whether the playbook applies wherever later conditions hold at a reason, in alerts of some kinds; an
// empty reason is any.
func (p *Playbook) covers(later *When, code string, kinds profile.KindSet) bool {
	return slices.ContainsFunc(p.When, func(w When) bool {
		return (w.reasons == nil || slices.Contains(w.reasons, code)) && kinds&^w.kinds == 0 &&
			later.stages&^w.stages == 0 && later.tiers&^w.tiers == 0 && later.values&^w.values == 0 &&
			(w.events == nil || later.events != nil && subset(later.events, w.events)) &&
			!slices.ContainsFunc(w.amounts, func(a amount) bool { return !later.within(&a) })
	})
}

func subset(of, in []uint16) bool {
	return !slices.ContainsFunc(of, func(e uint16) bool { return !slices.Contains(in, e) })
}

// within reports whether the conditions keep a number within bounds.
func (w *When) within(a *amount) bool {
	return slices.ContainsFunc(w.amounts, func(own amount) bool {
		return own.of == a.of && a.least <= own.least && own.most <= a.most
	})
}
