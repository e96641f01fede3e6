package scoring

import "ebb/scoring/profile"

// The life of an episode, of whatever kind. What lifts a customer by a lapse is the tier that its score has reached,
// by another kind the floor of the highest opening that is open. TestEpisodeTable is made from this table.
//
//	| episode | what happens        | transition  | episode then | kinds     |
//	| closed  | rises               | raised      | open         | all       |
//	| closed  | nothing             |             | closed       | all       |
//	| open    | rises               | escalated   | open         | all       |
//	| open    | is opened once more | escalated   | open         | triggered |
//	| open    | falls               | deescalated | open         | triggered |
//	| open    | nothing             |             | open         | all       |
//	| open    | ends                | recovered   | closed       | all       |
//	| open    | its time is over    | expired     | closed       | triggered |

// change is what has happened to an episode.
type change struct {
	was, now float64 // how high it lifts the customer, before and after; 0: none is open
	fresh    bool    // an opening is open that was not
	over     bool    // nothing ended it: its time is over
}

// transition is what a change is to the episode, by the table above.
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

// pass takes an episode through a decision's transition, and notes the decision.
func (s *Scorer) pass(e *profile.Episode, d Decision) {
	e.Pass(d.Transition == Raised, d.At)
	d.Episode, d.Sequence = e.Number, e.Sequence
	kept := append(s.kept[d.Kind][:0], d.Score.Values...) // which the next score overwrites
	s.kept[d.Kind], d.Score.Values = kept, kept
	s.decisions = append(s.decisions, d)
}
