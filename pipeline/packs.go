package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ebb/scoring"
)

// A partition may hold customers of several packs: a new one applies to a customer from its next event on, and until then its
// deadlines follow from the pack under which it was last folded (ADR 16). The packs of a partition are its generations, and a
// profile says which is its own.

// maxGenerations is how many packs a partition can have had: a profile has a byte for it.
const maxGenerations = 256

// PackRef names a pack.
type PackRef struct {
	Hash    string `json:"hash"` // of its canonical form
	Name    string `json:"name"`
	Version string `json:"version"`
}

// RefOf names k.
func RefOf(k *scoring.Pack) PackRef { return PackRef{Hash: k.Hash, Name: k.Name, Version: k.Version} }

// String is the pack as messages name it.
func (r PackRef) String() string { return fmt.Sprintf("%s %s (%.12s)", r.Name, r.Version, r.Hash) }

// PackBytes is a pack in its canonical form.
type PackBytes struct {
	Hash      string
	Canonical []byte
}

// Ledger is what was published about packs besides the alerts: where they began, and what they are. One partition's owner
// reads it at a takeover. Implementations: kafkasource's, and that of the crash table.
type Ledger interface {
	// Controls reads the control records of the partition, in the order of their publication: all that were committed when it
	// was called, after Log.Init. Errors: ErrUnavailable.
	Controls(ctx context.Context, id Identity) ([]Control, error)

	// Packs reads the canonical forms with these hashes, as far as they were ever published. Errors: ErrUnavailable.
	Packs(ctx context.Context, hashes []string) ([]PackBytes, error)
}

// CompareVersions orders versions of a pack: runs of digits by their number, all else byte by byte, and what goes on behind
// the end of the other is later. So 2 < 10, 1.9 < 1.10, 2 < 2.1, v1 < v2, and 2 < 2-rc1.
func CompareVersions(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if n < 0 {
		return len(s)
	}
	return n
}

// Accepts refuses a configured pack with which nobody can tell what the state is to become: one of another name, or one of the
// active pack's version with something else in it. An older one, and a newer, are fine: see line.turn.
func (id Identity) Accepts(active, configured PackRef) error {
	switch {
	case active.Hash == configured.Hash:
		return nil
	case active.Name != configured.Name:
		return id.stop("pack_changed", fmt.Sprintf("the state is scored with pack %s, the configured one is %s: another pack, not a newer one", active, configured),
			"put the old pack back; to score with another one from the start, use a new kafka.group")
	case CompareVersions(active.Version, configured.Version) == 0:
		return id.stop("pack_changed", fmt.Sprintf("the state is scored with pack %s, the configured one is %s: the same version, with something else in it or with other overrides", active, configured),
			"raise the version of the changed pack to activate it (of a shipped pack: ebb packs show NAME > FILE, and configure the file), or put the old one and its overrides back")
	}
	return nil
}

// generations are the packs of a partition.
type generations struct {
	refs    []PackRef            // by generation; empty while the first is not announced
	scorers []*scoring.Scorer    // by generation, the newest last
	renders []*scoring.Renderer  // by generation
	into    []*scoring.Migration // to the newest, by generation; nil: not needed yet
	ahead   []activation         // of a replay: those still to come, in order
	unsaved []PackBytes          // that the store does not hold yet
}

// activation is a pack that begins at an offset.
type activation struct {
	offset int64 // of the first record that it applies to
	pack   *scoring.Pack
}

func newGenerations(k *scoring.Pack) *generations {
	g := &generations{}
	g.add(k)
	return g
}

// add makes k the newest.
func (g *generations) add(k *scoring.Pack) {
	g.scorers, g.renders = append(g.scorers, scoring.NewScorer(k)), append(g.renders, scoring.NewRenderer(k))
	g.into = make([]*scoring.Migration, len(g.scorers))
}

func (g *generations) newest() *scoring.Scorer { return g.scorers[len(g.scorers)-1] }

// migration leads from a generation to the newest.
func (g *generations) migration(from uint8) *scoring.Migration {
	if g.into[from] == nil {
		g.into[from] = scoring.NewMigration(g.scorers[from], g.newest())
	}
	return g.into[from]
}

// renderers are those of the packs by generation, as of now.
func (g *generations) renderers() []*scoring.Renderer { return slices.Clone(g.renders) }

// edges are the offsets over which no batch may reach.
func (g *generations) edges(mark int64) []int64 {
	edges := []int64{mark}
	for _, a := range g.ahead {
		edges = append(edges, a.offset)
	}
	slices.Sort(edges)
	return edges
}
