package line

import (
	"slices"

	"ebb/pipeline"
	"ebb/scoring"
)

// A partition may hold customers of several packs: a new one applies to a customer from its next event on, and until then its
// deadlines follow from the pack under which it was last folded (ADR 16). They are numbered in the order in which
// they began, and a profile says which is its own.

// maxPackEpochs is how many packs a partition can have had: a profile has a byte for it.
const maxPackEpochs = 256

// PackHistory is what a takeover has found of the packs of a partition.
type PackHistory struct {
	Packs   []*scoring.Pack      // in the order in which they began
	Refs    []pipeline.PackRef   // parallel to Packs; empty while the first is not announced
	Ahead   []Activation         // of a replay: those still to come, in order
	Unsaved []pipeline.PackBytes // that the store does not hold yet
}

// Activation is a pack that begins at an offset.
type Activation struct {
	Offset int64 // of the first record that it applies to
	Pack   *scoring.Pack
}

// packEpochs are the packs of a partition, numbered in the order in which they began.
type packEpochs struct {
	refs    []pipeline.PackRef   // by number; empty while the first is not announced
	scorers []*scoring.Scorer    // by number, the newest last
	into    []*scoring.Migration // to the newest, by number; nil: not needed yet
	ahead   []Activation         // of a replay: those still to come, in order
	unsaved []pipeline.PackBytes // that the store does not hold yet
}

func newPackEpochs(h *PackHistory) *packEpochs {
	g := &packEpochs{refs: slices.Clip(h.Refs), ahead: h.Ahead, unsaved: h.Unsaved}
	for _, k := range h.Packs {
		g.add(k)
	}
	return g
}

// add makes k the newest.
func (g *packEpochs) add(k *scoring.Pack) {
	g.scorers = append(g.scorers, k.NewScorer())
	g.into = make([]*scoring.Migration, len(g.scorers))
}

func (g *packEpochs) newest() *scoring.Scorer { return g.scorers[len(g.scorers)-1] }

// migration leads from the pack of that number to the newest.
func (g *packEpochs) migration(from uint8) *scoring.Migration {
	if g.into[from] == nil {
		g.into[from] = scoring.NewMigration(g.scorers[from], g.newest())
	}
	return g.into[from]
}

// edges are the offsets over which no batch may reach.
func (g *packEpochs) edges(mark int64) []int64 {
	edges := []int64{mark}
	for _, a := range g.ahead {
		edges = append(edges, a.Offset)
	}
	slices.Sort(edges)
	return edges
}
