package scoring

import (
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// The life of an episode, of any kind. A lapse lifts a customer to the tier that its score has reached, from the one on
// at which it opens (model.Raise); another kind to the floor of the highest opening that is open. TestEpisodeTable is
// made from this table, for a lapse once for each tier at which it may open.
//
//	| episode | what happens          | transition  | episode then | kinds     |
//	| closed  | rises                 | raised      | open         | all       |
//	| closed  | nothing               |             | closed       | all       |
//	| closed  | the customer converts | converted   | closed       | lapse     |
//	| open    | rises                 | escalated   | open         | all       |
//	| open    | is opened once more   | escalated   | open         | triggered |
//	| open    | falls                 | deescalated | open         | triggered |
//	| open    | nothing               |             | open         | all       |
//	| open    | the customer converts | converted   | open         | lapse     |
//	| open    | a step is due         | reminded    | open         | lapse     |
//	| open    | ends                  | recovered   | closed       | all       |
//	| open    | its horizon is over   | churned     | closed       | lapse     |
//	| open    | its raise was wrong   | corrected   | closed       | lapse     |
//	| open    | its time is over      | expired     | closed       | triggered |
//
// A raise was wrong where activity from before it arrives after it, with which the score would not have opened a lapse
// (endLapse). A customer converts with the pack's value action within a horizon after the raise, once (convert.go). All
// other rows are about how high an episode lifts the customer.

// change is what has happened to an episode.
type change struct {
	was, now float64 // how high it lifts the customer, before and after; 0: none is open
	fresh    bool    // a new opening is open
	over     bool    // it ended by expiry
}

// transition is the transition of a change, by the table above: by all rows but those of a conversion, a correction, a
// step and a horizon (course.go).
func (c change) transition() Transition {
	switch {
	case c.was == 0 && c.now == 0:
		return TransitionNone
	case c.was == 0:
		return Raised
	case c.now == 0 && c.over:
		return Expired
	case c.now == 0:
		return Recovered
	case c.now < c.was:
		return Deescalated
	case c.now > c.was || c.fresh:
		return Escalated
	}
	return TransitionNone
}

// note applies a decision's transition to its episode, and keeps the decision.
func (s *Scorer) note(c *profile.Customer, d Decision) {
	e := c.Episode(d.Kind)
	e.Advance(d.Transition == Raised, d.At)
	d.Episode, d.Sequence, d.Opened = e.Number, e.Sequence, e.Opened
	if !d.Transition.Ends() {
		d.Expires = s.outdated(c.Profile, d.Kind, d.At)
	}
	s.describe(c, &d)
	if begins := s.assignPlay(c.Profile, &d); d.Kind == profile.Lapse {
		s.setCourse(c.Profile, &d, begins)
	}
	s.keep(d)
}

// describe notes what a decision says of its customer beside the score: facts, contact, worth, and the trouble where
// friction is a reason. The score is set.
func (s *Scorer) describe(c *profile.Customer, d *Decision) {
	d.Facts, d.Contact = c.Facts, c.Contact
	if v := &s.Pack.Value; v.Feature >= 0 {
		d.Unvalued, d.Money = !s.Pack.Model.Features.Known(c.Features, v.Feature), c.Money
	}
	if c.Trouble != (profile.Trouble{}) && d.hasReason(s.Pack, pack.ReasonFriction) {
		d.Trouble = c.Trouble
	}
}

// keep keeps a decision.
func (s *Scorer) keep(d Decision) {
	kept := append(s.kept[d.Kind][:0], d.Score.Values...) // the next score overwrites them
	s.kept[d.Kind], d.Score.Values = kept, kept
	s.decisions = append(s.decisions, d)
}

// outdated is from when on nobody need act on the alerts of p's open episode, in ms since the epoch: a lapse has come
// true a horizon after the newest of them, at a time, or after its raise where the pack ends it then, and an episode of
// another kind ends by itself, or is taken to be over by then.
func (s *Scorer) outdated(p *profile.Profile, n profile.Kind, newest int64) int64 {
	if n != profile.Lapse {
		if at := s.expiry(p, n); at != 0 {
			return at
		}
	}
	if n == profile.Lapse && s.Pack.Churned && p.Lapse.Open() {
		newest = p.Lapse.Opened
	}
	return newest + s.Pack.Horizon.Milliseconds()
}
