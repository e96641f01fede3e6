package alert

import (
	"strconv"

	"ebb/scoring"
	"ebb/scoring/pack"
)

// What tests in package alert_test need from the inside.

func AppendString(dst, s []byte) []byte { return appendString(dst, s) }

func AppendMillionths(dst []byte, v float64) []byte { return appendMillionths(dst, v) }

// Decoded is the decision from which an alert of the pack was rendered.
func (r *Renderer) Decoded(alert []byte) (*Alert, error) {
	a, err := r.read(alert)
	if err == nil && a.Score.Visits > 0 {
		r.Pack.Model.Recompute(&a.Score)
	}
	return a, err
}

// Sentences are those of all possible reasons of the pack, each for d.
func (r *Renderer) Sentences(d *scoring.Decision) map[string]string {
	all := map[string]string{}
	say := func(code string, feature int) {
		all[code+" "+strconv.Itoa(feature)] = string(r.appendSentence(nil, d, weighed{code, 0, feature}))
	}
	for code := range pack.Reasons() {
		say(code, -1)
	}
	for i := range r.Pack.Model.Factors {
		say(r.Pack.Model.Factors[i].Code, r.Pack.Model.Factors[i].Feature)
	}
	for n := range r.Pack.Kinds {
		for _, o := range r.Pack.Kinds[n].Opens {
			say(o.Code, o.Feature)
		}
	}
	return all
}

// Follows is the alert that follows from a text that Explain accepts.
func (r *Renderer) Follows(alert []byte) ([]byte, error) {
	a, err := r.read(alert)
	if err != nil {
		return nil, err
	}
	r.follow(&a.Decision)
	return r.AppendAlert(nil, a, a.ID()), nil
}
