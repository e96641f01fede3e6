package scoring

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Factor is what a feature adds to the score.
type Factor struct {
	Code    string // of its reason
	Feature int    // index into the pack's features
	Curve   FeatureCurve
	Stages  StageSet // in which it counts
}

// Bounds of factors, in log-odds.
const (
	maxFactors   = 32
	maxCurve     = 16 // points
	maxCap       = 4.0
	defaultCap   = 1.0
	maxCurveRise = maxCap
)

// factorSum adds up what the factors add at a customer's stage, within the cap. each, if not nil, takes what each adds.
func (m *Model) factorSum(values []FeatureValue, stage Stage, each []float64) float64 {
	sum := 0.0
	for i := range m.Factors {
		c := &m.Factors[i]
		add := 0.0
		if c.Feature < len(values) && values[c.Feature].OK && c.Stages.Has(stage) {
			add = c.Curve.add(values[c.Feature].N)
		}
		if each != nil {
			each[i] = add
		}
		sum += add
	}
	return capped(sum, m.Cap)
}

// curves are those of the factors, by the feature that each reads.
func curves(factors []Factor) (all [][]FeatureCurve) {
	for i := range factors {
		f := &factors[i]
		for len(all) <= f.Feature {
			all = append(all, nil)
		}
		all[f.Feature] = append(all[f.Feature], f.Curve)
	}
	return all
}

// capped is a sum of factors within a cap, and of a cap of nothing the zero without a sign.
func capped(sum, limit float64) float64 { return min(max(sum, -limit), limit) + 0 }

// factorMost is a bound of what factorSum may come to while features lie within ranges, at any of the stages.
func (m *Model) factorMost(ranges []FeatureRange, stages StageSet) float64 {
	sum := 0.0
	for i := range m.Factors {
		c := &m.Factors[i]
		r := &ranges[c.Feature]
		if !r.Sometimes || c.Stages&stages == 0 {
			continue
		}
		top := c.Curve.most(r.Least, r.Greatest)
		if !r.Always || stages&^c.Stages != 0 {
			top = max(top, 0)
		}
		sum += top
	}
	return capped(sum, m.Cap)
}

// factorFile is a factor as written.
type factorFile struct {
	Code    string   `json:"code"             yaml:"code"`
	Feature string   `json:"feature"          yaml:"feature"`
	Curve   [][]any  `json:"curve"            yaml:"curve"`
	Stages  []string `json:"stages,omitempty" yaml:"stages"`
}

// checkFactors notes what is wrong with the factors.
func (f *packFile) checkFactors() {
	if len(f.Factors) > maxFactors {
		f.broken("factors", "%d, at most %d", len(f.Factors), maxFactors)
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

func (f *packFile) featureNames() (names []string) {
	for name := range f.Features {
		names = append(names, name)
	}
	return names
}

// checkCode notes a code that the catalogue of reasons does not hold.
func (f *packFile) checkCode(at, code string) {
	if f.reasons.sentences[code] == nil {
		f.broken(at, "%q is no reason of the catalogue, `ebb packs show --reasons` lists them", code)
	}
}

// checkSaid notes a code whose sentence holds what the feature does not give; scored: it is said only where there is
// a score.
func (f *packFile) checkSaid(at, code, name string, scored bool) {
	d, declared := f.Features[name]
	if name != "" && !declared {
		return // complained about elsewhere
	}
	var given [numHoles]bool
	for h := range numHoles {
		given[h] = h == noHole || scored
	}
	kind, _ := featureKind(d.Kind)
	given[holeValue], given[holeWithin] = declared, f.hasWindow(name, len(f.Features))
	given[holeAgo] = declared && (kind == FeatureSince || kind == FeatureOpen || kind == FeatureTenure)
	if lacking := f.reasons.lacks(code, given); lacking != "" {
		by := "no feature gives"
		if declared {
			by = name + " does not give"
		}
		f.broken(at, "the sentence of %s holds {%s}, which %s here", code, lacking, by)
	}
}

// hasWindow reports whether a feature has a window, or, of so many ratios at most, what it divides.
func (f *packFile) hasWindow(name string, ratios int) bool {
	d := f.Features[name]
	if d.Kind == FeatureRatio.String() && ratios > 0 {
		return f.hasWindow(d.Of, ratios-1)
	}
	return d.Within != ""
}

// parseCurve reads the points of a curve over the values of a feature of that kind.
func parseCurve(points [][]any, kind FeatureKind) (curve FeatureCurve, err error) {
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
		curve = append(curve, CurvePoint{Value: value, LogOdds: add + 0}) // no zero with a sign
	}
	return curve, nil
}

// curveValue reads a feature's value: a span where the kind has one, thousandths of what is written where it is a
// property.
func curveValue(v any, kind FeatureKind) (int64, error) {
	const most = 1e15
	switch kind {
	case FeatureSince, FeatureOpen, FeatureTenure:
		text, ok := v.(string)
		if !ok {
			return 0, fmt.Errorf("%v, must be a span such as 72h or 14d", v)
		}
		d, err := parseDays(text)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q, must be a span such as 72h or 14d", text)
		}
		return int64(d / time.Second), nil
	default:
	}
	n, ok := number(v)
	if kind == FeatureLast {
		n = math.Round(float64(n * 1000))
	}
	if !ok || !(math.Abs(n) <= most) || n != math.Trunc(n) {
		return 0, fmt.Errorf("%v, must be a whole number", v)
	}
	return int64(n), nil
}

// number is what YAML made of a number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case uint64:
		return float64(v), true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// buildFactors compiles the factors.
func (k *Pack) buildFactors(f *packFile) {
	order, _ := f.featureOrder()
	for _, c := range f.Factors {
		kind, _ := featureKind(f.Features[c.Feature].Kind)
		curve, err := parseCurve(c.Curve, kind)
		if err != nil {
			panic("BUG: a checked curve: " + err.Error())
		}
		stages, _ := parseStages(c.Stages)
		k.Model.Factors = append(k.Model.Factors, Factor{Code: c.Code, Feature: slices.Index(order, c.Feature), Curve: curve, Stages: stages})
	}
	k.Model.Cap = f.Cap
}

// parseStages reads a list of stages; none means all.
func parseStages(names []string) (set StageSet, err error) {
	if len(names) == 0 {
		return AllStages, nil
	}
	for i, name := range names {
		s := slices.Index(StageNames(), name)
		if s < 0 {
			return 0, fmt.Errorf("[%d]: %q, must be one of %s", i, name, strings.Join(StageNames(), ", "))
		}
		set |= 1 << s
	}
	return set, nil
}
