package scoring

import (
	"cmp"

	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/profile"
)

// floored is the highest tier that the floors of p's open episodes lift to at a stage; TierNone: none is open.
func (s *Scorer) floored(p *profile.Profile, stage profile.Stage) (tier profile.Tier) {
	for n := range p.Touched.All {
		if i, ok := s.Pack.Kinds[n].Stands(p.EpisodeOf(n)); ok {
			tier = max(tier, s.Pack.Model.FloorTier(s.Pack.Kinds[n].Opens[i].LogOdds, stage))
		}
	}
	return tier
}

// standing is the tier of c with a score, including all its open episodes.
func (s *Scorer) standing(c *profile.Customer, score *model.Score) profile.Tier {
	return max(s.Pack.Model.TierOf(score), s.floored(c.Profile, score.Stage))
}

// TierAt is the tier and the stage of c as of at, in ms since the epoch: by its score, and not below the floors of its
// open episodes. TierNone for a customer without activity or open episode.
func (s *Scorer) TierAt(c *profile.Customer, at int64) (profile.Tier, profile.Stage) {
	score := s.Eval.Score(c, at)
	return s.standing(c, &score), score.Stage
}

// Now is the content of an alert about c if there were one as of at, in ms since the epoch: about the open episode with
// the highest floor, else about the customer's silence. It has no number of its own, since nothing was decided. Its
// tier is that of TierAt, and Previous that of the score alone.
func (s *Scorer) Now(c *profile.Customer, at int64) Decision {
	d := Decision{Transition: Raised, At: at, Since: c.Active(), Missed: c.Missed(), Score: s.score(c, profile.Lapse, at)}
	floor := 0.0
	for n := range c.Touched.All {
		h := c.EpisodeOf(n)
		i, ok := s.Pack.Kinds[n].Stands(h)
		if !ok {
			continue
		}
		if f := s.Pack.Kinds[n].Opens[i].Floor; f > floor {
			floor, d.Kind = f, n
			d.Episode, d.Sequence, d.Opener, d.Opening, d.About, d.Since = h.Number, h.Sequence, h.Opener, i, i, h.Since
			d.Missed = 0
		}
	}
	if d.Kind == profile.Lapse && c.Lapse.Tier != profile.TierNone {
		d.Episode, d.Sequence = c.Lapse.Number, c.Lapse.Sequence
	}
	d.Opened = cmp.Or(c.Episode(d.Kind).Opened, at)
	d.Expires = s.outdated(c.Profile, d.Kind, cmp.Or(c.Episode(d.Kind).LastTransition, at))
	d.Previous, d.Tier = s.Pack.Model.TierOf(&d.Score), s.standing(c, &d.Score)
	s.describe(c, &d)
	if mark := c.Plays[d.Kind]; mark != 0 {
		d.Play, d.Step = s.Pack.PlayMarked(mark, d.ValueTier(s.Pack)), c.Steps[d.Kind]
	} else {
		d.Play, d.Step = d.ChoosePlay(s.Pack), 1
	}
	if d.Play == 0 {
		d.Step = 0
	}
	return d
}

// EpisodeFloor is the lower bound of the customer's risk score while its episode of that kind is open, and the reason's
// code; 0 where none is open.
func (s *Scorer) EpisodeFloor(c *profile.Customer, n profile.Kind) (floor float64, code string) {
	if n == profile.Lapse {
		return 0, ""
	}
	i, ok := s.Pack.Kinds[n].Stands(c.EpisodeOf(n))
	if !ok {
		return 0, ""
	}
	o := &s.Pack.Kinds[n].Opens[i]
	return o.Floor, o.Code
}

// FactorAdd is what one factor adds to a customer's score.
type FactorAdd struct {
	Code    string
	Feature string
	Value   feature.Value
	LogOdds float64
}

// FactorsAt are all the pack's factors with what each adds as of at, in ms since the epoch.
func (s *Scorer) FactorsAt(c *profile.Customer, at int64) []FactorAdd {
	score, m := s.Eval.Score(c, at), &s.Pack.Model
	var each [model.MaxFactors]float64
	m.FactorSum(score.Values, score.Stage, each[:])
	all := make([]FactorAdd, len(m.Factors))
	for i := range m.Factors {
		f := &m.Factors[i]
		all[i] = FactorAdd{
			Code:    f.Code,
			Feature: s.Pack.Features[f.Feature].Name,
			Value:   score.Value(f.Feature),
			LogOdds: each[i],
		}
	}
	return all
}
