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
	// TooLate: the event last observed is older than every window that it would have counted in, and had no other effect
	// on the features.
	TooLate bool

	values    []feature.Value                   // of the features including the observed event
	kept      [profile.NumKinds][]feature.Value // of decisions about each kind
	decisions []Decision
	text      []byte // of a fact

	plays map[profile.PlayMark]string // ids of the plays of this pack and of those before it
}

// NewScorer prepares a scorer.
func NewScorer(k *pack.Pack) *Scorer {
	return &Scorer{Pack: k, Eval: model.NewEvaluator(&k.Model), plays: k.PlayIDs()}
}

// After tells s the pack before its own, whose plays may still be in force.
func (s *Scorer) After(before *Scorer) {
	for mark, id := range before.plays {
		if s.plays[mark] == "" {
			s.plays[mark] = id
		}
	}
}

// Fits reports whether the state of c's features is the pack's. Errors: ErrDamaged.
func (s *Scorer) Fits(c *profile.Customer) error {
	if !s.Pack.Model.Features.Valid(c.Features) {
		return fmt.Errorf("read features of %d bytes: %w", len(c.Features), profile.ErrDamaged)
	}
	return nil
}
