package line

import "ebb/pipeline"

// A storm opens in the middle of a batch, by the raise that is one too many. Sweeps are lax, so which one that is depends
// on batches. The control record says how far deadlines had fired before it, and a replay sweeps no farther before it
// applies the record. Raises that customers' own events have fired until then are the same in a replay.

// announceStorm adds the storm that a raise has opened to the commit, at the place of that raise.
func (l *Line) announceStorm(on *decided) {
	e := pipeline.Entry{
		Kind: pipeline.EntryControl, Offset: on.Offset, Due: on.Due, Next: on.Next,
		Change: pipeline.Change{Kind: pipeline.ControlStorm, Storm: on.Opens},
	}
	l.staged.append(&e, nil)
	l.staged.Told = append(l.staged.Told, e.Change)
}

// openStorm has a replay hold what the storm held.
func (l *Line) openStorm(s *pipeline.Storm) { l.meta.Storms.Open(s.Since(), s.Number) }

// stormAhead is the storm that a replay opens next; nil: something else applies before it, or there is none. All else
// applies where the sweep has reached the watermark, and a storm that follows it has opened behind that.
func (l *Line) stormAhead() *pipeline.Storm {
	if len(l.ahead) == 0 || l.ahead[0].Kind != pipeline.ControlStorm {
		return nil
	}
	return &l.ahead[0].Storm
}
