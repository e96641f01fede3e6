package worker

import (
	"ebb/pipeline"
)

// tellSilence shows that a silence begins, or ends before its time.
func (o *owner) tellSilence(s *pipeline.Silence) {
	line := o.cfg.Logger.Info().Str("id", s.ID).Str("by", s.By).Str("why", s.Why).Int64("offset", o.line.Next())
	if s.Ended {
		line.Msg("silence ends before its time: what it held is decided anew")
		return
	}
	line.Time("until", s.Until).Interface("match", s.Match).
		Msg("silence begins: raises that it matches are held until its end in event time")
}

// silences are the ids of those in force.
func (o *owner) silences() (ids []string) {
	for _, s := range o.line.Silences() {
		ids = append(ids, s.ID)
	}
	return ids
}
