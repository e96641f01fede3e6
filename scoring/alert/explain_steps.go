package alert

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/feature"
	"ebb/scoring/model"
)

// addTerms recomputes the terms, which have to be complete, and their sum.
func (x *Explanation) addTerms(said *saidAlert) error {
	names := model.TermNames()
	for i, t := range said.Terms {
		value, err := t.recompute()
		if err != nil {
			return fmt.Errorf("/terms/%d: %w", i, err)
		}
		if slices.Index(names[:], t.Name) != i {
			return fmt.Errorf("/terms/%d is %s: the terms are %s", i, t.Name, strings.Join(names[:], ", "))
		}
		x.differ(fmt.Sprintf("/terms/%d/log_odds", i), t.LogOdds, value)
		t.LogOdds = value
		x.Terms = append(x.Terms, t)
		if i == 0 {
			x.LogOdds = value
		} else {
			x.LogOdds += value
		}
	}
	if len(x.Terms) < model.NumTerms {
		return fmt.Errorf("/terms has no %s", names[len(x.Terms)])
	}
	return nil
}

// read reads the probability from the points of the curve, or from the score where there are none.
func (x *Explanation) read(said *saidAlert) error {
	if math.IsNaN(x.LogOdds) || math.IsInf(x.LogOdds, 0) {
		return errors.New("its inputs lead to no number")
	}
	if len(said.Curve) > len(model.Reading{}.Points) {
		return fmt.Errorf("/probability_curve has %d points, which is too many", len(said.Curve))
	}
	for i, p := range said.Curve {
		if len(p) != 2 {
			return fmt.Errorf("/probability_curve/%d holds %d numbers, must be log-odds and a probability", i, len(p))
		}
		if !(p[1] >= 0 && p[1] <= 1) {
			return fmt.Errorf("/probability_curve/%d: %v is no probability", i, p[1])
		}
		x.Curve = append(x.Curve, [2]float64{p[0], p[1]})
	}
	r := x.reading()
	low, high := r.Points[0], r.Points[1]
	if r.Number == 2 && !(low.LogOdds < x.LogOdds && x.LogOdds <= high.LogOdds && low.Probability < high.Probability) {
		return fmt.Errorf("/probability_curve does not rise around %v", x.LogOdds)
	}
	if r.Provisional() != (r.Probes < model.EnoughProbes) {
		return fmt.Errorf(
			"/probability_probes is %d, with %d points of a curve: from %d on there is one",
			r.Probes,
			r.Number,
			model.EnoughProbes,
		)
	}
	x.Probability, x.Provisional = r.Probability(x.LogOdds), r.Provisional()
	if math.IsNaN(x.Probability) || math.IsInf(x.Probability, 0) {
		return errors.New("/probability_curve leads to no number")
	}
	return nil
}

// reading is what the probability is read from.
func (x *Explanation) reading() model.Reading {
	r := model.Reading{Probes: x.Probes, Number: uint8(len(x.Curve))}
	for i, p := range x.Curve {
		r.Points[i] = model.ReadPoint{LogOdds: p[0], Probability: p[1]}
	}
	return r
}

// weigh recomputes how much of the value is at risk.
func (x *Explanation) weigh() {
	if x.Value == nil {
		return
	}
	again, likely := *x.Value, x.Probability
	if x.Floor != nil {
		likely = max(likely, x.Floor.Risk/100)
	}
	if again.AtRisk = scoring.AtRisk(again.Amount, likely); again != *x.Value {
		x.differ("/value/at_risk", float64(x.Value.AtRisk), float64(again.AtRisk))
	}
	x.Value = &again
}

