package line

import "ebb/pipeline"

// A silence begins, and may end before its time, by a control record of the kind that waits for no record: like a release
// it applies where the sweep has reached the watermark, with a number of the same sequence. So what is decided under it
// follows from the control records, whatever the batches. Its end in event time needs no record: it shows in each decision's
// own time.

// MayChange reports whether a silence may begin or end now: not in a replay, which repeats those of then, nor before the
// first record, for what is written before it belongs to no group yet.
func (l *Line) MayChange() bool {
	return len(l.meta.Packs) > 0 && len(l.ahead) == 0 && !l.replaying() && !l.AtEdge()
}

// Silence asks for a silence to begin, or to end. It applies as soon as what is due by the watermark has fired.
func (l *Line) Silence(s pipeline.Silence) {
	s.Number = l.meta.First.Releases + 1
	l.wanted = &pipeline.Change{Kind: pipeline.ControlSilence, Silence: s}
}

// beginSilence makes what is decided from now on subject to s, or no longer.
func (l *Line) beginSilence(s *pipeline.Silence) {
	l.wanted = nil
	l.meta.First.Releases = s.Number
	l.meta.Silences = l.meta.Silences.With(s, l.meta.Clock.Watermark)
	l.held.lane(pipeline.HeldSilence, "").whole = false // what is held for one that is over may be released
}

// Silences are those in force, as of the watermark.
func (l *Line) Silences() pipeline.Silences { return l.meta.Silences.InForce(l.meta.Clock.Watermark) }
