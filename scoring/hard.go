package scoring

// judge opens, lifts and ends the episodes of kinds other than lapse that an event speaks of. Its features are folded.
func (s *Scorer) judge(c *Customer, o *Observation) {
	s.values = s.features.values(s.values[:0], c.Features, c.First, o.Time)
	stage := s.stage(c.Profile, o.Time)
	for n := Explicit; n < NumKinds; n++ {
		r, h := &s.Kinds[n], c.hard(n)
		if h.Open() && o.Signal.Named&(r.Closes|r.Opens[h.Opening].Closes) != 0 {
			s.decideHard(c, n, Recovered, TierNone, o.Time)
			continue
		}
		i := r.opened(o.Signal.Named, s.values)
		if i < 0 || r.Expires > 0 && o.Time+r.Expires <= c.At {
			continue // says nothing about this kind, or came so late that it would have ended by now
		}
		h.Newest = max(h.Newest, o.Time)
		tier := s.tierOf(&r.Opens[i], stage)
		switch {
		case !h.Open():
			h.Number = next(h.Number)
			h.Opening, h.Since = uint8(i), o.Time
			s.decideHard(c, n, Raised, tier, o.Time)
		case i > int(h.Opening):
			worse := tier > s.tierOf(&r.Opens[h.Opening], stage)
			h.Opening = uint8(i)
			if worse {
				s.decideHard(c, n, Escalated, tier, o.Time)
			}
		}
	}
}

// expire ends the episodes whose time has come by a minute.
func (s *Scorer) expire(c *Customer, minute int64) {
	for n := Explicit; n < NumKinds; n++ {
		if at := c.hard(n).expiry(&s.Kinds[n]); at != 0 && at <= minute*minuteMillis {
			s.decideHard(c, n, Expired, TierNone, minute*minuteMillis)
		}
	}
}

// decideHard notes a transition of an episode that is no lapse. A tier of TierNone ends it: then the customer is in the
// tier that its score alone gives.
func (s *Scorer) decideHard(c *Customer, n Kind, t Transition, tier Tier, at int64) {
	r, h := &s.Kinds[n], c.hard(n)
	h.Sequence = next(h.Sequence)
	d := Decision{
		Kind: n, Transition: t, Episode: h.Number, Sequence: h.Sequence, At: at, Since: h.Since, Opening: h.Opening,
		Score: s.Score(c, at),
	}
	own := s.TierOf(&d.Score)
	floor := s.tierOf(&r.Opens[h.Opening], d.Score.Stage)
	switch t {
	case Raised:
		d.Tier, d.Previous = max(own, tier), own
	case Escalated:
		d.Tier, d.Previous = max(own, tier), max(own, AtRisk)
	default:
		d.Tier, d.Previous = own, max(own, floor)
		h.Sequence, h.Newest = 0, 0
	}
	s.decisions = append(s.decisions, d)
}

// tierOf is the tier that the floor of an opening lifts to at a stage, at least watch: an episode is open.
func (k *Pack) tierOf(o *Opening, stage Stage) Tier { return max(Watch, k.tierAt(stage, o.logOdds)) }

// floored is the highest tier that the floors of p's open episodes lift to at a stage; TierNone: none is open.
func (k *Pack) floored(p *Profile, stage Stage) (tier Tier) {
	for n := Explicit; n < NumKinds; n++ {
		if h := p.hard(n); h.Open() {
			tier = max(tier, k.tierOf(&k.Kinds[n].Opens[h.Opening], stage))
		}
	}
	return tier
}

// TierAt is the tier and the stage that c is in as of at, in ms since the epoch: by its score, and not below the floors of
// its open episodes. TierNone of a customer without activity or open episode.
func (s *Scorer) TierAt(c *Customer, at int64) (Tier, Stage) {
	score := s.Score(c, at)
	return max(s.TierOf(&score), s.floored(c.Profile, score.Stage)), score.Stage
}

// nextExpiry is the minute at which the next episode ends by itself; 0: none does.
func (s *Scorer) nextExpiry(p *Profile) (minute int64) {
	for n := Explicit; n < NumKinds; n++ {
		if at := p.hard(n).expiry(&s.Kinds[n]); at != 0 {
			minute = earliest(minute, ceilMinute(at))
		}
	}
	return minute
}

// earliest is the earlier of two minutes, of which 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