// leave recomputes the way out of the tier, unless it is that of a factor: the sum without one factor depends on the
// pack's cap.
func (x *Explanation) leave() error {
	if x.Exit == nil {
		return nil
	}
	again := *x.Exit
	switch {
	case again.Change == model.ExitVisit:
		again.LogOdds = x.afterVisit()
	case again.Change == model.ExitFriction:
		again.LogOdds = x.LogOdds - x.Terms[model.TermFriction].LogOdds
	case !slices.ContainsFunc(x.Factors, func(f ExplainedFactor) bool { return f.Code == again.Change && f.LogOdds > 0 }):
		return fmt.Errorf("/cheapest_exit/change: %q is neither visit nor friction nor a factor that adds", again.Change)
	}
	if math.IsNaN(again.LogOdds) || math.IsInf(again.LogOdds, 0) {
		return errors.New("/cheapest_exit leads to no number")
	}
	again.Risk = float64(model.Thousandths(exact.Sigmoid(again.LogOdds))) / 1000
	x.differ("/cheapest_exit/log_odds", x.Exit.LogOdds, again.LogOdds)
	x.differ("/cheapest_exit/risk_score", x.Exit.Risk, again.Risk)
	x.Exit = &again
	return nil
}

// afterVisit is that of package model, by the terms' own numbers, which are complete.
func (x *Explanation) afterVisit() float64 {
	silence, level, tenure := x.Terms[model.TermSilence], x.Terms[model.TermLevel], x.Terms[model.TermTenure]
	begun := silence.Coefficients["min_silent_days"]
	outgrown := model.Outgrown(silence.Inputs["ln_typical_days"], silence.Inputs["regularity"], begun)
	left := float64(level.Inputs["level"] * exact.Exp(-level.Inputs["idle_days"]/level.Coefficients["fade_days"]))
	after := model.Score{Factors: x.FactorSum}
	for i := range after.Terms {
		after.Terms[i] = x.Terms[i].LogOdds
	}
	silent := silence.Inputs["silent_days"]
	silence.Inputs = maps.Clone(silence.Inputs)
	silence.Inputs["silent_days"] = begun
	after.Terms[model.TermSilence], _ = silence.recompute()
	after.Terms[model.TermLevel] = (&named{t: &level}).level(left+1, 0, outgrown)
	tenure.Inputs = map[string]float64{"tenure_days": tenure.Inputs["tenure_days"] + silent}
	after.Terms[model.TermTenure], _ = tenure.recompute()
	return after.Sum()
}

// addFactors recomputes what the factors add, one by one and together.
func (x *Explanation) addFactors(said *saidAlert) error {
	if len(said.Factors) > model.MaxFactors {
		return fmt.Errorf("/factors holds %d, which is too many", len(said.Factors))
	}
	for i := range said.Factors {
		f := said.Factors[i].ExplainedFactor
		var curve feature.Curve
		for j, p := range said.Factors[i].Coefficients.Curve {
			if len(p) != 2 || p[0] != math.Trunc(p[0]) || math.Abs(p[0]) > 1<<53 {
				return fmt.Errorf("/factors/%d/coefficients/curve/%d: %v, must be a whole number and log-odds", i, j, p)
			}
			curve = append(curve, feature.CurvePoint{Value: int64(p[0]), LogOdds: p[1]})
			if j > 0 && curve[j-1].Value >= curve[j].Value {
				return fmt.Errorf("/factors/%d/coefficients/curve/%d: %v is not more than the point before", i, j, p[0])
			}
			f.Coefficients.Curve = append(f.Coefficients.Curve, [2]float64{p[0], p[1]})
		}
		if len(curve) == 0 {
			return fmt.Errorf("/factors/%d/coefficients/curve has no point", i)
		}
		value := curve.Add(f.Inputs.Value)
		x.differ(fmt.Sprintf("/factors/%d/log_odds", i), f.LogOdds, value)
		f.LogOdds = value
		x.FactorSum += value
		x.Factors = append(x.Factors, f)
	}
	x.Uncapped = x.FactorSum
	x.FactorSum = model.Capped(x.FactorSum, x.Cap)
	x.differ("/factors_log_odds", said.FactorSum, x.FactorSum)
	x.LogOdds += x.FactorSum
	return nil
}

func (x *Explanation) differ(field string, says, recomputed float64) {
	if math.Float64bits(says) != math.Float64bits(recomputed) {
		x.Differences = append(x.Differences, Difference{field, says, recomputed})
	}
}
