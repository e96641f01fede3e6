package line

import (
	"ebb/pipeline"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Reasons why a configured pack does not apply. The names are a contract: metrics and logs use them.
const (
	PackOlder   = "not_newer" // also of the same version, with other content
	PackOther   = "other_name"
	PackTooMany = "too_many"
)

// proposePack is the control record that begins the configured pack, if that is newer than the newest one, and the
// first of a group; nil: none, for the given reason.
func (l *Line) proposePack(configured *pack.Pack) (c *Change, waits string) {
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
	return &Change{Offset: l.meta.Next, Change: change, Begins: configured}, ""
}

// beginPack makes k the pack of all customers from their next event on.
func (l *Line) beginPack(k *pack.Pack) {
	if n := len(l.meta.Packs); n > 0 && l.meta.Packs[n-1] == pipeline.RefOf(k) {
		return // written down once more
	}
	if k.Horizon != l.scorer.Pack.Horizon {
		l.meta.Learnt, l.curves = model.Calibration{}, model.Curves{} // it was learnt for another question
	}
	if len(l.meta.Packs) > 0 { // otherwise the line was made with it
		l.packs.add(k)
	}
	l.meta.Packs = append(l.meta.Packs, pipeline.RefOf(k))
	l.scorer, l.epoch = l.packs.newest(), uint8(len(l.packs.scorers)-1)
}

// keepPack makes the store and the topic of packs keep the pack that begins.
func (l *Line) keepPack(c *Change) {
	canonical := c.Begins.Canonical()
	l.packs.unsaved = append(l.packs.unsaved, pipeline.PackBytes{Hash: c.Pack.Hash, Canonical: canonical})
	l.announceEntry(&pipeline.Entry{Kind: pipeline.EntryPack, Offset: l.meta.Next, Pack: c.Pack, Canonical: canonical})
}

// migrate moves the customer of an event to the newest pack. What was due before the event has fired.
func (l *Line) migrate(c *customer, e *pipeline.Event) {
	if !c.profile.Empty() {
		m := l.packs.migration(c.profile.PackEpoch)
		decisions := m.Leave(l.look(c), e.Time)
		for i := range decisions {
			l.decided(c, &decisions[i], l.cause(e))
		}
		m.Enter(&l.at, e.Time)
		l.cache.keep(c, &l.at)
	}
	c.profile.PackEpoch, c.profile.Probe = l.epoch, profile.Probe{} // the pending probe is of the older pack's question
}
