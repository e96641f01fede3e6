package scoring

// floored is the highest tier that the floors of p's open episodes lift to at a stage; TierNone: none is open.
func (s *Scorer) floored(p *Profile, stage Stage) (tier Tier) {
	for n := range p.Touched.all {
		if i, ok := s.Pack.Kinds[n].stands(p.EpisodeOf(n)); ok {
			tier = max(tier, s.Pack.Model.floorTier(s.Pack.Kinds[n].Opens[i].logOdds, stage))
		}
	}
	return tier
}

// standing is the tier that c is in with a score, all its open episodes considered.
func (s *Scorer) standing(c *Customer, score *Score) Tier {
	return max(s.Pack.Model.TierOf(score), s.floored(c.Profile, score.Stage))
}

// TierAt is the tier and the stage that c is in as of at, in ms since the epoch: by its score, and not below the
// floors of its open episodes. TierNone of a customer without activity or open episode.
func (s *Scorer) TierAt(c *Customer, at int64) (Tier, Stage) {
	score := s.Eval.Score(c, at)
	return s.standing(c, &score), score.Stage
}

// Now is what an alert would say of c if there were one as of at, in ms since the epoch: about the open episode with
// the highest floor, else about the customer's silence. Nothing was decided, so it has no number of its own. Its tier
// is that of TierAt, and Previous the one that the score alone gives.
func (s *Scorer) Now(c *Customer, at int64) Decision {
	d := Decision{Transition: Raised, At: at, Silence: at - c.Last, Score: s.Eval.Score(c, at)}
	floor := 0.0
	for n := range c.Touched.all {
		h := c.EpisodeOf(n)
		i, ok := s.Pack.Kinds[n].stands(h)
		if !ok {
			continue
		}
		if f := s.Pack.Kinds[n].Opens[i].Floor; f > floor {
			floor, d.Kind = f, n
			d.Episode, d.Sequence, d.Opener, d.Opening, d.About, d.Since = h.Number, h.Sequence, h.Opener, i, i, h.Since
		}
	}
	if d.Kind == Lapse && c.Episode.Tier != TierNone {
		d.Episode, d.Sequence = c.Episodes, c.Episode.Sequence
	}
	d.Previous, d.Tier = s.Pack.Model.TierOf(&d.Score), s.standing(c, &d.Score)
	return d
}

// EpisodeFloor is the risk score that the customer's is not below while its episode of that kind is open, and the
// reason's code; 0 where none is.
func (s *Scorer) EpisodeFloor(c *Customer, n Kind) (floor float64, code string) {
	if n == Lapse {
		return 0, ""
	}
	i, ok := s.Pack.Kinds[n].stands(c.EpisodeOf(n))
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
	Value   FeatureValue
	LogOdds float64
}

// FactorsAt are all the pack's factors with what each adds as of at, in ms since the epoch.
func (s *Scorer) FactorsAt(c *Customer, at int64) []FactorAdd {
	score, m := s.Eval.Score(c, at), &s.Pack.Model
	var each [maxFactors]float64
	m.factorSum(score.Values, score.Stage, each[:])
	all := make([]FactorAdd, len(m.Factors))
	for i := range m.Factors {
		f := &m.Factors[i]
		all[i] = FactorAdd{Code: f.Code, Feature: s.Pack.Features[f.Feature].Name, Value: score.value(f.Feature), LogOdds: each[i]}
	}
	return all
}
