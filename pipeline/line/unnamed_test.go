package line

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// checkTypes compares a summary with the true counts.
func checkTypes(s *Types, truth map[string]uint64) error {
	if len(s.entries) > typesKept {
		return fmt.Errorf("%d types kept", len(s.entries))
	}
	last, seen := uint64(math.MaxUint64), map[string]bool{}
	for _, c := range s.Top(math.MaxInt) {
		n := truth[c.Type]
		if n > c.Events || n+c.Over < c.Events {
			return fmt.Errorf("%s came %d times, counted %d, at most %d too many", c.Type, n, c.Events, c.Over)
		}
		if c.Events > last || seen[c.Type] {
			return fmt.Errorf("%s is out of order or there twice", c.Type)
		}
		last, seen[c.Type] = c.Events, true
	}
	for name, n := range truth {
		if !seen[name] && n > s.floor() {
			return fmt.Errorf("%s came %d times and is not there, though others are with %d", name, n, s.floor())
		}
	}
	return nil
}

// TestTypes compares summaries, and what they are merged into, with counts of everything.
func TestTypes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var all Types
		truth := map[string]uint64{}
		for range rapid.IntRange(1, 6).Draw(r, "batches") {
			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3))
			var batch Types
			of := map[string]uint64{}
			most := rapid.SampledFrom([]int{1, 30, typesKept, 100, 5_000}).Draw(r, "types")
			for range rapid.IntRange(0, 3_000).Draw(r, "events") {
				name := fmt.Sprint("type ", min(int(rng.ExpFloat64()*float64(most)/4), most))
				batch.Observe([]byte(name))
				of[name]++
				truth[name]++
			}
			if err := checkTypes(&batch, of); err != nil {
				r.Fatal("in a batch: ", err)
			}
			all.Add(&batch)
			if err := checkTypes(&all, truth); err != nil {
				r.Fatal("merged: ", err)
			}
		}
	})
}

func TestTypesAreExactWhileThereIsRoom(t *testing.T) {
	var s Types
	for i := range typesKept {
		for range i + 1 {
			s.Observe(fmt.Appendf(nil, "type %d", i))
		}
	}
	want := []TypeCount{{Type: "type 63", Events: 64}, {Type: "type 62", Events: 63}}
	if got := s.Top(2); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	s.reset()
	if s.Observe([]byte("x")); !slices.Equal(s.Top(9), []TypeCount{{Type: "x", Events: 1}}) {
		t.Errorf("after a reset: %+v", s.Top(9))
	}
}

// BenchmarkTypes counts an event of a frequent type, and of types that are all different.
func BenchmarkTypes(b *testing.B) {
	names := make([][]byte, 4096)
	for i := range names {
		names[i] = fmt.Appendf(nil, "Some Event %d", i)
	}
	for name, of := range map[string]int{"frequent": 8, "distinct": len(names)} {
		b.Run(name, func(b *testing.B) {
			var s Types
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				s.Observe(names[i%of])
				i++
			}
		})
	}
}
