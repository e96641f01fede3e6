package alert

import (
	"strconv"

	"ebb/scoring"
	"ebb/scoring/exact"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

// appendDeclared appends what a pack declares besides the core: stage, factors and other features, openings with their
// floor, value, playbook, and the cheapest way out of the tier. For a pack without declarations it appends only the
// stage.
func (r *Renderer) appendDeclared(dst []byte, a *Alert, n *numbers) []byte {
	d := &a.Decision
	scored := d.Score.Visits > 0
	if dst = strconv.AppendUint(append(dst, `,"visits":`...), uint64(d.Score.Visits), 10); scored {
		dst = append(append(append(dst, `,"stage":"`...), d.Score.Stage.String()...), '"')
	}
	if len(r.Pack.Model.Factors) > 0 && scored {
		dst = r.appendFactors(dst, &d.Score, n)
	}
	worth, known := d.Worth(r.Pack)
	dst = r.appendOthers(dst, &d.Score, known)
	if d.Kind != profile.Lapse {
		dst = r.appendOpenings(dst, d)
	}
	floor := d.Floor(r.Pack)
	if floor > 0 {
		dst = strconv.AppendFloat(append(dst, `,"floor":{"risk_score":`...), floor, 'f', -1, 64)
		dst = append(append(append(dst, `,"code":"`...), d.FloorOpening(r.Pack).Code...), `"}`...)
	}
	dst, tier := appendValue(dst, r.Pack, &worth, known), worth.Tier
	if p := r.play(d, tier); p != nil {
		dst = append(append(append(dst, `,"playbook":{"id":"`...), p.ID...), `","owner":"`...)
		dst = append(append(dst, p.Owner...), `","respond_by":"`...)
		dst = append(AppendTime(dst, d.At+p.Respond.Milliseconds()), `"}`...)
	}
	return r.appendExit(dst, d, n)
}

// appendExit appends the cheapest way out of the tier of a lapse that is open, if there is one.
func (r *Renderer) appendExit(dst []byte, d *scoring.Decision, n *numbers) []byte {
	if d.Kind != profile.Lapse || d.Transition == scoring.Recovered || d.Score.Visits == 0 {
		return dst
	}
	e, ok := r.Pack.Model.CheapestExit(&d.Score)
	if !ok {
		return dst
	}
	dst = append(append(append(dst, `,"cheapest_exit":{"change":"`...), e.Change...), `","log_odds":`...)
	dst = n.append(dst, e.LogOdds)
	dst = appendThousandths(append(dst, `,"risk_score":`...), model.Thousandths(exact.Sigmoid(e.LogOdds)))
	return append(append(append(dst, `,"tier":"`...), e.Tier.String()...), `"}`...)
}

// appendFactors appends every factor that has data at the customer's stage, and their sum within the cap.
func (r *Renderer) appendFactors(dst []byte, s *model.Score, n *numbers) []byte {
	var each [model.MaxFactors]float64
	r.Pack.Model.FactorSum(s.Values, s.Stage, each[:])
	dst = append(dst, `,"factors":[`...)
	first := true
	for i := range r.Pack.Model.Factors {
		c := &r.Pack.Model.Factors[i]
		v := s.Value(c.Feature)
		if !v.OK || !c.Stages.Has(s.Stage) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, `{"code":"`...), c.Code...), `","feature":"`...)
		dst = n.append(append(append(dst, r.Pack.Features[c.Feature].Name...), `","log_odds":`...), each[i])
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
	return n.append(append(dst, `,"factors_cap":`...), r.Pack.Model.Cap)
}

// appendOthers appends the features with data that neither factors nor value show. valued: the alert has a value.
func (r *Renderer) appendOthers(dst []byte, s *model.Score, valued bool) []byte {
	stage := s.Stage
	if s.Visits == 0 {
		stage = profile.NumStages
	}
	before := `,"features":{"`
	for _, i := range r.others[stage] {
		if v := s.Value(i); v.OK && (i != r.Pack.Value.Orders || !valued) {
			dst = append(append(append(dst, before...), r.Pack.Features[i].Name...), `":`...)
			dst, before = strconv.AppendInt(dst, v.N, 10), `,"`
		}
	}
	if before == `,"` {
		dst = append(dst, '}')
	}
	return dst
}

// appendOpenings appends the openings of an episode other than a lapse that its floor does not show: the one that the
// decision is about, and the one that the episode began with, which may be of an earlier pack.
func (r *Renderer) appendOpenings(dst []byte, d *scoring.Decision) []byte {
	dst = append(append(append(dst, `,"about":"`...), d.AboutOpening(r.Pack).Code...), '"')
	if code := r.Pack.Catalogue.Marked(d.Opener); code != "" {
		dst = append(append(append(dst, `,"opened_by":"`...), code...), '"')
	}
	return dst
}

// appendReading appends the probability read at a sum, the number of probes behind it, and the points of the curve that
// it was read from. They recompute it bit for bit.
func appendReading(dst []byte, r *model.Reading, sum float64, n *numbers) []byte {
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
