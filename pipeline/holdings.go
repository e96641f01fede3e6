package pipeline

import (
	"encoding/binary"
	"fmt"
	"slices"

	"ebb/scoring/encode"
)

// Holdings is how much a store holds of a partition. The state counts along, so that what somebody else removed, or
// Redis evicted, is missed before an alert is decided without it.
type Holdings struct {
	Profiles int64
	Outbox   int64 // entries
	Held     int64 // raises; see Held
}

// Lacks returns the hard stop of a store that does not hold what the state counts; nil where it does. missing are due
// buckets of m that the store does not have.
func (id Identity) Lacks(m *Meta, found Holdings, missing []int64) error {
	if found == m.Holds && len(missing) == 0 {
		return nil
	}
	detail := fmt.Sprintf(
		"the state counts %d profiles, %d outbox entries and %d held raises, Redis holds %d, %d and %d",
		m.Holds.Profiles, m.Holds.Outbox, m.Holds.Held, found.Profiles, found.Outbox, found.Held,
	)
	if len(missing) > 0 {
		detail += fmt.Sprintf("; %d of %d due buckets are missing", len(missing), m.Buckets.Count())
	}
	return id.Stop(
		"state_incomplete",
		detail,
		"something removed keys of this group, or Redis evicted them: have it keep all "+
			"(maxmemory-policy noeviction), then restore a backup of Redis, any age will do, or run: ebb rebuild --from earliest",
	)
}

// Buckets is a set of due buckets: those that hold a deadline. They lie side by side, so it keeps runs of them.
type Buckets []BucketRun

// BucketRun is the buckets from From to To, both included.
type BucketRun struct{ From, To int64 }

// Has reports whether b is in the set.
func (s *Buckets) Has(b int64) bool {
	i, _ := s.find(b)
	return i < len(*s) && (*s)[i].From <= b
}

// Count is how many buckets there are.
func (s *Buckets) Count() (n int64) {
	for _, r := range *s {
		n += r.To - r.From + 1
	}
	return n
}

// All are the buckets in their order.
func (s *Buckets) All() (all []int64) {
	for _, r := range *s {
		for b := r.From; b <= r.To; b++ {
			all = append(all, b)
		}
	}
	return all
}

// Add puts b into the set, and reports whether it was not there.
func (s *Buckets) Add(b int64) bool {
	if s.Has(b) {
		return false
	}
	i, _ := s.find(b)
	before, after := i > 0 && (*s)[i-1].To == b-1, i < len(*s) && (*s)[i].From == b+1
	switch {
	case before && after:
		(*s)[i-1].To = (*s)[i].To
		*s = slices.Delete(*s, i, i+1)
	case before:
		(*s)[i-1].To = b
	case after:
		(*s)[i].From = b
	default:
		*s = slices.Insert(*s, i, BucketRun{b, b})
	}
	return true
}

// Remove takes b out of the set.
func (s *Buckets) Remove(b int64) {
	if !s.Has(b) {
		return
	}
	i, _ := s.find(b)
	r := (*s)[i]
	var rest []BucketRun
	if r.From < b {
		rest = append(rest, BucketRun{r.From, b - 1})
	}
	if b < r.To {
		rest = append(rest, BucketRun{b + 1, r.To})
	}
	*s = slices.Replace(*s, i, i+1, rest...)
}

// find is the place of the first run that does not end before b.
func (s *Buckets) find(b int64) (int, bool) {
	return slices.BinarySearchFunc(*s, b, func(r BucketRun, b int64) int {
		if r.To < b {
			return -1
		}
		return 1
	})
}

func appendHoldings(dst []byte, m *Meta) []byte {
	if m.Holds == (Holdings{}) && len(m.Buckets) == 0 {
		return dst
	}
	for _, n := range [...]int64{m.Holds.Profiles, m.Holds.Outbox, m.Holds.Held} {
		dst = binary.AppendVarint(dst, n)
	}
	last := int64(0)
	for _, r := range m.Buckets {
		dst = binary.AppendUvarint(binary.AppendVarint(dst, r.From-last), uint64(r.To-r.From))
		last = r.To
	}
	return dst
}

func readHoldings(r *encode.Reader, m *Meta) {
	m.Holds = Holdings{Profiles: r.Varint(), Outbox: r.Varint(), Held: r.Varint()}
	last := int64(0)
	for first := true; r.More(); first = false {
		from := last + r.Varint()
		to := from + int64(r.Uvarint())
		if !first && from <= last+1 || to < from {
			r.Damage()
			return
		}
		m.Buckets = append(m.Buckets, BucketRun{from, to})
		last = to
	}
}
