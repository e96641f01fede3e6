package worker_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

var seed = flag.Uint64("seed", 0, "replay this one of TestInterleavings, with its trail")

// interleavings is how many trials `go test` runs.
const interleavings = 2000

const (
	plainInputs  = 16
	inputs       = 24 // the others begin with history
	inputRecords = 45
)

// TestInterleavings runs two or three owners of one partition on the same log while requests and answers are lost or
// late, processes die, pause and wake, and the store is replaced by an older copy of itself; the seed decides all of
// it. The final state, and everything published in between, must be those of a sequential fold.
func TestInterleavings(t *testing.T) {
	all := manyInputs(t)
	if *seed != 0 {
		trail, err := interleave(t, all, *seed)
		for _, step := range trail {
			t.Log(step)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	n := count(t)
	began, steps := time.Now(), 0
	for s := uint64(1); s <= n; s++ {
		trail, err := interleave(t, all, s)
		if err != nil {
			t.Fatalf("seed %d: %v\nreplay: go test ./pipeline/worker -run TestInterleavings -seed=%d -v", s, err, s)
		}
		steps += len(trail)
		if n > interleavings && s%(n/20) == 0 {
			t.Logf("%d of %d interleavings, %.0f s", s, n, time.Since(began).Seconds())
		}
	}
	t.Logf("%d interleavings of %d steps in %.1f s", n, steps, time.Since(began).Seconds())
}

func count(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("EBB_TEST_INTERLEAVINGS")
	if text == "" {
		return interleavings
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		t.Fatalf("EBB_TEST_INTERLEAVINGS is %q, not a number from 1 on", text)
	}
	return n
}

func manyInputs(t *testing.T) (all []*input) {
	t.Helper()
	for s := range uint64(inputs) {
		all = append(all, newInput(t, s, inputRecords))
	}
	return all
}

// interleave runs one trial and returns its decisions.
func interleave(t *testing.T, all []*input, seed uint64) (trail []step, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		s := &schedule{trial: newTrial(all[seed%inputs], rand.New(rand.NewPCG(seed, 0xebb)))}
		err = s.run()
		trail = s.trail
	})
	return trail, err
}

// TestInterleavingsRepeat runs seeds twice: a failure is of no use unless its seed replays it.
func TestInterleavingsRepeat(t *testing.T) {
	all := manyInputs(t)
	for s := uint64(1); s <= 200; s++ {
		first, err := interleave(t, all, s)
		again, errAgain := interleave(t, all, s)
		for i := range min(len(first), len(again)) {
			if first[i].String() != again[i].String() {
				t.Fatalf("seed %d, step %d: %q, then %q", s, i, first[i], again[i])
			}
		}
		if len(first) != len(again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("seed %d: %d steps and %v, then %d and %v", s, len(first), err, len(again), errAgain)
		}
	}
}
