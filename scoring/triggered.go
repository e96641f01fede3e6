package scoring

import (
	"ebb/scoring/feature"
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// applyTriggers opens, lifts and ends the episodes of kinds other than lapse that an event concerns. Its features are
// folded.
func (s *Scorer) applyTriggers(c *profile.Customer, o *Observation) {
	s.values = s.Pack.Model.Features.Values(s.values[:0], feature.All, c.Features, c.First, o.Time)
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		r, h := &s.Pack.Kinds[n], c.EpisodeOf(n)
		ends := r.Ended(o.Signal.Named)
		opens := r.Opened(o.Signal.Named, s.values) // the event opens nothing that it also ends
		if r.Expires > 0 && o.Time+r.Expires <= c.At {
			opens = 0 // it came so late that the opening would have expired by now
		}
		if !s.Pack.Alerts(c.Profile) {
			opens = 0
		}
		if opens|ends == 0 {
			continue // the event does not concern this kind
		}
		was := *h
		h.End(ends, o.Time)
		fresh := h.Begin(opens, o.Time)
		c.Touch(n)
		t := change{was: floorOf(&was, r), now: floorOf(h, r), fresh: fresh != 0}.transition()
		s.emit(c, n, &was, Decision{Transition: t, About: aboutOf(t, &was, h, r, fresh), At: max(o.Time, was.LastTransition)})
	}
}

// floorOf is the floor that applies to an episode; 0: none is open.
func floorOf(h *profile.Triggered, r *pack.KindRule) float64 {
	if i, ok := r.Stands(h); ok {
		return r.Opens[i].Floor
	}
	return 0
}

// aboutOf is the opening that a transition is about.
func aboutOf(t Transition, was, h *profile.Triggered, r *pack.KindRule, fresh uint8) uint8 {
	switch t {
	case Recovered, Expired:
		return r.Top(was.Openings)
	case Escalated:
		return r.Top(fresh)
	default:
		return r.Top(h.Openings)
	}
}

// expiry is when p's episode of a kind ends by itself, in ms since the epoch. It is not before the newest event, which
// may have come before its deadline fired, or with which a pack with a shorter expiry began. 0: it does not, or none is
// open.
func (s *Scorer) expiry(p *profile.Profile, n profile.Kind) int64 {
	h, r := p.EpisodeOf(n), &s.Pack.Kinds[n]
	if !h.Open() || r.Expires == 0 {
		return 0
	}
	return max(h.Newest+r.Expires, p.At)
}

// expire ends the episodes that have expired by a minute.
func (s *Scorer) expire(c *profile.Customer, minute int64) {
	for n := range c.Touched.All {
		if at := s.expiry(c.Profile, n); at != 0 && at <= minute*moment.MinuteMillis {
			s.endAsExpired(c, n, minute*moment.MinuteMillis)
		}
	}
}

// endAsExpired ends an episode that nothing has ended.
func (s *Scorer) endAsExpired(c *profile.Customer, n profile.Kind, at int64) {
	r, h := &s.Pack.Kinds[n], c.EpisodeOf(n)
	was := *h
	h.Openings = 0
	t := change{was: floorOf(&was, r), over: true}.transition()
	s.emit(c, n, &was, Decision{Transition: t, About: aboutOf(t, &was, h, r, 0), At: at})
}

// emit notes a transition of an episode other than a lapse, with was as the state before; it notes nothing for none.
func (s *Scorer) emit(c *profile.Customer, n profile.Kind, was *profile.Triggered, d Decision) {
	if d.Transition == TransitionNone {
		return
	}
	r, h := &s.Pack.Kinds[n], c.EpisodeOf(n)
	d.Score = s.score(c, n, d.At)
	now := *h
	*h = *was
	d.Previous = s.standing(c, &d.Score)
	*h = now
	d.Tier = s.standing(c, &d.Score)
	if d.Transition == Raised && h.Opener == 0 { // one that is released has its own
		h.Opener = r.Opens[r.Top(h.Openings)].Mark
	}
	d.Kind, d.Since, d.Opener, d.Opening = n, h.Since, h.Opener, r.Top(h.Openings)
	s.note(c, d)
	if h.Openings == 0 {
		h.Close()
	}
}

// score is c's score as of an instant, for a decision about a kind. Features have values also without a score.
func (s *Scorer) score(c *profile.Customer, n profile.Kind, at int64) model.Score {
	score := s.Eval.Score(c, at)
	if c.Visits == 0 {
		s.kept[n] = s.Pack.Model.Features.Values(s.kept[n][:0], feature.All, c.Features, c.First, at)
		score.Values = s.kept[n]
	}
	return score
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

// earliest is the earlier of two minutes; 0 is none.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
