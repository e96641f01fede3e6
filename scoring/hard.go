package scoring

// judge opens, lifts and ends the episodes of kinds other than lapse that an event speaks of. Its features are folded.
func (s *Scorer) judge(c *Customer, o *Observation) {
	s.trial = s.features.values(s.trial[:0], allFeatures, c.Features, c.First, o.Time)
	for n := Explicit; n < NumKinds; n++ {
		r, h := &s.Kinds[n], c.hard(n)
		ends := r.ended(o.Signal.Named)
		opens := r.opened(o.Signal.Named, s.trial) // of what it ends it opens nothing: the end holds
		if r.Expires > 0 && o.Time+r.Expires <= c.At {
			opens = 0 // it came so late that it would have ended by now
		}
		if opens|ends == 0 {
			continue // says nothing about this kind
		}
		was := *h
		h.end(ends, o.Time)
		fresh := h.begin(opens, o.Time)
		c.noted(n)
		if t, about := h.turned(&was, r, fresh); t != TransitionNone {
			s.tell(c, n, &was, Decision{Transition: t, About: about, At: max(o.Time, was.Told)})
		}
	}
}

// turned is what an event has changed about an episode, and the opening that it is about.
func (h *Hard) turned(was *Hard, r *KindRule, fresh uint8) (t Transition, about uint8) {
	stands := r.top(h.Openings)
	switch {
	case h.Openings == 0 && !was.Open():
		return TransitionNone, 0
	case h.Openings == 0:
		return Recovered, r.top(was.Openings)
	case !was.Open():
		return Raised, stands
	case r.Opens[stands].Floor < r.Opens[r.top(was.Openings)].Floor:
		return Deescalated, stands
	case fresh != 0:
		return Escalated, r.top(fresh)
	}
	return TransitionNone, 0
}

// expiry is when p's episode of a kind ends by itself, in ms since the epoch: not before the newest event, which may have come
// before its deadline fired, or by which a pack with a shorter end began. 0: it does not, or none is open.
func (s *Scorer) expiry(p *Profile, n Kind) int64 {
	h, r := p.hard(n), &s.Kinds[n]
	if !h.Open() || r.Expires == 0 {
		return 0
	}
	return max(h.Newest+r.Expires, p.At)
}

// expire ends the episodes whose time has come by a minute.
func (s *Scorer) expire(c *Customer, minute int64) {
	for n := range c.Spoken.all {
		if at := s.expiry(c.Profile, n); at != 0 && at <= minute*minuteMillis {
			s.giveUp(c, n, minute*minuteMillis)
		}
	}
}

// giveUp ends an episode that nothing has ended.
func (s *Scorer) giveUp(c *Customer, n Kind, at int64) {
	h := c.hard(n)
	was := *h
	h.Openings = 0
	s.tell(c, n, &was, Decision{Transition: Expired, About: s.Kinds[n].top(was.Openings), At: at})
}

// tell notes a transition of an episode that is no lapse, of which was is the state before.
func (s *Scorer) tell(c *Customer, n Kind, was *Hard, d Decision) {
	r, h := &s.Kinds[n], c.hard(n)
	d.Score = s.Score(c, d.At)
	if c.Visits == 0 {
		s.values = s.features.values(s.values[:0], allFeatures, c.Features, c.First, d.At)
		d.Score.Values = s.values
	}
	s.kept[n] = append(s.kept[n][:0], d.Score.Values...) // beside those of what else the event decides
	d.Score.Values = s.kept[n]
	now := *h
	*h = *was
	d.Previous = s.standing(c, &d.Score)
	*h = now
	d.Tier = s.standing(c, &d.Score)
	if d.Transition == Raised {
		h.Number, h.Opener = next(h.Number), r.Opens[r.top(h.Openings)].mark
	}
	h.Sequence, h.Told = next(h.Sequence), d.At
	d.Kind, d.Episode, d.Sequence, d.Since, d.Opener, d.Opening = n, h.Number, h.Sequence, h.Since, h.Opener, r.top(h.Openings)
	if h.Openings == 0 {
		h.Sequence, h.Opener, h.Since, h.Newest, h.Told = 0, 0, 0, 0, 0
	}
	s.decisions = append(s.decisions, d)
}

// tierOf is the tier that the floor of an opening lifts to at a stage, at least watch: an episode is open.
func (k *Pack) tierOf(o *Opening, stage Stage) Tier { return max(Watch, k.tierAt(stage, o.logOdds)) }

// floored is the highest tier that the floors of p's open episodes lift to at a stage; TierNone: none is open.
func (k *Pack) floored(p *Profile, stage Stage) (tier Tier) {
	for n := range p.Spoken.all {
		if i, ok := k.Kinds[n].stands(p.hard(n)); ok {
			tier = max(tier, k.tierOf(&k.Kinds[n].Opens[i], stage))
		}
	}
	return tier
}

// standing is the tier that c is in with a score, all its open episodes considered.
func (k *Pack) standing(c *Customer, score *Score) Tier {
	return max(k.TierOf(score), k.floored(c.Profile, score.Stage))
}

// TierAt is the tier and the stage that c is in as of at, in ms since the epoch: by its score, and not below the floors of
// its open episodes. TierNone of a customer without activity or open episode.
func (s *Scorer) TierAt(c *Customer, at int64) (Tier, Stage) {
	score := s.Score(c, at)
	return s.standing(c, &score), score.Stage
}

// nextExpiry is the minute at which the next episode ends by itself; 0: none does.
func (s *Scorer) nextExpiry(p *Profile) (minute int64) {
	for n := range p.Spoken.all {
		if at := s.expiry(p, n); at != 0 {
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
