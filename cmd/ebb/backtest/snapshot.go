package backtest

import (
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

// snapshot is the state of the active customers at a date, and what then became of them.
type snapshot struct {
	at     int64 // ms since the epoch
	curves model.Curves
	rows   []row
	names  []string  // of the terms, then of the pack's factors
	terms  []float64 // what they add, of all rows, one row after the other; each factor as if there were no cap
	cap    float64   // of what the factors add together
	done   bool      // the outcome is known
}

// row is one customer at a date.
type row struct {
	customer *customer
	score    float64 // log-odds
	class    profile.Class
	last     int64   // newest activity, ms since the epoch
	days     uint32  // on which there was activity
	value    float64 // of all activity
	churned  bool
}

// take notes the active customers as of the snapshot's date, and the calibration by probes at the end of the last
// epoch.
func (e *Engine) take(s *snapshot) {
	names := model.TermNames()
	s.names, s.cap = names[:], e.scorer.Pack.Model.Cap
	for i := range e.scorer.Pack.Model.Factors {
		s.names = append(s.names, e.scorer.Pack.Model.Factors[i].Code)
	}
	var factors []float64
	e.each(func(c *customer) {
		p := &c.profile
		if p.Active() <= s.at-e.active {
			return
		}
		e.thaw(c, s.at/millisPerMinute)
		score := e.scorer.Eval.Score(e.look(c), s.at)
		factors = factors[:0]
		for i, f := range e.scorer.FactorsAt(e.look(c), s.at) {
			factors = append(factors, f.LogOdds)
			e.applied[model.NumTerms+i] = e.applied[model.NumTerms+i] || f.LogOdds != 0
		}
		s.rows = append(s.rows, row{
			customer: c, score: score.Sum(), class: e.scorer.Pack.Model.ClassOf(&score),
			last: p.Active(), days: c.activeDays, value: c.value,
		})
		s.terms = append(append(s.terms, score.Terms[:]...), factors...)
	})
	s.curves = e.curves
}

// label notes who churned, a horizon later: those without activity since.
func (s *snapshot) label() {
	for i := range s.rows {
		s.rows[i].churned = s.rows[i].customer.profile.Active() <= s.at
	}
	s.done = true
}

// churned is who churned, by row.
func (s *snapshot) churned() []bool { return column(s, func(r *row) bool { return r.churned }) }

// scores are the rows' scores.
func (s *snapshot) scores() []float64 { return column(s, func(r *row) float64 { return r.score }) }

// without is the rows' scores without one of the terms or factors. The cap on the other factors is applied again: where
// they reach it by themselves, the removed factor is worth nothing.
func (s *snapshot) without(term int) []float64 {
	out := s.scores()
	for i := range out {
		added := s.terms[i*len(s.names) : (i+1)*len(s.names)]
		if term < model.NumTerms {
			out[i] -= added[term]
		} else {
			out[i] += s.capped(added, term) - s.capped(added, -1)
		}
	}
	return out
}

// capped is what the factors of a row add together, without one of them; -1: all of them.
func (s *snapshot) capped(added []float64, without int) float64 {
	sum := 0.0
	for i := model.NumTerms; i < len(added); i++ {
		if i != without {
			sum += added[i]
		}
	}
	return min(max(sum, -s.cap), s.cap)
}

func column[T any](s *snapshot, of func(*row) T) []T {
	out := make([]T, len(s.rows))
	for i := range s.rows {
		out[i] = of(&s.rows[i])
	}
	return out
}
