package scoringtest

import (
	"fmt"

	"ebb/scoring"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Story folds the events of one customer, in days from its beginning, and returns the transitions.
type Story struct {
	Pack        *pack.Pack
	Profile     profile.Profile
	Pop         profile.Population
	Transitions []string
}

func (s *Story) note(d *scoring.Decision) {
	s.Transitions = append(
		s.Transitions,
		fmt.Sprintf("day %.2f: %v, episode %d.%d, %v after %v", float64(d.At-Begin)/Day, d.Transition,
			d.Episode, d.Sequence, d.Tier, d.Previous),
	)
}

// SilentUntil applies the silence until a day.
func (s *Story) SilentUntil(at float64) {
	for p := &s.Profile; p.Armed != 0 && p.Armed <= (Begin+int64(at*Day))/60_000; {
		if d, ok := Wake(s.Pack, p); ok {
			s.note(&d)
		}
	}
}

// Event folds an event on a day.
func (s *Story) Event(at float64, signal pack.Signal) {
	if d, ok := Observe(s.Pack, &s.Profile, &s.Pop, scoring.Observation{Time: Begin + int64(at*Day), Signal: signal}); ok {
		s.note(&d)
	}
}

// Weekly is a customer who bought on ten days, a week apart, the last on day 63.
func Weekly() *Story {
	s := &Story{Pack: Must(pack.Load("retail", nil, pack.Overrides{})), Profile: Eligible()}
	for week := range 10 {
		s.SilentUntil(float64(7 * week))
		s.Event(float64(7*week), Bought)
	}
	return s
}
