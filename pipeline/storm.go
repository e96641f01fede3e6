package pipeline

import (
	"encoding/binary"
	"slices"
	"time"

	"ebb/scoring/encode"
)

// In a storm far more lapses are raised in an hour of event time than usual. Rather a feed is broken than that so many
// customers leave at once, so those above a limit are held for a while (ADR 30).

// Rules by which a storm is told. They are among the settings that a replay decides by.
const (
	StormRules = 1
	// StormTestRules are the same with a floor of stormTestFloor, for tests with short logs: no configuration leads to them.
	StormTestRules = 101
)

// An hour is a storm from the raise on that would be one more than the larger of
//
//   - the floor, and
//   - stormFactor times the 99th percentile of the stormHours before it, in which hours without a raise count as 0.
const (
	stormFloor     = 50
	stormTestFloor = 3
	stormFactor    = 4
	stormHours     = 28 * 24
	stormRank      = stormHours/100 + 1 // the 99th percentile is the largest hour but six
)

// Storms are a partition's lapses that deadlines raise, by hour, and the hours that are storms.
type Storms struct {
	Number int64       // of the latest storm
	Hours  []LapseHour // those with a raise or a storm, in order
}

// LapseHour is an hour of event time.
type LapseHour struct {
	Hour   int64  // since the epoch
	Raised uint32 // lapses that were raised in it and not held for the storm
	Storm  bool   // further ones are held
}

// Hour is the entry of an hour, valid until the next call.
func (s *Storms) Hour(hour int64) *LapseHour {
	i, found := slices.BinarySearchFunc(s.Hours, hour, func(h LapseHour, hour int64) int { return int(h.Hour - hour) })
	if !found {
		s.Hours = slices.Insert(s.Hours, i, LapseHour{Hour: hour})
	}
	return &s.Hours[i]
}

// Usual is the 99th percentile of the raises in an hour, over four weeks before one.
func (s *Storms) Usual(hour int64) uint32 {
	var most [stormRank]uint32 // in order, the smallest first
	for i := range s.Hours {
		h := &s.Hours[i]
		if h.Hour < hour-stormHours || h.Hour >= hour || h.Raised <= most[0] {
			continue
		}
		most[0] = h.Raised
		slices.Sort(most[:])
	}
	return most[0]
}

// StormLimit is how many raises an hour may have, with so many as its usual.
func (s *Settings) StormLimit(usual uint32) int {
	floor := stormFloor
	if s.Storm == StormTestRules {
		floor = stormTestFloor
	}
	return max(floor, stormFactor*int(usual))
}

// Breaks reports whether an hour of s is a storm with one more raise, by the rules of settings.
func (s *Storms) Breaks(h *LapseHour, settings *Settings) bool {
	if int(h.Raised) < settings.StormLimit(0) {
		return false
	}
	return int(h.Raised) >= settings.StormLimit(s.Usual(h.Hour))
}

// Count notes a raise.
func (h *LapseHour) Count() { h.Raised = encode.Increment(h.Raised) }

// Review is the minute from which what is held of h may be released: all of it together.
func (h *LapseHour) Review(settings *Settings) int64 {
	return ((h.Hour+1)*HourMillis + settings.ReviewMillis + MinuteMillis - 1) / MinuteMillis
}

// Open makes an hour a storm, the one of a number. It is as it was if it is one already.
func (s *Storms) Open(hour, number int64) {
	s.Hour(hour).Storm = true
	s.Number = max(s.Number, number)
}

// Forget drops the hours that no limit follows from any more, while the watermark, in ms, is so far.
func (s *Storms) Forget(watermark int64) {
	first := FloorDiv(watermark, HourMillis) - stormHours
	n := 0
	for n < len(s.Hours) && s.Hours[n].Hour < first {
		n++
	}
	s.Hours = s.Hours[n:]
}

// Clone is a copy that later raises do not change.
func (s *Storms) Clone() Storms { return Storms{s.Number, slices.Clone(s.Hours)} }

// Storm is an hour that has become a storm, for operators and consumers; its fields are a contract. Which raise is the
// first to be held depends on how far sweeps have come, so a replay begins it at the same place: before the record at the
// control record's offset, once the deadlines up to Fired have fired, and no further one.
type Storm struct {
	Number int64     `json:"number"` // of the partition's storms, from 1
	Hour   time.Time `json:"hour"`   // its begin, in event time
	Raised int       `json:"raised"` // lapses that deadlines have raised in it so far
	Limit  int       `json:"limit"`  // how many it may have
	Usual  int       `json:"usual"`  // 99th percentile of the hours of the four weeks before
	Review time.Time `json:"review"` // event time from which those held are decided anew
	Fired  Due       `json:"fired"`
}

// Since is the hour of s, since the epoch.
func (s *Storm) Since() int64 { return FloorDiv(s.Hour.UnixMilli(), HourMillis) }

// StormAt is the storm that an hour becomes by one more raise.
func (s *Storms) StormAt(h *LapseHour, settings *Settings, review int64, fired Due) Storm {
	usual := s.Usual(h.Hour)
	return Storm{
		Number: s.Number + 1,
		Hour:   time.UnixMilli(h.Hour * HourMillis).UTC(),
		Raised: int(h.Raised),
		Limit:  settings.StormLimit(usual),
		Usual:  int(usual),
		Review: time.UnixMilli(review * MinuteMillis).UTC(),
		Fired:  fired,
	}
}

// appendStorms is a number, then for each hour the distance from the one before, and twice its raises, and one more where
// it is a storm: 2 to 4 bytes for each.
func appendStorms(dst []byte, m *Meta) []byte {
	s := &m.Storms
	if s.Number == 0 && len(s.Hours) == 0 {
		return dst
	}
	dst = binary.AppendVarint(dst, s.Number)
	before := int64(0)
	for _, h := range s.Hours {
		n := uint64(h.Raised) << 1
		if h.Storm {
			n++
		}
		dst = binary.AppendUvarint(binary.AppendVarint(dst, h.Hour-before), n)
		before = h.Hour
	}
	return dst
}

func readStorms(r *encode.Reader, m *Meta) {
	s := &m.Storms
	s.Number = r.Varint()
	hour := int64(0)
	for r.More() {
		next, n := hour+r.Varint(), r.UvarintUpTo(1<<33-1)
		if len(s.Hours) > 0 && next <= hour {
			r.Damage()
			return
		}
		hour = next
		s.Hours = append(s.Hours, LapseHour{Hour: hour, Raised: uint32(n >> 1), Storm: n&1 == 1})
	}
}
