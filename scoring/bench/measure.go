package main

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// cost is what one step takes.
type cost struct {
	name   string
	ns     float64 // at the median
	ratio  float64 // to a turn of the fixed loop, at the median
	allocs uint64
}

// slice is for how long a step is timed in one round, in ns. It is short, so that the fixed loop in front of it sees
// the same machine: the same clock rate, the same neighbours.
const slice = 2e6

// measure times every step in each round, each right behind the fixed loop.
func measure(all []step, rounds int) ([]cost, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := meter{}
	costs := make([]cost, len(all))
	ns, ratios := make([][]float64, len(all)), make([][]float64, len(all))
	yard := yardstick()
	turns := m.enough(yard)
	times := make([]int, len(all))
	for i := range all {
		times[i] = m.enough(all[i].do)
		costs[i] = cost{name: all[i].name, allocs: allocations(all[i].do)}
	}
	for range rounds {
		for i := range all {
			turn, took := m.time(yard, turns), m.time(all[i].do, times[i])
			ns[i] = append(ns[i], took)
			ratios[i] = append(ratios[i], took/turn)
		}
	}
	for i := range costs {
		costs[i].ns, costs[i].ratio = median(ns[i]), median(ratios[i])
	}
	return costs, m.err
}

// meter tells how long something takes, in CPU time of this thread: what others do meanwhile does not count.
type meter struct{ err error }

func (m *meter) now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		m.err = fmt.Errorf("read CPU time: %w", err)
	}
	return t.Nano()
}

// time is the ns that one of n times takes.
func (m *meter) time(do func(), n int) float64 {
	began := m.now()
	for range n {
		do()
	}
	return float64(m.now()-began) / float64(n)
}

// enough is how many times fill a slice; each step comes by all customers equally often.
func (m *meter) enough(do func()) int {
	n := customers
	for m.time(do, n)*float64(n) < slice && m.err == nil {
		n += n
	}
	return n
}

// allocations are those of one time, once everything has grown to its size.
func allocations(do func()) uint64 {
	const times = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		do()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / times
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
