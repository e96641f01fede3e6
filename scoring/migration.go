package scoring

import (
	"ebb/scoring/moment"
	"ebb/scoring/profile"
)

// Migration moves customers from one pack to another. NewMigration makes one; it belongs to one goroutine, like the
// scorers of both packs.
//
// The core of a profile, the ids and the open alerts stay as they are. The state of features keeps what both packs
// count alike: the same events, in the same tiles, and as far back where a trend looks. All other features begin
// without data. Facts stay that the new pack carries under the same name. Open episodes stay open, under the
// corresponding opening of the new pack. Episodes of a kind that the new pack does not have end.
type Migration struct {
	from, to *Scorer
	cells    []int                     // of the new pack: the index of the old pack's equal cell, -1: none
	openings [profile.NumKinds][]uint8 // by the old pack's opening: the new one's
	state    []byte                    // being built
}

// NewMigration prepares the migration from one pack to another.
func NewMigration(from, to *Scorer) *Migration {
	m := &Migration{from: from, to: to}
	m.cells = to.Pack.Model.Features.Inherit(to.Pack.CellNames(), from.Pack.Model.Features, from.Pack.CellNames())
	for n := profile.Explicit; n < profile.NumKinds; n++ {
		for i := range from.Pack.Kinds[n].Opens {
			if len(to.Pack.Kinds[n].Opens) > 0 {
				m.openings[n] = append(m.openings[n], to.Pack.Kinds[n].StandsFor(&from.Pack.Kinds[n].Opens[i]))
			}
		}
	}
	return m
}

// Leave ends, under the old pack, the episodes of kinds that the new one does not have, by an event at an instant (ms
// since the epoch). It is called before Enter. The decisions are valid until the next call of the old pack's scorer.
func (m *Migration) Leave(c *profile.Customer, at int64) []Decision {
	m.from.decisions = m.from.decisions[:0]
	for n := range c.Touched.All {
		if c.EpisodeOf(n).Open() && len(m.to.Pack.Kinds[n].Opens) == 0 {
			m.from.endAsExpired(c, n, max(at, c.At))
		}
	}
	return m.from.decisions
}

// Enter makes c a customer of the new pack from an event at an instant (ms since the epoch) on, which is not folded
// yet. The next deadline is then, and shows whether the new pack decides anything at once. The memory of c's features
// belongs to the migration until the next call.
func (m *Migration) Enter(c *profile.Customer, at int64) {
	for n := range c.Touched.All {
		m.enterKind(n, c.EpisodeOf(n))
		c.Touch(n)
	}
	// whoever could be alerted about still can
	c.Eligible = m.to.Pack.Eligible.By != 0 && m.from.Pack.Alerts(c.Profile)
	m.state = m.to.Pack.Model.Features.AppendCarried(m.state[:0], c.Features, m.cells)
	c.Features = m.state
	c.Facts = c.Facts.Keep(m.to.Pack.Carries)
	if !m.to.Pack.Model.Features.HoldsMoney(c.Features) {
		c.Money = profile.Money{} // of other events than the new pack's
	}
	c.Armed = moment.CeilMinute(max(at, c.At))
}

// enterKind moves h, of kind n, to the new pack's openings: what is open to the corresponding ones, what has ended to
// those of the same code.
func (m *Migration) enterKind(n profile.Kind, h *profile.Triggered) {
	was := *h
	h.Openings, h.Times = 0, [profile.MaxOpenings]int64{}
	from, to := m.from.Pack.Kinds[n].Opens, m.to.Pack.Kinds[n].Opens
	for i, j := range m.openings[n] {
		if was.Openings>>i&1 != 0 {
			h.Openings |= 1 << j
			h.Times[j] = max(h.Times[j], was.Times[i])
		}
	}
	for i, j := range m.openings[n] {
		if h.Openings>>j&1 == 0 && from[i].Code == to[j].Code {
			h.Times[j] = max(h.Times[j], was.Times[i])
		}
	}
}
