package scoring

import "math"

// Observation is one event as scoring sees it.
type Observation struct {
	Time       int64 // event time, ms since the epoch
	Signal     Signal
	Value      int64 // money in minor units
	HasValue   bool
	Properties []PropertyValue // in the order of Pack.Properties; may lack the last ones
}

// Decision is one transition of an episode.
type Decision struct {
	Kind           Kind
	Transition     Transition
	Tier, Previous Tier    // of the customer, after and before; before a raise of a lapse: as of its newest event
	Episode        uint32  // number of the episode, from 1
	Sequence       uint32  // number of the transition in its episode, from 1
	At             int64   // event time of the transition, ms since the epoch
	Silence        int64   // of a lapse: ms without activity as of At; where the customer recovered: that ended
	Since          int64   // of another kind: event that opened the episode, ms
	Opener         uint16  // of another kind: mark of the opening by which the episode was raised
	Opening        uint8   // of another kind: that the floor is of; 0 where none is open any more
	About          uint8   // of another kind: the opening that it is about
	Score          Score   // as of At
	Reading        Reading // of what the stream had learnt about such a score; whoever keeps a Calibration fills it in
}

// Observe folds one event into c and pop, re-arms c, and returns what the event itself decides: that a lapse ends, by
// activity newer than the last (one that was merely late ends no silence), and that episodes of other kinds open, get
// worse or end. The decisions are valid until s is asked again. An event without effect changes nothing.
func (s *Scorer) Observe(c *Customer, pop *Population, o *Observation) []Decision {
	s.decisions = s.decisions[:0]
	if !o.Signal.Effective() {
		return nil
	}
	silence := o.Time - c.Last
	known := c.Visits > 0
	s.fold(c.Profile, pop, *o)
	c.Features, _ = s.features.fold(c.Features, &featureEvent{Time: o.Time, Set: o.Signal.Named, Value: o.Value, HasValue: o.HasValue, Properties: o.Properties})
	if o.Signal.Named&s.Stages.Until != 0 {
		c.Onboarded = true
	}
	s.plan(c)
	if o.Signal.Activity && known && silence > 0 {
		s.returned(c.Profile, silence, o.Time)
		if c.Episode.Tier != TierNone {
			s.comeBack(c, silence, o.Time)
		}
	}
	if o.Signal.Named&s.opening != 0 {
		s.judge(c, o)
	}
	s.rearm(c)
	return s.decisions
}

// Effective reports whether an event of this signal changes anything.
func (s *Signal) Effective() bool { return s.Activity || s.Friction != 0 || s.Named != 0 }

// comeBack ends the lapse: the customer is back after a silence.
func (s *Scorer) comeBack(c *Customer, silence, at int64) {
	d := Decision{
		Transition: Recovered, Episode: c.Episodes, Sequence: next(c.Episode.Sequence),
		At: at, Silence: silence,
	}
	was := c.Episode.Tier
	c.Episode = Episode{}
	d.Score = s.Score(c, at)
	d.Previous, d.Tier = max(was, s.floored(c.Profile, d.Score.Stage)), s.standing(c, &d.Score)
	s.decisions = append(s.decisions, d)
}

// TierOf is the tier of a score at its stage; TierNone of a customer without activity.
func (k *Pack) TierOf(s *Score) Tier {
	if s.Visits == 0 {
		return TierNone
	}
	return k.tierAt(s.Stage, s.Sum())
}

// tierAt is the tier of a sum at a stage.
func (k *Pack) tierAt(stage Stage, sum float64) Tier { return k.Stages.tiers[stage].tier(sum) }

// next is the number after n. It stays at the last there is: 0 stands for none.
func next(n uint32) uint32 { return n + min(1, math.MaxUint32-n) }
