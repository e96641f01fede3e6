package worker

import (
	"github.com/rs/zerolog"

	"ebb/pipeline"
)

// tell logs what a commit that is applied has found by the records: sources that turn, and storms.
func (o *owner) tell(changes []pipeline.Change) {
	for i := range changes {
		c := &changes[i]
		t := &c.Source
		switch c.Kind {
		case pipeline.ControlResumed:
			o.cfg.Logger.Info().EmbedObject(turnLog{t}).Bool("given_up", t.GivenUp).Msg("source resumed")
		case pipeline.ControlStalled:
			o.cfg.Logger.Warn().EmbedObject(turnLog{t}).
				Str("do", "see whether what sends its events works; until it does its customers' silence does not count").
				Msg("source stalled")
		case pipeline.ControlStorm:
			o.tellStorm(&c.Storm)
		}
	}
}

// turnLog writes a turn into a log line.
type turnLog struct{ *pipeline.Turn }

// MarshalZerologObject writes the fields.
func (t turnLog) MarshalZerologObject(e *zerolog.Event) {
	e.Str("source", t.Name).Time("since", t.Since).Time("at", t.At).Int64("expected", t.Expected).Uint64("seen", t.Seen)
}

// stalledSources are the names of the sources that are stalled now.
func (o *owner) stalledSources() (names []string) {
	o.line.Sources(func(name string, stalled bool) {
		if stalled {
			names = append(names, name)
		}
	})
	return names
}
