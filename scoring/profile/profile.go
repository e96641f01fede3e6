package profile

// Profile is one customer's rolling state. Its zero value is a customer without events. Times are event times in ms
// since the epoch, from 1970 to 2248. Between its own events a customer's score depends only on its profile and on
// time.
type Profile struct {
	First   int64 // first activity
	Last    int64 // newest activity
	Counted int64 // activity that last raised Level
	At      int64 // newest event that had an effect: the time that Level and Friction refer to

	Visits uint32 // visits so far, activity within half a day being one; 0: no activity yet

	// Statistics of ln(gap in days), in which older gaps fade with every new one: their weight, their mean and the sum of
	// squared deviations.
	W, Mu, M2 float64

	Level    float64 // number of spells of activity, fading with time constant 4 horizons
	Friction float64 // weight of negative events, fading with time constant 1 horizon
	M, K     float64 // gap law as of the last activity: e^M days is the median gap, K the regularity

	// Armed is the minute since the epoch of the next look at this customer (see Scorer.Wake); 0: none. It is never later
	// than the next minute at which something would happen without a further event.
	Armed int64

	Probe Probe // of the customer's score, for the probability of a silent horizon

	Lapse LapseEpisode

	Back      int64 // activity that ended the newest silence of a dormant or churned customer; 0: none did
	Onboarded bool  // the signal that ends onboarding came

	// the customer may be alerted about, where its pack makes customers wait for a signal; false under other packs
	Eligible bool

	Money Money // in which currency the features keep it

	PackEpoch uint8 // number of the pack under which it was last folded, in its partition's list

	// kinds for which Triggered is not zero: few customers have any, and for most the others need not be read (see Touch)
	Touched KindSet

	// kinds whose newest episode was raised but not published: its later transitions are not published either
	Withheld KindSet

	Source Source // that its newest activity came from

	Holdout Holdout

	IDs IDRing // the last event ids, for dedupe

	Trouble Trouble            // the friction that weighs most; zero: there was none
	Plays   [NumKinds]PlayMark // in force for the open episodes, by kind
	Steps   [NumKinds]uint8    // of them: how many times the episode has named each
	Awaited Awaited            // the value action that the newest lapse awaits
	Course  Course             // of the newest lapse

	// episodes of the other kinds; last, so that rarely read fields do not lie between those that are always read
	Triggered [numTriggered]Triggered
}

// Episode is the common part of p's episode of any kind.
func (p *Profile) Episode(n Kind) *Episode {
	if n == Lapse {
		return &p.Lapse.Episode
	}
	return &p.EpisodeOf(n).Episode
}

// Empty reports whether no event ever had an effect on the customer: p holds nothing that differs from the zero value.
func (p *Profile) Empty() bool { return p.Visits == 0 && p.At == 0 && p.Friction == 0 }
