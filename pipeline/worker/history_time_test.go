package worker

import (
	"errors"
	"math"
	"testing"

	"ebb/pipeline"
	"ebb/pipeline/line"
)

// TestTimeHistory: which time records a takeover has applied again. Those at the published offset are, whether the state was
// rolled back over records or over sweeps alone; missing ones stop it.
func TestTimeHistory(t *testing.T) {
	k := shopPack(t, "1")
	due := func(minute int64) pipeline.Due { return pipeline.Due{Minute: minute, Hash: math.MaxUint64} }
	first := pipeline.Control{Change: pipeline.Change{Kind: pipeline.ControlPack, Pack: pipeline.RefOf(k), First: true}}
	timeAt := func(offset, minute int64) pipeline.Control {
		return pipeline.Control{Offset: offset, Change: pipeline.Change{Kind: pipeline.ControlTime, Minute: minute}}
	}
	all := []pipeline.Control{first, timeAt(40, 100), timeAt(90, 200), timeAt(90, 300)}
	for name, c := range map[string]struct {
		controls []pipeline.Control
		next     int64
		fired    int64 // and time has passed so far
		emptied  bool
		ahead    int
		code     string
	}{
		"in order":                       {all, 90, 300, false, 0, ""},
		"rolled back over sweeps":        {all, 90, 200, false, 1, ""}, // it holds the first of them
		"rolled back over records":       {all, 50, 100, false, 2, ""},
		"rolled back over all":           {all, 30, 0, false, 3, ""},
		"emptied":                        {all, 0, 0, true, 3, ""},
		"the last is missing":            {all[:3], 50, 100, false, 0, "control_lost"},
		"the last is missing, by sweeps": {all[:3], 90, 200, false, 0, "control_lost"},
		"emptied, one is missing":        {all[:3], 0, 0, true, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(Config{
				Line: line.Config{Identity: pipeline.Identity{Group: "g", Input: "i"}}, Pack: k,
				Ledger: &written{c.controls, []pipeline.PackBytes{{Hash: k.Hash, Canonical: k.Canonical()}}},
			})
			s := &pipeline.Standing{
				Meta: pipeline.Meta{
					Next: c.next, Clock: pipeline.Clock{Fired: due(c.fired)}, Passed: pipeline.Passed{Minute: c.fired},
				},
				Mark: pipeline.Mark{Offset: 90, Fired: due(300), Passed: 300, Pack: k.Hash},
			}
			if !c.emptied {
				s.Meta.Packs = []pipeline.PackRef{pipeline.RefOf(k)}
			}
			h, err := w.history(t.Context(), s)
			if stop, ok := errors.AsType[*pipeline.HardStop](err); ok && stop.Code == c.code {
				return
			}
			if err != nil || c.code != "" || len(h.Ahead) != c.ahead {
				t.Fatalf("%v, %+v; want %d ahead, code %q", err, h, c.ahead, c.code)
			}
		})
	}
}
