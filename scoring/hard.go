package scoring

// judge opens, lifts and ends the episodes of kinds other than lapse that an event speaks of. Its features are folded.
func (s *Scorer) judge(c *Customer, o *Observation) {
	s.values = s.features.values(s.values[:0], allFeatures, c.Features, c.First, o.Time)
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
		tier := s.tierOfFloor(r.Opens[i].Floor)
		switch {
		case !h.Open():
			h.Number = next(h.Number)
			h.Opening, h.Since = uint8(i), o.Time
			s.decideHard(c, n, Raised, tier, o.Time)
		case i > int(h.Opening):
			worse := tier > s.tierOfFloor(r.Opens[h.Opening].Floor)
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
	floor := s.tierOfFloor(r.Opens[h.Opening].Floor)
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

// tierOfFloor is the tier that a floor lifts to, at least watch: an episode is open.
func (k *Pack) tierOfFloor(floor float64) Tier {
	t := k.Tiers
	switch {
	case floor >= t.Critical:
		return Critical
	case floor >= t.AtRisk:
		return AtRisk
	}
	return Watch
}

// TierAt is the tier and the stage that c is in as of at, in ms since the epoch: by its score, and not below the floors of
// its open episodes. TierNone of a customer without activity or open episode.
func (s *Scorer) TierAt(c *Customer, at int64) (Tier, Stage) {
	score := s.Score(c, at)
	tier := s.TierOf(&score)
	for n := Explicit; n < NumKinds; n++ {
		if h := c.hard(n); h.Open() {
			tier = max(tier, s.tierOfFloor(s.Kinds[n].Opens[h.Opening].Floor))
		}
	}
	return tier, score.Stage
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
