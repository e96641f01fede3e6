package scoring

import (
	"ebb/scoring/encode"
	"ebb/scoring/feature"
	"ebb/scoring/moment"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// applyTriggers opens, lifts and ends the episodes of kinds other than lapse that an event speaks of. Its features
// are folded.
func (s *Scorer) applyTriggers(c *profile.Customer, o *Observation) {
	s.values = s.Pack.Model.Features.Values(s.values[:0], feature.All, c.Features, c.First, o.Time)
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		r, h := &s.Pack.Kinds[n], c.EpisodeOf(n)
		ends := r.Ended(o.Signal.Named)
		opens := r.Opened(o.Signal.Named, s.values) // of what it ends it opens nothing: the end holds
		if r.Expires > 0 && o.Time+r.Expires <= c.At {
			opens = 0 // it came so late that it would have ended by now
		}
		if opens|ends == 0 {
			continue // says nothing about this kind
		}
		was := *h
		h.End(ends, o.Time)
		fresh := h.Begin(opens, o.Time)
		c.Touch(n)
		if t, about := transitionOf(&was, h, r, fresh); t != TransitionNone {
			s.emit(c, n, &was, Decision{Transition: t, About: about, At: max(o.Time, was.LastTransition)})
		}
	}
}

// transitionOf is what an event has changed about an episode, and the opening that it is about.
func transitionOf(was, h *profile.Triggered, r *pack.KindRule, fresh uint8) (t Transition, about uint8) {
	stands := r.Top(h.Openings)
	switch {
	case h.Openings == 0 && !was.Open():
		return TransitionNone, 0
	case h.Openings == 0:
		return Recovered, r.Top(was.Openings)
	case !was.Open():
		return Raised, stands
	case r.Opens[stands].Floor < r.Opens[r.Top(was.Openings)].Floor:
		return Deescalated, stands
	case fresh != 0:
		return Escalated, r.Top(fresh)
	}
	return TransitionNone, 0
}

// expiry is when p's episode of a kind ends by itself, in ms since the epoch: not before the newest event, which may
// have come before its deadline fired, or by which a pack with a shorter end began. 0: it does not, or none is open.
func (s *Scorer) expiry(p *profile.Profile, n profile.Kind) int64 {
	h, r := p.EpisodeOf(n), &s.Pack.Kinds[n]
	if !h.Open() || r.Expires == 0 {
		return 0
	}
	return max(h.Newest+r.Expires, p.At)
}

// expire ends the episodes whose time has come by a minute.
func (s *Scorer) expire(c *profile.Customer, minute int64) {
	for n := range c.Touched.All {
		if at := s.expiry(c.Profile, n); at != 0 && at <= minute*moment.MinuteMillis {
			s.endAsExpired(c, n, minute*moment.MinuteMillis)
		}
	}
}

// endAsExpired ends an episode that nothing has ended.
func (s *Scorer) endAsExpired(c *profile.Customer, n profile.Kind, at int64) {
	h := c.EpisodeOf(n)
	was := *h
	h.Openings = 0
	s.emit(c, n, &was, Decision{Transition: Expired, About: s.Pack.Kinds[n].Top(was.Openings), At: at})
}

// emit notes a transition of an episode that is no lapse, of which was is the state before.
func (s *Scorer) emit(c *profile.Customer, n profile.Kind, was *profile.Triggered, d Decision) {
	r, h := &s.Pack.Kinds[n], c.EpisodeOf(n)
	d.Score = s.Eval.Score(c, d.At)
	if s.kept[n] = s.kept[n][:0]; c.Visits == 0 {
		s.kept[n] = s.Pack.Model.Features.Values(s.kept[n], feature.All, c.Features, c.First, d.At)
	} else {
		s.kept[n] = append(s.kept[n], d.Score.Values...) // beside those of what else the event decides
	}
	d.Score.Values = s.kept[n]
	now := *h
	*h = *was
	d.Previous = s.standing(c, &d.Score)
	*h = now
	d.Tier = s.standing(c, &d.Score)
	if d.Transition == Raised {
		h.Number, h.Opener = encode.Increment(h.Number), r.Opens[r.Top(h.Openings)].Mark
	}
	h.Sequence, h.LastTransition = encode.Increment(h.Sequence), d.At
	d.Kind, d.Episode, d.Sequence, d.Since, d.Opener, d.Opening = n, h.Number, h.Sequence, h.Since, h.Opener, r.Top(h.Openings)
	if h.Openings == 0 {
		h.Sequence, h.Opener, h.Since, h.Newest, h.LastTransition = 0, 0, 0, 0, 0
	}
	s.decisions = append(s.decisions, d)
}

// nextExpiry is the minute at which the next episode ends by itself; 0: none does.
func (s *Scorer) nextExpiry(p *profile.Profile) (minute int64) {
	for n := range p.Touched.All {
		if at := s.expiry(p, n); at != 0 {
			minute = earliest(minute, moment.CeilMinute(at))
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
