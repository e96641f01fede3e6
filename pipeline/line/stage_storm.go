package line

import (
	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/profile"
)

// InStorm is the reason of a raise that is held, for its hour is a storm.
const InStorm = "storm"

// withholdStorm counts, by the hour of event time, the lapses that deadlines raise, and holds those of a storm. An event
// that raises a lapse is no silence. Neither counts what an event fires ahead of the watermark: a clock may be wrong.
func withholdStorm(d *decided) string {
	a := &d.Alert
	if d.Settings.Storm == 0 || a.Transition != scoring.Raised || a.Kind != profile.Lapse || !a.Cause.Deadline ||
		a.At > d.Meta.Clock.Watermark {
		return ""
	}
	s, h := &d.Meta.Storms, d.Meta.Storms.Hour(pipeline.FloorDiv(a.At, pipeline.HourMillis))
	review := h.Review(d.Settings)
	// What was published before the state was rolled back opens none: that storms begin where they did is for the control
	// records to say. Nor does what an event raises besides: the record would stand before the event, and its first raise
	// would be held in a replay.
	if !h.Storm && !d.Again && d.Meta.First.Raises() && s.Breaks(h, d.Settings) && !d.Mark.Covers(&d.Entry) {
		d.Opens = s.StormAt(h, d.Settings, review, d.fired())
		s.Open(h.Hour, d.Opens.Number)
	}
	if !h.Storm {
		h.Count()
		return ""
	}
	d.Hold, d.Review = pipeline.HeldStorm, review
	return InStorm
}

// fired is how far deadlines had fired before the one that caused d.
func (d *decided) fired() pipeline.Due {
	if d.Offset < 0 {
		return d.Due.Before()
	}
	return d.Due
}
