package scoring

import "fmt"

// Scorer applies a pack to customers. It holds the memory that this takes and belongs to one goroutine. Make one with
// Pack.NewScorer.
type Scorer struct {
	*Pack

	steps   bool     // whether anything but the core depends on time: factors or stages
	matters interest // what the factors make of features

	values    []FeatureValue // of the features in what is decided
	trial     []FeatureValue // at a minute that is looked at
	ranges    []FeatureRange
	kept      [NumKinds][]FeatureValue // of decisions about each kind
	decisions []Decision
}

// NewScorer prepares a scorer.
func (k *Pack) NewScorer() *Scorer {
	return &Scorer{Pack: k, steps: len(k.Factors) > 0 || k.Stages.tiered(), matters: k.features.interestOf(curves(k.Factors, len(k.Features)))}
}

// Customer is a customer as a Scorer sees it: its profile, and the state of the pack's features. A Scorer may give
// Features another slice; the one it was given is then free again.
type Customer struct {
	*Profile
	Features []byte
	Draw     uint64 // hash of the customer, which decides when it is probed
}

// Fits reports whether the state of c's features is the pack's. Errors: ErrProfileDamaged.
func (s *Scorer) Fits(c *Customer) error {
	if !s.features.valid(c.Features) {
		return fmt.Errorf("read features of %d bytes: %w", len(c.Features), ErrProfileDamaged)
	}
	return nil
}

// tiered reports whether any stage has tiers of its own.
func (s *Stages) tiered() bool {
	for i := range s.tiers {
		if s.tiers[i] != s.tiers[StageActive] {
			return true
		}
	}
	return false
}
