package line

import (
	"ebb/pipeline"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Reasons why a configured pack does not apply. The names are a contract: metrics and logs use them.
const (
	PackOlder   = "not_newer" // or of the same version, with something else in it
	PackOther   = "other_name"
	PackTooMany = "too_many"
)

// proposePack is the control record by which the configured pack begins, if it is newer than the newest, and the first
// of a group; nil: none, for the reason given.
func (l *Line) proposePack(configured *pack.Pack) (c *Control, waits string) {
	newest, first := l.scorer.Pack, len(l.meta.Packs) == 0
	switch {
	case first:
		configured = newest
	case configured.Hash == newest.Hash:
		return nil, ""
	case configured.Name != newest.Name:
		return nil, PackOther
	case pipeline.CompareVersions(configured.Version, newest.Version) <= 0:
		return nil, PackOlder
	case len(l.packs.scorers) == maxPackEpochs:
		return nil, PackTooMany
	}
	change := pipeline.Change{Kind: pipeline.ControlPack, Pack: pipeline.RefOf(configured), First: first}
	return &Control{Offset: l.meta.Next, Change: change, Begins: configured}, ""
}

// beginPack makes k the pack of all customers from their next event on.
func (l *Line) beginPack(k *pack.Pack) {
	if k.Horizon != l.scorer.Pack.Horizon {
		l.meta.Learnt, l.curve = model.Calibration{}, model.Curve{} // it was the answer to another question
	}
	if len(l.meta.Packs) > 0 { // else it is the one that the line was made with
		l.packs.add(k)
	}
	l.meta.Packs = append(l.meta.Packs, pipeline.RefOf(k))
	l.scorer, l.epoch = l.packs.newest(), uint8(len(l.packs.scorers)-1)
}

// keepPack has the store and the topic of packs keep the pack that begins.
func (l *Line) keepPack(c *Control) {
	canonical := c.Begins.Canonical()
	l.packs.unsaved = append(l.packs.unsaved, pipeline.PackBytes{Hash: c.Pack.Hash, Canonical: canonical})
	l.announceEntry(&pipeline.Entry{Kind: pipeline.EntryPack, Offset: l.meta.Next, Pack: c.Pack, Canonical: canonical})
}

// migrate makes the customer of an event one of the newest pack. What was due before the event has fired.
func (l *Line) migrate(c *customer, e *pipeline.Event) {
	if !c.profile.Empty() {
		m := l.packs.migration(c.profile.PackEpoch)
		decisions := m.Leave(l.look(c), e.Time)
		for i := range decisions {
			l.decided(c, &decisions[i], e.Offset, pipeline.Due{}, l.cause(e))
		}
		m.Enter(&l.at, e.Time)
		l.cache.keep(c, l.at.Features)
	}
	c.profile.PackEpoch, c.profile.Probe = l.epoch, profile.Probe{} // what is pending asks the older pack's question
}
