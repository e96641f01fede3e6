package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// moves are the changes of the group's committed offsets. An offset moves only in the transaction that publishes the
// alerts before it, so each move is a publication, seen within pollEvery.
type moves struct {
	mu sync.Mutex
	by map[int32][]move
}

// move is an offset and when it was first seen.
type move struct {
	at     time.Time
	offset int64
}

const pollEvery = 10 * time.Millisecond

func newMoves() *moves { return &moves{by: map[int32][]move{}} }

// watch polls until ctx ends. It ignores a poll that fails: where a missing poll matters, a wait for it times out.
func (m *moves) watch(ctx context.Context, admin *kadm.Client, group string) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		found, err := admin.FetchOffsets(ctx, group)
		if err != nil {
			continue
		}
		at := time.Now()
		for n, o := range found[input] {
			if o.Err == nil {
				m.note(n, move{at, o.At})
			}
		}
	}
}

func (m *moves) note(partition int32, seen move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if all := m.by[partition]; len(all) == 0 || seen.offset > all[len(all)-1].offset {
		m.by[partition] = append(all, seen)
	}
}

// forget drops all moves but the latest of each partition.
func (m *moves) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, all := range m.by {
		m.by[n] = append([]move(nil), all[len(all)-1])
	}
}

func (m *moves) latest() map[int32]move {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[int32]move, len(m.by))
	for n, all := range m.by {
		out[n] = all[len(all)-1]
	}
	return out
}

// past is when the partition's offset was first seen beyond one.
func (m *moves) past(partition int32, offset int64) (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, seen := range m.by[partition] {
		if seen.offset > offset {
			return seen.at, true
		}
	}
	return time.Time{}, false
}

// pause is the longest time between two moves of the partition.
func (m *moves) pause(partition int32) (longest time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.by[partition]
	for i := 1; i < len(all); i++ {
		longest = max(longest, all[i].at.Sub(all[i-1].at))
	}
	return longest
}
