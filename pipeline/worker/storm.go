package worker

import (
	"github.com/rs/zerolog"

	"ebb/pipeline"
	"ebb/pipeline/line"
)

// tellStorm shows a storm that has opened.
func (o *owner) tellStorm(s *pipeline.Storm) {
	o.cfg.Metrics.stormOpened(o.cfg.Line.Identity.Partition)
	o.cfg.Logger.Warn().EmbedObject(stormLog{s}).
		Str("do", "see whether a feed is broken: if it is, mend it, and its customers come back by themselves; if they have left, "+
			"publish what is held: ebb release storm").
		Msg("storm opened: far more lapses fall due in this hour than usual, further ones are held until the review")
}

// stormLog writes a storm into a log line.
type stormLog struct{ *pipeline.Storm }

// MarshalZerologObject writes the fields.
func (s stormLog) MarshalZerologObject(e *zerolog.Event) {
	e.Int64("number", s.Number).Time("hour", s.Hour).Int("raised", s.Raised).Int("limit", s.Limit).Int("usual", s.Usual).
		Time("review", s.Review)
}

// review is what has become of the raises that storms held, since the log last told.
type review struct{ raised, dropped uint64 }

// tellReview logs that what storms held was decided anew, once none of it that is due is left.
func (o *owner) tellReview(t *line.Tally) {
	r := &o.review
	r.raised += t.Released[pipeline.HeldStorm]
	r.dropped += t.Withdrawn[pipeline.HeldStorm]
	held := o.line.Size().Held[pipeline.HeldStorm]
	if r.raised == 0 && (r.dropped == 0 || held > 0) || o.line.Changing() || o.line.Waiting(pipeline.HeldStorm) > 0 {
		return
	}
	o.cfg.Logger.Info().Uint64("raised", r.raised).Uint64("back", r.dropped).Int("held", held).
		Msg("storm reviewed: who is still silent is raised, who is back is not mentioned")
	*r = review{}
}

// held are the raises that are held, by reason; nil: none are.
func (o *owner) held() (held map[string]int) {
	for reason, n := range o.line.Size().Held {
		if n == 0 {
			continue
		}
		if held == nil {
			held = map[string]int{}
		}
		held[pipeline.HoldReason(reason).String()] = n
	}
	return held
}
