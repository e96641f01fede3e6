package pack

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

const (
	maxCurve     = 16 // points
	maxCap       = 4.0
	defaultCap   = 1.0
	maxCurveRise = maxCap
)

// factorFile is a factor as written.
type factorFile struct {
	Code    string   `json:"code"             yaml:"code"`
	Feature string   `json:"feature"          yaml:"feature"`
	Curve   [][]any  `json:"curve"            yaml:"curve"`
	Stages  []string `json:"stages,omitempty" yaml:"stages"`
}

// checkFactors notes what is wrong with the factors.
func (f *file) checkFactors() {
	if len(f.Factors) > model.MaxFactors {
		f.broken("factors", "%d, at most %d", len(f.Factors), model.MaxFactors)
	}
	if !(f.Cap >= 0 && f.Cap <= maxCap) {
		f.broken("cap", "%v, must be from 0 to %v", f.Cap, maxCap)
	}
	for i := range f.Factors {
		c := &f.Factors[i]
		at := fmt.Sprintf("%s[%d]", f.at("factors"), i)
		f.checkCode(at+".code", c.Code)
		if c.Feature == "" {
			f.broken(at+".feature", "is missing")
		}
		f.checkNamed(at+".feature", "feature", c.Feature, f.featureNames())
		f.checkSaid(at+".code", c.Code, c.Feature, true)
		kind, _ := featureKind(f.Features[c.Feature].Kind)
		if _, err := parseCurve(c.Curve, kind); err != nil {
			f.broken(at+".curve", "%v", err)
		}
		if _, err := parseStages(c.Stages); err != nil {
			f.broken(at+".stages", "%v", err)
		}
	}
}

// parseCurve reads the points of a curve over the values of a feature of that kind.
func parseCurve(points [][]any, kind feature.Kind) (curve feature.Curve, err error) {
	if len(points) == 0 || len(points) > maxCurve {
		return nil, fmt.Errorf("%d points, must be 1 to %d", len(points), maxCurve)
	}
	for i, p := range points {
		if len(p) != 2 {
			return nil, fmt.Errorf("[%d] holds %d numbers, must be [value, log-odds]", i, len(p))
		}
		value, err := curveValue(p[0], kind)
		if err != nil {
			return nil, fmt.Errorf("[%d][0]: %w", i, err)
		}
		add, ok := number(p[1])
		if !ok || !(math.Abs(add) <= maxCurveRise) {
			return nil, fmt.Errorf("[%d][1]: %v, must be log-odds from -%v to %v", i, p[1], maxCurveRise, maxCurveRise)
		}
		if i > 0 && value <= curve[i-1].Value {
			return nil, fmt.Errorf("[%d][0]: %v, must be more than the point before", i, p[0])
		}
		curve = append(curve, feature.CurvePoint{Value: value, LogOdds: add + 0}) // no zero with a sign
	}
	return curve, nil
}

// curveValue reads a feature's value: a span where the kind has one, thousandths of the number where it is a property.
func curveValue(v any, kind feature.Kind) (int64, error) {
	const most = 1e15
	form := kind.Traits().Form
	if form.IsSpan() {
		text, ok := v.(string)
		if !ok {
			return 0, fmt.Errorf("%v, must be a span such as 72h or 14d", v)
		}
		d, err := parseDays(text)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q, must be a span such as 72h or 14d", text)
		}
		return int64(d / time.Second), nil
	}
	n, ok := number(v)
	if form == feature.FormNumber {
		n = math.Round(float64(n * 1000))
	}
	if !ok || !(math.Abs(n) <= most) || n != math.Trunc(n) {
		return 0, fmt.Errorf("%v, must be a whole number", v)
	}
	return int64(n), nil
}

// buildFactors compiles the factors.
func (k *Pack) buildFactors(f *file) {
	order, _ := f.featureOrder()
	for _, c := range f.Factors {
		kind, _ := featureKind(f.Features[c.Feature].Kind)
		curve, err := parseCurve(c.Curve, kind)
		if err != nil {
			panic("BUG: a checked curve: " + err.Error())
		}
		stages, _ := parseStages(c.Stages)
		k.Model.Factors = append(k.Model.Factors, model.Factor{
			Code: c.Code, Feature: slices.Index(order, c.Feature), Curve: curve, Stages: stages, Ends: f.ends(c.Feature),
			Quiet: f.quiet(c.Feature),
		})
	}
	k.Model.Cap = f.Cap
}

