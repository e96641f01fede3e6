package scoring

import "fmt"

// Scorer applies a pack to customers: what an event or a moment does to each. It holds the memory that this takes and
// belongs to one goroutine. Make one with NewScorer.
type Scorer struct {
	Pack *Pack
	Eval Evaluator // by the pack's model

	values    []FeatureValue           // of the features with the event that is observed
	kept      [NumKinds][]FeatureValue // of decisions about each kind
	decisions []Decision
}

// NewScorer prepares a scorer.
func NewScorer(k *Pack) *Scorer { return &Scorer{Pack: k, Eval: NewEvaluator(&k.Model)} }

// Customer is a customer as a Scorer sees it: its profile, and the state of the pack's features. A Scorer may give
// Features another slice; the one it was given is then free again.
type Customer struct {
	*Profile
	Features []byte
	Draw     uint64 // hash of the customer, which decides when it is probed
}

// Fits reports whether the state of c's features is the pack's. Errors: ErrProfileDamaged.
func (s *Scorer) Fits(c *Customer) error {
	if !s.Pack.Model.Features.Valid(c.Features) {
		return fmt.Errorf("read features of %d bytes: %w", len(c.Features), ErrProfileDamaged)
	}
	return nil
}
