package worker

import (
	"errors"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/line"
)

// TestStormHistory: which storms a takeover has applied again: those that the state does not hold, also at its own
// offset; a missing one stops it, for what it held would be taken for published.
func TestStormHistory(t *testing.T) {
	k := shopPack(t, "1")
	first := pipeline.Control{Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: pipeline.RefOf(k), First: true}}
	storm := func(offset, number int64) pipeline.Control {
		return pipeline.Control{
			Offset: offset, Change: pipeline.Change{Kind: pipeline.ControlStorm, Storm: pipeline.Storm{Number: number}},
		}
	}
	all := []pipeline.Control{first, storm(40, 1), storm(90, 2), storm(90, 3)}
	for name, c := range map[string]struct {
		controls []pipeline.Control
		next     int64
		storms   int64 // that the state holds
		emptied  bool
		ahead    int
		code     string
	}{
		"rolled back over sweeps":      {all, 90, 2, false, 1, ""},
		"rolled back over records":     {all, 50, 1, false, 2, ""},
		"to the place of one":          {all, 40, 0, false, 3, ""},
		"behind that":                  {all, 40, 1, false, 2, ""},
		"emptied":                      {all, 0, 0, true, 3, ""},
		"emptied, to begin in between": {all, 50, 0, true, 2, ""},
		"the last is missing":          {all[:3], 50, 1, false, 0, "control_lost"},
		"emptied, the last is missing": {all[:3], 0, 0, true, 0, "control_lost"},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(Config{
				Line: line.Config{Identity: pipeline.Identity{Group: "g", Input: "i"}}, Pack: k,
				Ledger: &written{c.controls, []pipeline.PackBytes{{Hash: k.Hash, Canonical: k.Canonical()}}},
			})
			s := &pipeline.Standing{
				Meta: pipeline.Meta{Next: c.next, Storms: pipeline.Storms{Number: c.storms}},
				Mark: pipeline.Mark{Offset: 90, Fired: pipeline.Due{Minute: 9}, Storms: 3, Pack: k.Hash},
			}
			if !c.emptied {
				s.Meta.Packs = []pipeline.PackRef{pipeline.RefOf(k)}
			}
			h, err := w.history(t.Context(), s)
			if stop, ok := errors.AsType[*pipeline.HardStop](err); ok && stop.Code == c.code {
				return
			}
			if err != nil || c.code != "" || len(h.Ahead) != c.ahead || h.Storms != 3-int64(c.ahead) {
				t.Fatalf("%v, %+v; want %d ahead, code %q", err, h, c.ahead, c.code)
			}
		})
	}
}
