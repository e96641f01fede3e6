package scoring

import (
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Decision is one transition of an episode.
type Decision struct {
	Kind           profile.Kind
	Transition     Transition
	Tier, Previous profile.Tier // of the customer, after and before; before a raise of a lapse: at its newest event
	Episode        uint32       // number of the episode, from 1
	Sequence       uint32       // number of the transition in its episode, from 1
	At             int64        // event time of the transition, ms since the epoch
	// when the episode's subject began, ms: the last activity before the silence, or the event that opened it
	Since   int64
	Missed  int64       // of a lapse: ms since then in which its source was stalled, so that nobody could have seen the customer
	Opened  int64       // event time of the episode's raise, ms
	Expires int64       // when the episode's alerts are out of date, ms; 0: it has ended
	Opener  uint16      // for another kind: mark of the opening that raised the episode
	Opening uint8       // for another kind: the floor's opening; 0 where none is open any more
	About   uint8       // for another kind: the opening that the decision is about
	Score   model.Score // as of At
	// the calibration's reading at this score; the owner of a Calibration sets it
	Reading model.Reading
	Facts   profile.Facts   // of the customer; in its memory, until the next call of the scorer
	Contact profile.Contact // likewise
	Home    uint32          // mark of the time zone of the customer's tenant, which the owner of settings sets; 0: unknown

	Trouble    profile.Trouble // the event that weighs most, where friction is a reason
	Play       pack.PlayRef    // what to do; 0: nothing is declared for it
	Step       uint8           // how many times the episode has named it, this time included
	Supersedes string          // id of the play in force before, where this one is another

	// for a pack that declares value: that nothing is known of the customer's, and the currency of its money
	Unvalued bool
	Money    profile.Money

	// of a raise that was held (Release)
	Initial bool  // the episode opened in the history with which the group began
	HeldFor int64 // how long it was held otherwise, in seconds; 0: it was not
}

// Fits reports whether d can have been decided under k: the openings that it is about and its play are k's. A decision
// that was read back and does not fit cannot be rendered.
func (d *Decision) Fits(k *pack.Pack) bool {
	return k.HasPlay(d.Play) && (d.Kind == profile.Lapse || int(max(d.About, d.Opening)) < len(k.Kinds[d.Kind].Opens))
}

// Held reports whether d raises an episode that was held.
func (d *Decision) Held() bool { return d.Initial || d.HeldFor > 0 }

// Silence is, for a lapse, the ms without activity as of At, where the silence ended if the customer recovered. Time in
// which nobody could have seen any does not count.
func (d *Decision) Silence() int64 { return d.At - d.Since - d.Missed }

// AboutOpening is the opening of its kind that a decision in an episode other than a lapse is about.
func (d *Decision) AboutOpening(k *pack.Pack) *pack.Opening { return &k.Kinds[d.Kind].Opens[d.About] }

// FloorOpening is the opening whose floor applies to an episode other than a lapse.
func (d *Decision) FloorOpening(k *pack.Pack) *pack.Opening { return &k.Kinds[d.Kind].Opens[d.Opening] }

// Floor is the lower bound of the customer's risk score, 0 to 100, by a decision under k; 0: there is none.
func (d *Decision) Floor(k *pack.Pack) float64 {
	if d.Kind == profile.Lapse || d.Transition.Ends() {
		return 0
	}
	return d.FloorOpening(k).Floor
}

// Likelihood is how likely a decision's customer is to churn: the probability, or the floor if that is higher.
func (d *Decision) Likelihood(floor float64) float64 {
	if d.Score.Visits == 0 {
		return floor / 100
	}
	return max(floor/100, d.Reading.Probability(d.Score.Sum()))
}
