package scoring

import "math"

// Observation is one event as scoring sees it.
type Observation struct {
	Time   int64 // event time, ms since the epoch
	Signal Signal
}

// Decision is one transition of a customer's lapse episode.
type Decision struct {
	Transition     Transition
	Tier, Previous Tier   // after and before; before a raise: as of the customer's newest event
	Episode        uint32 // number of the episode, from 1
	Sequence       uint32 // number of the transition in its episode, from 1
	At             int64  // event time of the transition, ms since the epoch
	Silence        int64  // ms without activity as of At; where the customer recovered: that ended
	Score          Score  // as of At
}

// Observe folds one event into p and pop and re-arms p. The one thing that an event itself decides is that an episode
// ends: by activity newer than the last (one that was merely late ends no silence). An event without effect, neither
// activity nor friction, changes nothing.
func (k *Pack) Observe(p *Profile, pop *Population, o Observation) (Decision, bool) {
	if !o.Signal.Activity && o.Signal.Friction == 0 {
		return Decision{}, false
	}
	silence := o.Time - p.Last
	back := o.Signal.Activity && silence > 0 && p.Episode.Tier != TierNone
	k.fold(p, pop, o)
	if !back {
		k.rearm(p)
		return Decision{}, false
	}
	d := Decision{
		Transition: Recovered, Previous: p.Episode.Tier, Episode: p.Episodes, Sequence: next(p.Episode.Sequence),
		At: o.Time, Silence: silence, Score: k.Score(p, o.Time),
	}
	d.Tier = k.tier(d.Score.Sum())
	p.Episode = Episode{}
	k.rearm(p)
	return d, true
}

// Wake looks at p as of minute p.Armed: it raises or escalates if the conditions hold there, and moves p.Armed on to a
// later minute, or to 0 where nothing can happen without a further event. The caller wakes p as long as Armed is not 0
// and not beyond the watermark.
func (k *Pack) Wake(p *Profile) (Decision, bool) {
	minute := p.Armed
	enter, from, ok := k.watch(p)
	if !ok || minute > k.lastMinute(p) {
		p.Armed = 0
		return Decision{}, false
	}
	if minute < from {
		p.Armed = k.search(p, from, enter, fineEffort)
		return Decision{}, false
	}
	a := k.point(p, minute)
	if a.score() < enter-slack {
		p.Armed = k.searchBeyond(p, &a, enter, fineEffort)
		return Decision{}, false
	}
	s := k.Score(p, minute*minuteMillis)
	sum := s.Sum()
	if sum < enter { // by less than slack
		p.Armed = minute + 1
		return Decision{}, false
	}
	d := k.turn(p, s, sum)
	p.Armed = 0
	if enter, _, ok := k.watch(p); ok {
		p.Armed = minute + 1
		if a.score() < enter-slack {
			p.Armed = k.searchBeyond(p, &a, enter, fineEffort)
		}
	}
	return d, true
}

// turn opens or escalates p's episode by the score s, whose sum is what it takes.
func (k *Pack) turn(p *Profile, s Score, sum float64) Decision {
	d := Decision{Transition: Escalated, Previous: p.Episode.Tier, At: s.At, Silence: s.At - p.Last, Score: s}
	if p.Episode.Tier == TierNone {
		before := k.Score(p, p.At)
		d.Transition, d.Previous = Raised, k.tier(before.Sum())
		p.Episodes = next(p.Episodes)
	}
	p.Episode = Episode{Tier: k.tier(sum), Sequence: next(p.Episode.Sequence), Since: s.At / minuteMillis}
	d.Tier, d.Episode, d.Sequence = p.Episode.Tier, p.Episodes, p.Episode.Sequence
	return d
}

// next is the number after n. It stays at the last there is: 0 stands for none.
func next(n uint32) uint32 { return n + min(1, math.MaxUint32-n) }
