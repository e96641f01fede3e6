package scoring

import (
	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

// A lapse is raised so that the customer comes back and does what the business lives by. These are two things: the
// first activity ends the episode (recovered), since whatever was begun has to stop then, and the pack's value action,
// which may come days later, shows whether it was worth it (converted). Only a lapse converts: an episode of another
// kind ends by the signal that settles it, such as the payment, and there is nothing more to wait for.

// await begins to await the value action of a lapse that is raised at a time. It replaces that of an earlier episode:
// an order counts for one raise, the newest.
func (s *Scorer) await(c *profile.Customer, raised int64) {
	c.Awaited = profile.Awaited{}
	if s.Pack.Converts != 0 {
		c.Awaited = profile.Awaited{Since: c.Active(), RaisedAt: raised}
	}
}

// convert notes the conversion of the awaited episode by an event, which is folded and may just have ended it. Nothing
// is awaited beyond a horizon; as no deadline is needed for that, the next event from there finds it, and a late order
// that comes after it counts for nothing. An event older than the raise, however late it comes, is none of its doing.
func (s *Scorer) convert(c *profile.Customer, o *Observation) {
	w := c.Awaited
	if s.Pack.Converts == 0 || o.Time > w.RaisedAt+s.Pack.Horizon.Milliseconds() {
		c.Awaited = profile.Awaited{}
		return
	}
	if o.Signal.Named&s.Pack.Converts == 0 || o.Time <= w.RaisedAt {
		return
	}
	c.Awaited = profile.Awaited{}
	d := Decision{
		Transition: Converted, Episode: c.Lapse.Number, Sequence: encode.Increment(max(w.Sequence, c.Lapse.Sequence)),
		At: o.Time, Since: w.Since, Opened: w.RaisedAt, Score: s.Eval.Score(c, o.Time),
	}
	d.Tier = s.standing(c, &d.Score)
	d.Previous = d.Tier
	s.describe(c, &d)
	s.keep(d) // with the values of the recovery by the same event, which are equal
	if c.Lapse.Open() {
		c.Lapse.Sequence = d.Sequence // the time of its last transition bounds escalations, and stays
	}
}
