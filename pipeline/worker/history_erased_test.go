package worker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ebb/pipeline"
	"ebb/pipeline/line"
)

// TestErasedHistory: whom a takeover knows to have been erased before the state's position, in whichever life of the group,
// and that what only tells is not applied again.
func TestErasedHistory(t *testing.T) {
	k := shopPack(t, "1")
	first := pipeline.Control{
		Offset: 20,
		Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: pipeline.RefOf(k), First: true},
	}
	erased := func(offset int64, who pipeline.ErasedHash) pipeline.Control {
		return pipeline.Control{Offset: offset, Change: pipeline.Change{
			Kind: pipeline.ControlErased, Erased: pipeline.Erased{Customer: who, Until: time.UnixMilli(offset * 1000)},
		}}
	}
	all := []pipeline.Control{erased(10, 1), first, erased(40, 2), erased(60, 3)}
	for next, want := range map[int64][]pipeline.Erasure{
		0:  nil,
		41: {{Hash: 1, Until: 10_000}, {Hash: 2, Until: 40_000}},
		90: {{Hash: 1, Until: 10_000}, {Hash: 2, Until: 40_000}, {Hash: 3, Until: 60_000}},
	} {
		w := New(Config{
			Line: line.Config{Identity: pipeline.Identity{Group: "g", Input: "i"}}, Pack: k,
			Ledger: &written{all, []pipeline.PackBytes{{Hash: k.Hash, Canonical: k.Canonical()}}},
		})
		h, err := w.history(t.Context(), &pipeline.Standing{
			Meta: pipeline.Meta{Next: next}, Mark: pipeline.Mark{Offset: 100, Pack: k.Hash},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range h.Ahead {
			if h.Ahead[i].Kind == pipeline.ControlErased {
				t.Errorf("from %d: %+v is to be applied", next, h.Ahead[i])
			}
		}
		if diff := cmp.Diff(want, h.Erased); diff != "" {
			t.Errorf("from %d: %s", next, diff)
		}
	}
}
