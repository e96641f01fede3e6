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
	return m.moved() && m.aboutNow(m.Clock.Watermark+m.Settings.LatenessMillis)
}

// seldom reports whether an event of about now lies too far ahead of the watermark to move it alone, and other events have
// moved that within the last month. Where less than an event a day comes, most are like that: three customers move the
// watermark to the oldest of them, and the newest are ahead of it again.
func (m *Meta) seldom() bool {
	claims := m.Clock.Future
	return m.moved() && len(claims) > 0 && m.aboutNow(claims[len(claims)-1].Time) &&
		m.WallMillis-m.Clock.Watermark <= agreeMillis
}

// moved reports whether an event, and no time record, was the last to move the watermark.
func (m *Meta) moved() bool {
	return m.Clock.Started && m.Clock.Watermark > m.Passed.Minute*MinuteMillis
}

// aboutNow reports whether an event's time is about that of the wall clock of the commit.
func (m *Meta) aboutNow(t int64) bool {
	apart := m.WallMillis - t
	return -currentMillis <= apart && apart <= currentMillis
}

func appendPassed(dst []byte, m *Meta) []byte {
	if m.Passed == (Passed{}) {
		return dst
	}
	return binary.AppendVarint(encode.AppendBool(dst, m.Passed.Live), m.Passed.Minute)
}

func readPassed(r *encode.Reader, m *Meta) { m.Passed = Passed{Live: r.Bool(), Minute: r.Varint()} }