// ends reports whether the business can take a feature to 0: its items are solved by a signal of which no type is
// activity of the customer.
func (f *file) ends(name string) bool {
	d := f.Features[name]
	kind, _ := featureKind(d.Kind)
	return kind.Traits().Until &&
		!slices.ContainsFunc(f.Signals[d.Until].Types, func(t string) bool { return !f.happens(t) })
}

// quiet is after how many days of silence a feature is 0 for that alone: it counts within a window what is the
// customer's own activity, or divides such a count. 0: there is no such time.
func (f *file) quiet(name string) float64 {
	d := f.Features[name]
	kind, _ := featureKind(d.Kind)
	switch {
	case kind == feature.Ratio:
		return f.quiet(d.Of)
	case !kind.Traits().Windowed || kind == feature.Last || slices.ContainsFunc(f.Signals[d.Of].Types, f.happens):
		return 0
	}
	within, hourly, _ := parseWindow(d.Within)
	if hourly {
		return float64(within) / 24
	}
	return float64(within)
}

// happens reports whether an event type is no activity of the customer.
func (f *file) happens(eventType string) bool {
	_, trouble := f.Friction[eventType]
	return !slices.Contains(f.Activity, eventType) && (!slices.Contains(f.Activity, Everything) || trouble)
}

// parseStages reads a list of stages; none means all.
func parseStages(names []string) (set profile.StageSet, err error) {
	if len(names) == 0 {
		return profile.AllStages, nil
	}
	for i, name := range names {
		s := slices.Index(profile.StageNames(), name)
		if s < 0 {
			return 0, fmt.Errorf("[%d]: %q, must be one of %s", i, name, strings.Join(profile.StageNames(), ", "))
		}
		set |= 1 << s
	}
	return set, nil
}

// lintFactors notes points that no value of a feature reaches, and factors that add nothing or count in no stage.
func (k *Pack) lintFactors(note func(string, ...any)) {
	if len(k.Model.Factors) > 0 && k.Model.Cap == 0 {
		note("cap: 0, so that no factor adds anything")
	}
	for i := range k.Model.Factors {
		c := &k.Model.Factors[i]
		f := &k.Features[c.Feature]
		least, most := k.reach(c.Feature)
		nothing := c.Curve.Add(least) == 0 && c.Curve.Add(most) == 0
		for j, p := range c.Curve {
			if p.Value < least && j+1 < len(c.Curve) && c.Curve[j+1].Value <= least ||
				p.Value > most && j > 0 && c.Curve[j-1].Value >= most {
				note("factor %s: the point at %d lies beyond what %s can be, %d to %d", c.Code, p.Value, f.Name, least, most)
			} else if p.Value < least {
				note("factor %s: the point at %d lies below what %s can be, %d", c.Code, p.Value, f.Name, least)
			}
			if form := f.Kind.Traits().Form; p.Value%form.Step() != 0 {
				note(
					"factor %s: the point at %d s is none that %s has: it counts whole %s",
					c.Code,
					p.Value,
					f.Name,
					map[bool]string{true: "hours", false: "days"}[form == feature.FormHours],
				)
			}
			nothing = nothing && (p.LogOdds == 0 || p.Value < least || p.Value > most)
		}
		if nothing {
			note("factor %s: adds nothing, whatever %s is", c.Code, f.Name)
		}
		if c.Stages == profile.AllStages {
			continue
		}
		for s := range profile.NumStages {
			if c.Stages.Has(s) && !k.Model.Stages.Has(s) {
				note("factor %s: counts in stage %s, which the pack does not have", c.Code, s)
			}
		}
	}
}

// normaliseFactors leaves out the stages of a factor that counts in all.
func (f *file) normaliseFactors() {
	for i := range f.Factors {
		c := &f.Factors[i]
		for _, point := range c.Curve {
			point[0], point[1] = normalValue(point[0]), normalValue(point[1])
		}
		if set, _ := parseStages(c.Stages); set == profile.AllStages {
			c.Stages = nil
		}
		slices.Sort(c.Stages)
		c.Stages = slices.Compact(c.Stages)
	}
}
