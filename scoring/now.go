package scoring

// Now is what an alert would say of c if there were one as of at, in ms since the epoch: about the open episode with the highest
// floor, else about the customer's silence. Nothing was decided, so it has no number of its own. Its tier is that of TierAt, and
// Previous the one that the score alone gives.
func (s *Scorer) Now(c *Customer, at int64) Decision {
	d := Decision{Transition: Raised, At: at, Silence: at - c.Last, Score: s.Score(c, at)}
	floor := 0.0
	for n := range c.Spoken.all {
		h := c.hard(n)
		i, ok := s.Kinds[n].stands(h)
		if !ok {
			continue
		}
		if f := s.Kinds[n].Opens[i].Floor; f > floor {
			floor, d.Kind = f, n
			d.Episode, d.Sequence, d.Opener, d.Opening, d.About, d.Since = h.Number, h.Sequence, h.Opener, i, i, h.Since
		}
	}
	if d.Kind == Lapse && c.Episode.Tier != TierNone {
		d.Episode, d.Sequence = c.Episodes, c.Episode.Sequence
	}
	d.Previous, d.Tier = s.TierOf(&d.Score), s.standing(c, &d.Score)
	return d
}

// EpisodeFloor is the risk score that the customer's is not below while its episode of that kind is open, and the reason's code; 0
// where none is.
func (s *Scorer) EpisodeFloor(c *Customer, n Kind) (floor float64, code string) {
	if n == Lapse {
		return 0, ""
	}
	i, ok := s.Kinds[n].stands(c.hard(n))
	if !ok {
		return 0, ""
	}
	o := &s.Kinds[n].Opens[i]
	return o.Floor, o.Code
}
