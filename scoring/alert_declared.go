package scoring

import "strconv"

// appendDeclared appends what a pack declares beside the core: stage, factors, floor, value, playbook, and the cheapest way
// out of the tier. A pack that declares none of it adds nothing.
func (k *Pack) appendDeclared(dst []byte, a *Alert, n *numbers) []byte {
	d := &a.Decision
	scored := d.Score.Visits > 0
	if k.staged() && scored {
		dst = append(append(append(dst, `,"stage":"`...), d.Score.Stage.String()...), '"')
	}
	if len(k.Factors) > 0 && scored {
		dst = k.appendFactors(dst, &d.Score, n)
	}
	floor := k.Floor(d)
	if floor > 0 {
		dst = strconv.AppendFloat(append(dst, `,"floor":{"risk_score":`...), floor, 'f', -1, 64)
		dst = append(append(append(dst, `,"code":"`...), k.opened(d).Code...), `"}`...)
	}
	tier := ValueUnknown
	if v := &k.Value; v.Feature >= 0 {
		worth := d.Score.value(v.Feature)
		if tier = v.tier(worth); worth.OK {
			dst = append(append(append(dst, `,"value":{"feature":"`...), k.Features[v.Feature].Name...), `","amount":`...)
			dst = strconv.AppendInt(dst, worth.N, 10)
			dst = strconv.AppendInt(append(dst, `,"at_risk":`...), atRisk(worth.N, d.likely(floor)), 10)
			dst = append(append(append(dst, `,"tier":"`...), tier.String()...), `"}`...)
		}
	}
	if p := k.play(d, tier); p != nil {
		dst = append(append(append(dst, `,"playbook":{"id":"`...), p.ID...), `","owner":"`...)
		dst = append(append(dst, p.Owner...), `","respond_by":"`...)
		dst = append(AppendTime(dst, d.At+p.Respond.Milliseconds()), `"}`...)
	}
	return k.appendExit(dst, d, n)
}

// likely is how likely a decision's customer is to churn: by the probability, or the floor where that is more.
func (d *Decision) likely(floor float64) float64 {
	if d.Score.Visits == 0 {
		return floor / 100
	}
	return max(floor/100, d.Reading.Probability(d.Score.Sum()))
}

// atRisk is how much of what a customer is worth is at risk.
func atRisk(worth int64, likely float64) int64 {
	return int64(float64(float64(max(worth, 0))*likely) + 0.5)
}

// appendFactors appends every factor that has data at the customer's stage, and what all add within the cap.
func (k *Pack) appendFactors(dst []byte, s *Score, n *numbers) []byte {
	var each [maxFactors]float64
	k.factorSum(s.Values, s.Stage, each[:])
	dst = append(dst, `,"factors":[`...)
	first := true
	for i := range k.Factors {
		c := &k.Factors[i]
		v := s.value(c.Feature)
		if !v.OK || !c.Stages.Has(s.Stage) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, `{"code":"`...), c.Code...), `","feature":"`...)
		dst = n.append(append(append(dst, k.Features[c.Feature].Name...), `","log_odds":`...), each[i])
		dst = strconv.AppendInt(append(dst, `,"inputs":{"value":`...), v.N, 10)
		dst = append(dst, `},"coefficients":{"curve":[`...)
		for j, p := range c.Curve {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = n.append(append(strconv.AppendInt(append(dst, '['), p.Value, 10), ','), p.LogOdds)
			dst = append(dst, ']')
		}
		dst = append(dst, `]}}`...)
	}
	dst = n.append(append(dst, `],"factors_log_odds":`...), s.Factors)
	return n.append(append(dst, `,"factors_cap":`...), k.Cap)
}

