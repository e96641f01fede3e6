package scoring

import (
	"fmt"

	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Scorer applies a pack to customers: the effects of events and of moments. It holds the memory for that and belongs to
// one goroutine. NewScorer makes one.
type Scorer struct {
	Pack *pack.Pack
	Eval model.Evaluator // by the pack's model

	values    []feature.Value                   // of the features including the observed event
	kept      [profile.NumKinds][]feature.Value // of decisions about each kind
	decisions []Decision
	text      []byte // of a fact
}

// NewScorer prepares a scorer.
func NewScorer(k *pack.Pack) *Scorer { return &Scorer{Pack: k, Eval: model.NewEvaluator(&k.Model)} }

// Fits reports whether the state of c's features is the pack's. Errors: ErrDamaged.
func (s *Scorer) Fits(c *profile.Customer) error {
	if !s.Pack.Model.Features.Valid(c.Features) {
		return fmt.Errorf("read features of %d bytes: %w", len(c.Features), profile.ErrDamaged)
	}
	return nil
}
