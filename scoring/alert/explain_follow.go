package alert

import (
	"ebb/scoring"
	"ebb/scoring/model"
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// follow sets what follows from the rest of a decision.
func (r *Renderer) follow(d *scoring.Decision) {
	r.followTransition(d)
	if d.Transition == scoring.Raised {
		if d.Kind != profile.Lapse {
			d.Opening = d.About
		}
		if d.Kind != profile.Lapse && !d.Held() {
			d.At = d.Since
		}
		d.Opened = d.At
	}
	if silence := implied(d); silence >= 0 && !d.Transition.Ends() {
		d.Score.Silence = moment.Days(silence)
	}
	switch {
	case d.Transition.Ends():
		d.Expires = 0
	case d.Kind == profile.Lapse && r.Pack.Churned:
		d.Expires = d.Opened + r.Pack.Horizon.Milliseconds()
	case d.Kind == profile.Lapse || r.Pack.Kinds[d.Kind].Expires == 0:
		d.Expires = d.At + r.Pack.Horizon.Milliseconds()
	case d.Transition == scoring.Raised && !d.Held():
		d.Expires = d.Since + r.Pack.Kinds[d.Kind].Expires
	}
	if d.Score.Visits > 0 {
		d.Score.Stage = r.stage(d)
		r.Pack.Model.Recompute(&d.Score)
	}
	r.followTiers(d)
	r.followPlay(d)
}

// followTransition sets the transition where the pack has none like it. A step is that of a play with steps.
func (r *Renderer) followTransition(d *scoring.Decision) {
	switch {
	case d.Transition == scoring.Churned && (!r.Pack.Churned || d.Kind != profile.Lapse):
		d.Transition = scoring.Recovered
	case d.Transition == scoring.Reminded && (d.Play == 0 || len(r.Pack.Play(d.Play).Steps) == 0):
		for d.Play = 1; r.Pack.HasPlay(d.Play) && len(r.Pack.Play(d.Play).Steps) == 0; {
			d.Play++
		}
		if !r.Pack.HasPlay(d.Play) {
			d.Play, d.Transition = 0, scoring.Escalated
		}
	}
	if horizon := r.Pack.Horizon.Milliseconds(); d.Transition == scoring.Churned && d.Missed == 0 &&
		horizon%moment.MinuteMillis == 0 {
		d.Opened = d.At - horizon
	}
}

// stage is the decision's stage where that fits silence and tenure, else one that does. An alert holds nothing else
// that shows whether the customer has come back from afar, is onboarded or, for other kinds, in a lapse. A silence of the
// least length may be any shorter one, and its last activity may even be later than an event that came late.
func (r *Renderer) stage(d *scoring.Decision) (fits profile.Stage) {
	silence, tenure := moment.Millis(d.Score.Silence), moment.Millis(d.Score.Tenure)
	ages := []int64{tenure + silence + d.Missed}
	if d.Score.Silence == model.MinSilence {
		for _, age := range []int64{tenure, r.Pack.Model.Stages.New, -1} {
			ages = append(ages, min(age, tenure+silence+d.Missed))
		}
	}
	for i := range int64(8) {
		p := profile.Profile{Last: d.At - silence, Back: (i & 1) * d.At, Onboarded: i&2 != 0}
		open := i&4 != 0 // a lapse, beside an episode of another kind, or still where it converts
		if open && (d.Kind != profile.Lapse || d.Transition == scoring.Converted) ||
			d.Kind == profile.Lapse && (d.Transition == scoring.Escalated || d.Transition == scoring.Reminded) {
			p.Lapse.Tier = profile.Watch
		}
		for _, age := range ages {
			p.First = d.At - age
			if stage := r.Pack.Model.Stage(&p, d.At); stage == d.Score.Stage || i == 0 {
				fits = stage
			}
			if fits == d.Score.Stage {
				return fits
			}
		}
	}
	return fits
}

// followTiers keeps the tiers after and before within their bounds. Open episodes of other kinds, which a decision does
// not contain, may lift either.
func (r *Renderer) followTiers(d *scoring.Decision) {
	m := &r.Pack.Model
	own := m.TierOf(&d.Score)
	after, least, most := own, own, own
	switch {
	case d.Kind == profile.Lapse && d.Transition == scoring.Raised:
		least, most = m.TiersBefore(d.Score)
	case d.Kind == profile.Lapse && d.Transition == scoring.Escalated:
		least, most = m.Raise.Earliest(), max(own-1, m.Raise.Earliest())
	case d.Kind == profile.Lapse && d.Transition == scoring.Reminded: // time alone lowers no tier, nor does a step
		d.Tier = max(d.Tier, own)
		d.Previous = d.Tier
		return
	case d.Transition == scoring.Converted: // it changes no tier
	case d.Kind == profile.Lapse:
		least, most = m.Raise.Earliest(), profile.Critical
	case d.Transition.Ends():
		least = max(own, m.FloorTier(d.AboutOpening(r.Pack).LogOdds, d.Score.Stage))
		most = least
	default:
		after = max(own, m.FloorTier(d.FloorOpening(r.Pack).LogOdds, d.Score.Stage))
		switch d.Transition {
		case scoring.Escalated:
			least, most = max(own, profile.Watch), after
		case scoring.Deescalated:
			least, most = after, r.highest(func(n profile.Kind) bool { return n == d.Kind })
		default:
		}
	}
	others := r.highest(func(n profile.Kind) bool { return n != d.Kind })
	if d.Kind == profile.Lapse && d.Held() {
		others = profile.Critical // time alone lowers no tier, and it may have reached this one before
	}
	d.Tier = min(max(d.Tier, after), max(after, others))
	d.Previous = min(max(d.Previous, least), max(most, others))
}

// highest is the highest tier that an opening of some kinds lifts to at any stage.
func (r *Renderer) highest(of func(profile.Kind) bool) (tier profile.Tier) {
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		for i := range r.Pack.Kinds[n].Opens {
			for stage := profile.Stage(0); of(n) && stage < profile.NumStages; stage++ {
				tier = max(tier, r.Pack.Model.FloorTier(r.Pack.Kinds[n].Opens[i].LogOdds, stage))
			}
		}
	}
	return tier
}
