package line

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// typesKept is how many event types a summary keeps. Every type that makes up more than one in so many events is among
// them.
const typesKept = 64

// Types counts event types by name in bounded memory, however many there are: the space-saving summary. A type without
// a free place takes that of the rarest and inherits its count. So a count may be too high, by a known amount, and is
// never too low. It allocates nothing once the names' buffers have grown. BenchmarkTypes.
type Types struct {
	entries []typeEntry // the most frequent first
}

type typeEntry struct {
	hash  uint64
	name  []byte
	count uint64
	over  uint64 // how many of count may be of others
}

// TypeCount is how often an event type came: at most Events, at least Events - Over.
type TypeCount struct {
	Type   string `json:"type"`
	Events uint64 `json:"events"`
	Over   uint64 `json:"over,omitempty"`
}

// Top is the most frequent types, n at most.
func (s *Types) Top(n int) []TypeCount {
	out := make([]TypeCount, 0, min(n, len(s.entries)))
	for _, e := range s.entries[:min(n, len(s.entries))] {
		out = append(out, TypeCount{Type: string(e.name), Events: e.count, Over: e.over})
	}
	return out
}

// Add merges o into s, as if s had observed o's events.
func (s *Types) Add(o *Types) {
	if missed := o.floor(); missed > 0 { // a type missing from o may have come so often
		for i := range s.entries {
			if e := &s.entries[i]; o.find(e.hash, e.name) < 0 {
				e.count, e.over = e.count+missed, e.over+missed
			}
		}
		slices.SortStableFunc(s.entries, func(a, b typeEntry) int { return cmp.Compare(b.count, a.count) })
	}
	for i := range o.entries {
		e := &o.entries[i]
		s.put(e.hash, e.name, e.count, e.over)
	}
}

// Observe counts one event.
func (s *Types) Observe(name []byte) { s.put(xxhash.Sum64(name), name, 1, 0) }

func (s *Types) reset() { s.entries = s.entries[:0] }

// floor is how often at most a type that is not in s can have come.
func (s *Types) floor() uint64 {
	if len(s.entries) < typesKept {
		return 0
	}
	return s.entries[typesKept-1].count
}

func (s *Types) find(hash uint64, name []byte) int {
	for i := range s.entries {
		if e := &s.entries[i]; e.hash == hash && bytes.Equal(e.name, name) {
			return i
		}
	}
	return -1
}

// put counts n events of a type, of which over may be of others.
func (s *Types) put(hash uint64, name []byte, n, over uint64) {
	i := s.find(hash, name)
	if i < 0 {
		i = s.room()
		e := &s.entries[i]
		e.hash, e.name, e.over = hash, append(e.name[:0], name...), e.count
	}
	e := &s.entries[i]
	e.count, e.over = e.count+n, e.over+over
	s.rise(i)
}

// room is a place for another type: a free one, or the rarest's, which keeps its count.
func (s *Types) room() int {
	n := len(s.entries)
	if n == typesKept {
		return n - 1
	}
	if n == cap(s.entries) {
		s.entries = slices.Grow(s.entries, typesKept-n)
	}
	s.entries = s.entries[:n+1]
	s.entries[n].count = 0
	return n
}

// rise moves an entry whose count has grown to its place.
func (s *Types) rise(i int) {
	e := s.entries[i]
	j, _ := slices.BinarySearchFunc(s.entries[:i], e.count, func(a typeEntry, count uint64) int {
		if a.count >= count {
			return -1
		}
		return 1
	})
	if j < i {
		copy(s.entries[j+1:i+1], s.entries[j:i])
		s.entries[j] = e
	}
}