// append appends the probability that is read at a sum, how many probes stand behind it, and the points of the curve that it
// was read from: what recomputes it bit for bit.
func (r *Reading) append(dst []byte, sum float64, n *numbers) []byte {
	dst = n.append(append(dst, `,"churn_probability":`...), r.Probability(sum))
	dst = strconv.AppendUint(append(dst, `,"probability_probes":`...), uint64(r.Probes), 10)
	dst = strconv.AppendBool(append(dst, `,"probability_provisional":`...), r.Provisional())
	for i, p := range r.Points[:r.Number] {
		if i == 0 {
			dst = append(dst, `,"probability_curve":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(n.append(append(n.append(append(dst, '['), p.LogOdds), ','), p.Probability), ']')
	}
	if r.Number > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// coverage is the share of the pack's features that have data; 1 where it declares none.
func (s *Score) coverage() float64 {
	if len(s.Values) == 0 {
		return 1
	}
	with := 0
	for i := range s.Values {
		if s.Values[i].OK {
			with++
		}
	}
	return float64(with) / float64(len(s.Values))
}

// staged reports whether the pack has stages.
func (k *Pack) staged() bool {
	s := &k.Stages
	return s.New|s.Onboarding|s.Dormant|s.Churned != 0
}

// about is the opening that a decision about an episode other than a lapse is about.
func (k *Pack) about(d *Decision) *Opening { return &k.Kinds[d.Kind].Opens[d.About] }

// opened is the opening that the floor of an episode other than a lapse is of.
func (k *Pack) opened(d *Decision) *Opening { return &k.Kinds[d.Kind].Opens[d.Opening] }

// Floor is the risk score, 0 to 100, that the customer's is not below by the decision; 0: there is none.
func (k *Pack) Floor(d *Decision) float64 {
	if d.Kind == Lapse || d.Transition == Recovered || d.Transition == Expired {
		return 0
	}
	return k.opened(d).Floor
}

// Changes that an exit may be, beside the end of what a factor adds.
const (
	exitVisit    = "visit"
	exitFriction = "friction"
)

// An exit is one change that would take a customer out of its tier.
type exit struct {
	code string  // "visit", "friction", or a factor's
	sum  float64 // log-odds after it
}

// appendExit appends the smallest single change after which the tier would be a lower one: a visit, the end of what friction
// remains, or the end of what one factor adds. It is worked out from what the alert carries: the law of the customer's gaps
// is left as it is. Nothing where none of them alone would do.
func (k *Pack) appendExit(dst []byte, d *Decision, n *numbers) []byte {
	if d.Kind != Lapse || d.Transition == Recovered || d.Score.Visits == 0 {
		return dst
	}
	sum := d.Score.Sum()
	best, own := exit{sum: sum}, k.TierOf(&d.Score)
	consider := func(code string, after float64) {
		if k.tierAt(d.Score.Stage, after) < own && (best.code == "" || after > best.sum) {
			best = exit{code, after}
		}
	}
	consider(exitVisit, k.afterVisit(&d.Score))
	consider(exitFriction, sum-d.Score.Terms[TermFriction])
	var each [maxFactors]float64
	if len(k.Factors) > 0 {
		k.factorSum(d.Score.Values, d.Score.Stage, each[:])
	}
	all := 0.0 // before the cap
	for i := range k.Factors {
		all += each[i]
	}
	for i := range k.Factors {
		if each[i] > 0 {
			consider(k.Factors[i].Code, sum-(d.Score.Factors-capped(all-each[i], k.Cap)))
		}
	}
	if best.code == "" {
		return dst
	}
	dst = append(append(append(dst, `,"cheapest_exit":{"change":"`...), best.code...), `","log_odds":`...)
	dst = n.append(dst, best.sum)
	dst = appendThousandths(append(dst, `,"risk_score":`...), thousandths(sigmoid(best.sum)))
	return append(append(append(dst, `,"tier":"`...), k.tierAt(d.Score.Stage, best.sum).String()...), `"}`...)
}

// afterVisit is the sum right after a visit: silent for no time, and a spell more.
func (k *Pack) afterVisit(s *Score) float64 {
	level := float64(s.Level*exp(-s.Idle/k.levelFade)) + 1
	terms := s.Terms
	terms[TermSilence] = 0
	terms[TermLevel] = levelTerm(level, 0, k.levelFade)
	after := Score{Terms: terms, Factors: s.Factors}
	return after.Sum()
}
