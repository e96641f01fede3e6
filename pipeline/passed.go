package pipeline

import (
	"encoding/binary"

	"ebb/scoring/encode"
)

// Passed is what a partition keeps of time that passes without records: docs/adr/0026.
type Passed struct {
	// Live: event time has once been that of the wall clock. Until then nothing is known of how the two relate, as in a log
	// of the past that is replayed. It decides nothing but whether an idle partition may propose a time record.
	Live   bool
	Minute int64 // of the newest time record, since the epoch; 0: there was none
}

// currentMillis is how far the newest event may lie from the wall clock for event time to be that of the wall clock.
const currentMillis = 10 * MinuteMillis

// Current reports whether an event has moved the watermark to about the wall clock of the commit. Where a time record has
// moved it last, it says nothing of the events.
func (m *Meta) Current() bool {
	w := m.Clock.Watermark
	apart := m.WallMillis - w - m.Settings.LatenessMillis
	return m.Clock.Started && w > m.Passed.Minute*MinuteMillis && -currentMillis <= apart && apart <= currentMillis
}

func appendPassed(dst []byte, m *Meta) []byte {
	if m.Passed == (Passed{}) {
		return dst
	}
	return binary.AppendVarint(encode.AppendBool(dst, m.Passed.Live), m.Passed.Minute)
}

func readPassed(r *encode.Reader, m *Meta) { m.Passed = Passed{Live: r.Bool(), Minute: r.Varint()} }
