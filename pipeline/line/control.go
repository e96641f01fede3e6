package line

import (
	"slices"

	"ebb/pipeline"
	"ebb/pipeline/sources"
	"ebb/scoring/pack"
)

// Change is a control record on its way into the line.
type Change struct {
	Offset int64 // of the record before which it applies
	pipeline.Change
	Begins *pack.Pack // the pack of a ControlPack

	proposed bool           // ControlTime: it is new, and not one of a replay
	from     int64          // ControlTime: the minute of the watermark before it
	turns    []sources.Turn // ControlTime: sources that turn by it
}

// ApplyControls applies the control records before the next record, in the order of their offsets: in a replay those
// that applied there, after it the proposed one, if there is any: that of the configured pack. Its changes are in the
// same commit as the records that follow. Packs, settings and history apply before a record, so at the end of the log
// they wait for the next: until then they have nothing to apply to. Time, releases, storms and silences do not: they apply where no
// record follows, and configured is nil. waits is why the configured pack does not apply; "": it does, or will.
//
// What a sweep fires depends on the pack in force. So that this is a function of the records, and not of the time of a
// sweep, a control record applies where the sweep has reached the watermark. ok is false while it has not, and then no
// record may be folded (AtEdge).
func (l *Line) ApplyControls(configured *pack.Pack) (applied []Change, waits string, ok bool) {
	before := len(l.applied)
	for {
		c, waits := l.nextControl(configured)
		if l.controlled = c != nil; c == nil {
			return l.applied[before:], waits, true
		}
		if l.Sweeping() {
			return nil, "", false
		}
		l.apply(c)
		if len(l.ahead) > 0 && c == &l.ahead[0] {
			l.ahead = l.ahead[1:]
		}
	}
}

// nextControl is what applies before the next record; nil: nothing, for the given reason as far as the configured pack
// is concerned. What is released has to be decided before anything else applies.
func (l *Line) nextControl(configured *pack.Pack) (c *Change, waits string) {
	switch {
	case l.beginning() || configured == nil && len(l.ahead) > 0 && !l.restAhead():
		return nil, ""
	case len(l.ahead) > 0 && l.ahead[0].Offset <= l.meta.Next:
		return &l.ahead[0], ""
	case l.replaying(): // it repeats what was published, and nothing else
		return nil, ""
	case configured == nil:
		return l.proposeWanted(), ""
	}
	c, waits = l.proposePack(configured)
	for _, propose := range [...]func() *Change{l.proposeSettings, l.proposeHistory} {
		if c == nil {
			c = propose()
		}
	}
	return c, waits
}

// replaying reports whether the next record was folded and published before.
func (l *Line) replaying() bool { return l.meta.Next < l.mark.Offset }

// restAhead reports whether the next control record of a replay applies here and waits for no record.
func (l *Line) restAhead() bool {
	return len(l.ahead) > 0 && l.ahead[0].AtRest() && l.ahead[0].Offset <= l.meta.Next
}

// apply makes c take effect. Each kind has a file of its own.
func (l *Line) apply(c *Change) {
	switch c.Kind {
	case pipeline.ControlPack:
		l.beginPack(c.Begins)
	case pipeline.ControlSettings:
		l.beginSettings(c.Settings)
	case pipeline.ControlTime:
		l.passTime(c)
	case pipeline.ControlHistory:
		l.beginHistory(c.Until)
	case pipeline.ControlRelease:
		l.beginRelease(&c.Release)
	case pipeline.ControlStorm:
		l.openStorm(&c.Storm)
	case pipeline.ControlSilence:
		l.beginSilence(&c.Silence)
	default:
		panic("BUG: a control record of kind " + c.Kind)
	}
	l.applied = append(l.applied, *c)
}

// announce adds what was applied before the batch to its commit.
func (l *Line) announce() {
	for i := range l.applied {
		c := &l.applied[i]
		switch c.Kind {
		case pipeline.ControlTime:
			l.announceTime(c)
			continue
		case pipeline.ControlStorm: // of a replay: it is published
			continue
		case pipeline.ControlPack:
			l.keepPack(c)
		}
		e := pipeline.Entry{Kind: pipeline.EntryControl, Offset: l.meta.Next, Change: c.Change}
		if n := c.Number(); n > 0 {
			e.Offset, e.Next, e.Release = -1, l.meta.Next, n
		}
		if id := c.Answers(); id != "" {
			l.staged.Commit.Answered = append(l.staged.Commit.Answered, id)
		}
		l.announceEntry(&e)
	}
	l.tellTurns(l.meta.Sources.Take(), pipeline.Entry{Offset: l.meta.Next, Due: l.meta.Clock.Fired})
	l.staged.Commit.Packs, l.packs.unsaved, l.applied = l.packs.unsaved, nil, nil
}

// announceEntry appends an entry to the outbox, unless it was published before the state was rolled back.
func (l *Line) announceEntry(e *pipeline.Entry) {
	if e.Due = l.meta.Clock.Fired; !l.mark.Covers(e) {
		l.staged.append(e, nil)
	}
}

// Edges are the offsets that no batch may cross, in order: the published position, where a control record applies, and
// the end of history.
func (l *Line) Edges() []int64 {
	edges := []int64{l.mark.Offset}
	add := func(offset int64) {
		if offset > 0 {
			edges = append(edges, offset)
		}
	}
	add(max(l.meta.First.Until, l.mark.History))
	for i := range l.ahead {
		add(l.ahead[i].Offset)
		add(l.ahead[i].Until)
	}
	slices.Sort(edges)
	return edges
}
