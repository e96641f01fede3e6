package line

import (
	"ebb/pipeline"
	"ebb/scoring"
)

// Reasons why a configured pack does not apply. The names are a contract: metrics and logs use them.
const (
	PackOlder   = "not_newer" // or of the same version, with something else in it
	PackOther   = "other_name"
	PackTooMany = "too_many"
	PackFormat  = "older_members" // of the group, which could not read a state that says which pack is whose
)

// Turn has the packs begin that begin before the next record: in a replay those that did, after it the configured one, if it is newer
// than the newest. A pack begins before a record, so that one that would begin at the end of the log waits for the next; until
// then it would have nothing to apply to. It says why the configured pack does not apply; "": it does, or will.
//
// What fires by a sweep is decided, and what resolves is counted, by the packs in force. So that this is a function of the
// records, and not of when a sweep came round, a pack begins where the sweep has come as far as the watermark. False: it has
// not yet, and no record may be folded before it has (AtEdge).
func (l *Line) Turn(configured *scoring.Pack) (begun []*scoring.Pack, waits string, ok bool) {
	before := len(l.begins)
	for {
		k, waits := l.beginning(configured)
		if l.turning = k != nil; k == nil {
			return l.begins[before:], waits, true
		}
		if l.Sweeping() {
			return nil, "", false
		}
		l.activate(k)
		l.packs.ahead = l.packs.ahead[min(1, len(l.packs.ahead)):]
	}
}

// beginning is the pack that begins before the next record; nil: none, as far as the configured one goes for the reason given.
func (l *Line) beginning(configured *scoring.Pack) (k *scoring.Pack, waits string) {
	g := l.packs
	if len(g.ahead) > 0 && g.ahead[0].Offset <= l.next {
		return g.ahead[0].Pack, ""
	}
	if l.next < l.mark.Offset {
		return nil, ""
	}
	newest := g.newest().Pack
	if len(g.refs) == 0 && l.staged.format >= scoring.NewestProfile {
		l.begins = append(l.begins, newest)
		g.refs = append(g.refs, pipeline.RefOf(newest))
		return nil, ""
	}
	switch {
	case configured.Hash == newest.Hash:
	case configured.Name != newest.Name:
		return nil, PackOther
	case pipeline.CompareVersions(configured.Version, newest.Version) <= 0:
		return nil, PackOlder
	case l.staged.format < scoring.NewestProfile:
		return nil, PackFormat
	case len(g.scorers) == maxPackEpochs:
		return nil, PackTooMany
	default:
		return configured, ""
	}
	return nil, ""
}

// activate makes k the pack of all customers from their next event on.
func (l *Line) activate(k *scoring.Pack) {
	if k.Horizon != l.scorer.Horizon {
		l.learnt, l.curve = pipeline.Learnt{}, scoring.Curve{} // it was the answer to another question
	}
	l.packs.add(k)
	l.packs.refs = append(l.packs.refs, pipeline.RefOf(k))
	l.scorer, l.epoch = l.packs.newest(), uint8(len(l.packs.scorers)-1)
	l.begins = append(l.begins, k)
}

// announce puts the packs that begin with the batch into its commit.
func (l *Line) announce() {
	s := l.staged
	for _, k := range l.begins {
		l.packs.unsaved = append(l.packs.unsaved, pipeline.PackBytes{Hash: k.Hash, Canonical: k.Canonical()})
		for _, e := range []pipeline.Entry{
			{Kind: pipeline.EntryPack, Offset: l.next, Pack: pipeline.RefOf(k), Canonical: k.Canonical()},
			{Kind: pipeline.EntryControl, Offset: l.next, Pack: pipeline.RefOf(k), First: len(l.packs.refs) == 1},
		} {
			if !l.mark.Covers(&e) {
				s.append(&e, nil)
			}
		}
	}
	s.Commit.Packs, l.packs.unsaved, l.begins = l.packs.unsaved, nil, nil
}

// migrate makes the customer of an event one of the newest pack. What was due before the event has fired.
func (l *Line) migrate(c *customer, e *pipeline.Event) {
	if !c.profile.Empty() {
		m := l.packs.migration(c.profile.Generation)
		decisions := m.Leave(l.look(c), e.Time)
		for i := range decisions {
			l.decide(c, &decisions[i], e.Offset, pipeline.Due{}, l.cause(e))
		}
		m.Enter(&l.at, e.Time)
		l.cache.keep(c, l.at.Features)
	}
	c.profile.Generation, c.profile.Probe = l.epoch, scoring.Probe{} // what is pending asks the older pack's question
}

// cause is what an alert says of the event that caused it.
func (l *Line) cause(e *pipeline.Event) scoring.Cause {
	return scoring.Cause{EventID: e.ID, EventType: e.Type, Partition: l.partition, Offset: e.Offset, Time: e.Time}
}

// ReadFor has the batch hold the properties that the newest pack reads: it may have been decoded before that began.
func (b *Batch) ReadFor(k *scoring.Pack) {
	if b.pack == k || len(b.Events) == 0 {
		return
	}
	b.pack = k
	b.decoder.Reading(k)
	b.Decode()
}
