package alert

import (
	"strconv"

	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// appendScore appends how the score comes about: what its terms add, rounded for people, and to the last bit the inputs
// that they are computed from. The formulas are those of the core version, and their coefficients the pack's, so that
// neither stands here. An input that follows from others is left out; see implied.
func (r *Renderer) appendScore(dst []byte, d *scoring.Decision) []byte {
	s := &d.Score
	dst = strconv.AppendUint(append(dst, `{"visits":`...), uint64(s.Visits), 10)
	if s.Visits > 0 {
		if s.Stage != profile.StageActive {
			dst = append(append(append(dst, `,"stage":"`...), s.Stage.String()...), '"')
		}
		if c := s.Coverage(); c < 1 {
			dst = appendMillionths(append(dst, `,"coverage":`...), c)
		}
		dst = r.appendTerms(dst, s)
		dst = appendInputs(append(dst, `,"inputs":{`...), d)
		dst = r.appendCurve(dst, d)
	}
	dst = r.appendFeatures(dst, s)
	return append(dst, '}')
}

// appendTerms appends what each term adds that adds anything, and the first in any case, then the factors: together
// within their cap, and each that adds anything.
func (r *Renderer) appendTerms(dst []byte, s *model.Score) []byte {
	for i, value := range s.Terms {
		if value != 0 || i == 0 {
			dst = appendMillionths(append(dst, termHeads[i]...), value)
		}
	}
	if len(r.Pack.Model.Factors) == 0 {
		return append(dst, '}')
	}
	if s.Factors != 0 {
		dst = appendMillionths(append(dst, `,"factors":`...), s.Factors)
	}
	dst = append(dst, '}')
	var each [model.MaxFactors]float64
	r.Pack.Model.FactorSum(s.Values, s.Stage, each[:])
	before := `,"factors":{"`
	for i := range r.Pack.Model.Factors {
		if each[i] != 0 {
			dst = append(append(append(dst, before...), r.Pack.Model.Factors[i].Code...), `":`...)
			dst, before = appendMillionths(dst, each[i]), `,"`
		}
	}
	if before == `,"` {
		dst = append(dst, '}')
	}
	return dst
}

// implied is the silence in ms that follows from a decision's times: that of a lapse, which is over where it has ended.
// -1: none does.
func implied(d *scoring.Decision) int64 {
	least := moment.Millis(model.MinSilence)
	switch {
	case d.Kind != profile.Lapse:
		return -1
	case d.Transition.Ends():
		return least
	}
	return max(d.Silence(), least)
}

// appendInputs appends the numbers that the terms come from, without the friction where there is none, the silence
// where it is the one implied, and the time since the newest event where that is the silence.
func appendInputs(dst []byte, d *scoring.Decision) []byte {
	s := &d.Score
	dst = appendFloat(append(dst, `"ln_gap":`...), s.LnTypical)
	dst = appendFloat(append(dst, `,"regularity":`...), s.Regularity)
	dst = appendFloat(append(dst, `,"level":`...), s.Level)
	if s.Friction != 0 {
		dst = appendFloat(append(dst, `,"friction":`...), s.Friction)
	}
	silence, idle := moment.Millis(s.Silence), moment.Millis(s.Idle)
	if silence != implied(d) {
		dst = strconv.AppendInt(append(dst, `,"silent_ms":`...), silence, 10)
	}
	if idle != silence {
		dst = strconv.AppendInt(append(dst, `,"idle_ms":`...), idle, 10)
	}
	dst = strconv.AppendInt(append(dst, `,"tenure_ms":`...), moment.Millis(s.Tenure), 10)
	return append(dst, '}')
}

// appendCurve appends the points of the curve that the probability was read from, and the class of customers whose
// curve it is; none where it is that of all.
func (r *Renderer) appendCurve(dst []byte, d *scoring.Decision) []byte {
	if d.Reading.Number == 0 {
		return dst
	}
	if class := r.classOf(d); class != "" {
		dst = append(append(append(dst, `,"curve_of":"`...), class...), '"')
	}
	dst = append(dst, `,"curve":[`...)
	for i, p := range d.Reading.Points[:d.Reading.Number] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendFloat(append(appendFloat(append(dst, '['), p.LogOdds), ','), p.Probability), ']')
	}
	return append(dst, ']')
}

// classOf is the class of customers from whom a decision's probability was learnt; empty: all.
func (r *Renderer) classOf(d *scoring.Decision) string {
	if !d.Reading.OfClass {
		return ""
	}
	return r.Pack.Model.ClassOf(&d.Score).String()
}

// appendFeatures appends the pack's features that have data.
func (r *Renderer) appendFeatures(dst []byte, s *model.Score) []byte {
	before := `,"features":{"`
	for i := range r.Pack.Features {
		if v := s.Value(i); v.OK {
			dst = append(append(append(dst, before...), r.Pack.Features[i].Name...), `":`...)
			dst, before = strconv.AppendInt(dst, v.N, 10), `,"`
		}
	}
	if before == `,"` {
		dst = append(dst, '}')
	}
	return dst
}

// termHeads is the text before each term's log-odds.
var termHeads = func() (heads [model.NumTerms]string) { //nolint:gochecknoglobals // a table, of the names
	for i, name := range model.TermNames() {
		heads[i] = `,"` + name + `":`
	}
	heads[0] = `,"terms":{` + heads[0][1:]
	return heads
}()
