package profile

import "ebb/scoring/encode"

// Episode is the common part of a customer's episodes of all kinds.
type Episode struct {
	Number         uint32 // of the newest episode; 0: there was none
	Sequence       uint32 // of its newest transition; 0: none is open
	LastTransition int64  // ms since the epoch; 0: none is open
	Opened         int64  // its first transition, ms since the epoch; 0: none is open
}

// Open reports whether an episode is open.
func (e *Episode) Open() bool { return e.Sequence > 0 }

// Advance applies a transition at an instant in ms since the epoch to the episode. opens: the transition is the first
// of an episode.
func (e *Episode) Advance(opens bool, at int64) {
	if opens {
		e.Number = encode.Increment(e.Number)
	}
	if e.Opened == 0 {
		e.Opened = at
	}
	e.Sequence, e.LastTransition = encode.Increment(e.Sequence), at
}

// Close ends the episode. Its number stays.
func (e *Episode) Close() { e.Sequence, e.LastTransition, e.Opened = 0, 0, 0 }

// LapseEpisode is a customer's state in the kind Lapse, whose episodes the score opens.
type LapseEpisode struct {
	Episode
	Tier Tier // that the score has reached in the open episode, at least Watch; TierNone: none is open
}
