package scoring

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// noteTrouble keeps an event with friction, unless the one that is kept weighs more.
func (s *Scorer) noteTrouble(p *profile.Profile, o *Observation) {
	its, kept := o.Signal.Friction, 0.0
	if p.Trouble != (profile.Trouble{}) {
		_, kept = s.Pack.TroubleOf(p.Trouble.Type)
	}
	fade := moment.Days(s.Pack.Horizon.Milliseconds())
	if later := o.Time - p.Trouble.At; later >= 0 {
		kept = profile.Faded(kept, later, fade)
	} else {
		its = profile.Faded(its, -later, fade)
	}
	if its > kept || its == kept && o.Time >= p.Trouble.At {
		p.Trouble = profile.Trouble{Type: o.Signal.Trouble, At: o.Time}
	}
}
