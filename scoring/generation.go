package scoring

import (
	"encoding/json"
	"slices"
)

// Migration carries customers over from one pack to another. Make one with NewMigration; it belongs to one goroutine,
// like the scorers of both.
//
// The core of a profile, the ids and what the customer was told stay as they are. Of the features' state stays what
// both packs keep alike: of the same events, in the same tiles, and as far back where a trend looks. All else begins
// as no data. Open episodes stay open, under the opening of the new pack that stands for theirs; one of a kind that
// the new pack does not have ends.
type Migration struct {
	from, to *Scorer
	cells    []int             // of the new pack: the index of the old one's cell that keeps the same, -1: none
	openings [NumKinds][]uint8 // by the old pack's opening: the new one's
	state    []byte            // being built
}

// NewMigration prepares the way from one pack to another.
func NewMigration(from, to *Scorer) *Migration {
	m := &Migration{from: from, to: to}
	m.cells = to.Pack.Model.Features.inherited(to.Pack.cellNames(), from.Pack.Model.Features, from.Pack.cellNames())
	for n := Explicit; n < NumKinds; n++ {
		for i := range from.Pack.Kinds[n].Opens {
			if len(to.Pack.Kinds[n].Opens) > 0 {
				m.openings[n] = append(m.openings[n], to.Pack.Kinds[n].standsFor(&from.Pack.Kinds[n].Opens[i]))
			}
		}
	}
	return m
}

// inherited are f's cells as indexes of the cells of old that keep the same, -1: none does. Names say what the cells
// of each keep; those that keep the same have the same.
func (f *Features) inherited(names []string, old *Features, oldNames []string) []int {
	places := map[string]int{}
	for i, name := range oldNames {
		places[name] = i
	}
	from := make([]int, len(f.cells))
	for i := range f.cells {
		c := &f.cells[i]
		at, same := places[names[i]]
		if !same || c.span > old.cells[at].span && f.compares(c) {
			at = -1
		}
		from[i] = at
	}
	return from
}

// compares reports whether a trend reads the cell. What lies farther back than the cell was kept would count as
// nothing, and the present as a rise.
func (f *Features) compares(c *cell) bool {
	return slices.ContainsFunc(c.readers, func(i int) bool { return f.list[i].kind == FeatureTrend })
}

// cellNames are names for what the cells of the features' state keep: cells of two packs that keep the same have the
// same.
func (k *Pack) cellNames() []string {
	keys := k.Model.Features.keys()
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = k.cellName(&keys[i])
	}
	return names
}

func (k *Pack) cellName(c *cellKey) string {
	signal := func(i int) (s signalFile) {
		if i >= 0 {
			s = k.declared.Signals[k.signalNames[i]]
			s.Types = slices.Sorted(slices.Values(s.Types))
		}
		return s
	}
	said := struct {
		Kind     cellKind   `json:"kind"`
		Unit     tileUnit   `json:"unit"`
		Of       signalFile `json:"of"`
		To       signalFile `json:"to"`
		Property string     `json:"property"`
	}{Kind: c.kind, Unit: c.unit, Of: signal(c.of), To: signal(c.to)}
	if c.property >= 0 {
		said.Property = k.properties[c.property]
	}
	b, err := json.Marshal(said)
	if err != nil {
		panic("BUG: a checked signal: " + err.Error())
	}
	return string(b)
}

// standsFor is the opening for an episode that was opened under another pack: that of the same code, else the highest
// whose floor is not above, else the lowest.
func (r *KindRule) standsFor(o *Opening) uint8 {
	if i := slices.IndexFunc(r.Opens, func(n Opening) bool { return n.Code == o.Code }); i >= 0 {
		return uint8(i)
	}
	best := 0
	for i := range r.Opens { // they rise
		if r.Opens[i].Floor <= o.Floor {
			best = i
		}
	}
	return uint8(best)
}

// Leave ends, under the old pack, the episodes of kinds that the new one does not have, by an event at an instant (ms
// since the epoch). Call it before Enter. The decisions are valid until the old pack's scorer is asked again.
func (m *Migration) Leave(c *Customer, at int64) []Decision {
	m.from.decisions = m.from.decisions[:0]
	for n := range c.Touched.all {
		if c.EpisodeOf(n).Open() && len(m.to.Pack.Kinds[n].Opens) == 0 {
			m.from.endAsExpired(c, n, max(at, c.At))
		}
	}
	return m.from.decisions
}

// Enter makes c a customer of the new pack from an event at an instant (ms since the epoch) on, which is not yet
// folded. Whether the new pack has something to say at once is looked at with its next deadline, which is then. The
// memory of c's features is the migration's until the next call.
func (m *Migration) Enter(c *Customer, at int64) {
	for n := range c.Touched.all {
		m.enterKind(n, c.EpisodeOf(n))
		c.touch(n)
	}
	m.state = m.to.Pack.Model.Features.carry(m.state[:0], c.Features, m.cells)
	c.Features = m.state
	c.Armed = ceilMinute(max(at, c.At))
}

// enterKind puts h, of kind n, under the new pack's openings: what is open under those that stand for it, what has
// ended under those of the same code.
func (m *Migration) enterKind(n Kind, h *Triggered) {
	was := *h
	h.Openings, h.Times = 0, [maxOpenings]int64{}
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

// carry appends the cells of another pack's state that f keeps too; from is, by f's cells, their index there or -1. f
// may look less far back, and then keeps less; where it looks farther back, it sees what was kept.
func (f *Features) carry(dst, state []byte, from []int) []byte {
	for i, old := range from {
		kept := cellOf(state, old)
		if len(kept) == 0 {
			continue
		}
		dst = append(dst, byte(i), 0)
		begin := len(dst)
		dst = measured(append(dst, f.cells[i].reach(kept)...), begin)
	}
	return dst
}

// cellOf is what the cell of that index keeps in a state; nil: nothing.
func cellOf(state []byte, index int) []byte {
	for at := 0; at < len(state); {
		i := int(state[at])
		kept, end := payload(state, at)
		if i == index {
			return kept
		}
		at = end
	}
	return nil
}

// reach is the part of what a cell keeps that lies no farther back than c looks: its entries come newest first.
func (c *cell) reach(b []byte) []byte {
	switch c.kind {
	case cellCounts, cellSums:
		var t tiles
		t.open(c, b, false)
		end := t.at
		for t.next(); t.tile > t.head-c.span; t.next() {
			end = t.at
		}
		return b[:end]
	case cellDistinct:
		p := openPalette(b)
		head, end := p.tile, 0
		for p.next() && p.tile > head-c.span {
			end = p.offset()
		}
		return b[:end]
	default:
		return b
	}
}
