package line

import (
	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/pack"
)

// A partition may hold customers of several packs: a new one applies to a customer from its next event on, and until
// then its deadlines follow from the pack under which it was last folded (ADR 16). Packs are numbered in the order in
// which they began, and a profile holds the number of its own.

// maxPackEpochs is how many packs a partition can have had: a profile has a byte for it.
const maxPackEpochs = 256

// History is what a takeover has read of the partition's changes other than by records.
type History struct {
	Packs    []*pack.Pack             // in the order in which they began
	Refs     []pipeline.PackRef       // parallel to Packs; empty while the first is not announced
	Unsaved  []pipeline.PackBytes     // packs that the store does not hold yet
	Settings pipeline.Settings        // in force, where the state does not hold them: it was emptied
	First    pipeline.FirstStart      // the same
	Storms   int64                    // the same: number of the latest storm
	Silences pipeline.Silences        // the same
	Lanes    pipeline.Lanes           // the same
	Held     map[string]pipeline.Held // see ReadHeld
	Erased   []pipeline.Erasure       // customers who were erased before the state's position, by the control records
	Ahead    []Change                 // of a replay: what is still to come, in order of its offsets
}

// packEpochs are the packs of a partition, numbered in the order in which they began.
type packEpochs struct {
	scorers []*scoring.Scorer    // by number, the newest last
	into    []*scoring.Migration // to the newest, by number; nil: not made yet
	unsaved []pipeline.PackBytes // that the store does not hold yet
}

func newPackEpochs(h *History) *packEpochs {
	g := &packEpochs{unsaved: h.Unsaved}
	for _, k := range h.Packs {
		g.add(k)
	}
	return g
}

// add makes k the newest pack.
func (g *packEpochs) add(k *pack.Pack) {
	s := scoring.NewScorer(k)
	if len(g.scorers) > 0 {
		s.After(g.newest())
	}
	g.scorers = append(g.scorers, s)
	g.into = make([]*scoring.Migration, len(g.scorers))
}

func (g *packEpochs) newest() *scoring.Scorer { return g.scorers[len(g.scorers)-1] }

// migration is the migration from the pack of that number to the newest.
func (g *packEpochs) migration(from uint8) *scoring.Migration {
	if g.into[from] == nil {
		g.into[from] = scoring.NewMigration(g.scorers[from], g.newest())
	}
	return g.into[from]
}
