package worker_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
)

// TestFirstStart: what history has raised is published once history is over, as initial alerts; TestInterleavings then
// compares every disturbed run with these.
func TestFirstStart(t *testing.T) {
	initial, gone := 0, 0
	for seed := uint64(plainInputs); seed < inputs; seed++ {
		in := newInput(t, seed, inputRecords)
		for key, values := range in.want.published {
			for _, v := range values {
				if strings.Contains(v, `"initial":true`) {
					initial++
				} else if strings.HasPrefix(key, "alerts/") && !strings.Contains(v, `"transition":"raised"`) {
					gone++
				}
			}
		}
		if f := in.want.state.First; f.Until != in.until || !f.Over || len(in.want.state.Held) > 0 {
			t.Errorf("seed %d: history up to %d is left at %+v, %d held", seed, in.until, f, len(in.want.state.Held))
		}
	}
	if initial < 5 || gone == 0 {
		t.Errorf("%d initial alerts, and %d others: the inputs show too little", initial, gone)
	}
}

// TestRebuildOfFirstStart: a state that is emptied is rebuilt with the history and the releases of then.
func TestRebuildOfFirstStart(t *testing.T) {
	in := newInput(t, plainInputs+3, 100)
	for _, end := range []int64{1, in.until, in.until + 1, in.end} {
		synctest.Test(t, func(t *testing.T) {
			s := &schedule{trial: newTrial(in, rand.New(rand.NewPCG(4, 6)))}
			defer s.finish()
			s.begin(20, end)
			s.untilEnded()
			s.store.Empty(0)
			if err := s.seedStore(0); err != nil {
				t.Fatal(err)
			}
			if err := s.conclude(); err != nil {
				t.Fatalf("rebuilt at %d: %v", end, err)
			}
		})
	}
}
