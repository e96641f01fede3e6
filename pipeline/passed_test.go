package pipeline

import (
	"math"
	"testing"
	"time"
)

// TestCurrent: a partition is live once an event of about now has moved its watermark. What a time record says is no event.
func TestCurrent(t *testing.T) {
	const lateness, now = 5 * MinuteMillis, 30_000_000 * MinuteMillis
	for name, c := range map[string]struct {
		newest int64 // event, less now
		passed int64 // minute of the newest time record, less now's
		never  bool  // the clock has not started
		want   bool
	}{
		"an event of now":                           {want: true},
		"ten minutes ago":                           {newest: -10 * MinuteMillis, want: true},
		"more than that":                            {newest: -10*MinuteMillis - 1},
		"ten minutes ahead":                         {newest: 10 * MinuteMillis, want: true},
		"more ahead":                                {newest: 10*MinuteMillis + 1},
		"a time record moved it there":              {passed: -5},
		"a time record, and an event behind it":     {newest: 1, passed: -5, want: true},
		"a time record ahead of the events":         {passed: 3},
		"the clock has not started":                 {never: true},
		"of 2011":                                   {newest: -15 * 365 * DayMillis},
		"of 2011, and a person says that it is now": {newest: -15 * 365 * DayMillis, passed: 0},
	} {
		m := Meta{
			Clock:    Clock{Started: !c.never, Watermark: now + c.newest - lateness},
			Settings: Settings{LatenessMillis: lateness},
		}
		if c.passed != 0 {
			m.Passed.Minute = now/MinuteMillis + c.passed
		}
		before := Meta{}
		m.Complete(Identity{}, &before, time.UnixMilli(now))
		if m.Passed.Live != c.want || m.Current() != c.want {
			t.Errorf("%s: live %v, want %v", name, m.Passed.Live, c.want)
		}
		before.Passed.Live = true
		if m.Complete(Identity{}, &before, time.UnixMilli(now)); !m.Passed.Live {
			t.Errorf("%s: live no longer", name)
		}
	}
}

// TestSeldom: a partition to which less than an event a day comes becomes live, too. A log of the past with one clock that
// is right by chance does not.
func TestSeldom(t *testing.T) {
	const now = 30_000_000 * MinuteMillis
	live := func(m *Meta, i int, at, wall int64) bool {
		m.Clock.Observe(uint64(i%40), at, 0, false, at)
		before := *m
		m.Complete(Identity{}, &before, time.UnixMilli(wall))
		return m.Passed.Live
	}
	for _, hours := range []int64{20, 25, 48, 72} {
		var m Meta
		for i := range 12 {
			at := now + int64(i)*hours*HourMillis
			live(&m, i, at, at+MinuteMillis)
		}
		if !m.Passed.Live {
			t.Errorf("an event in %d hours: not live, %+v", hours, m.Clock)
		}
	}
	var past Meta
	for i := range 12 {
		live(&past, i, now-60*DayMillis+int64(i)*DayMillis, now)
	}
	if live(&past, 13, now, now) {
		t.Errorf("live by one event: %+v", past.Clock)
	}
}

// TestPass: time that passes moves the watermark as an event does, never back, and starts a clock before the first
// deadline that may be armed.
func TestPass(t *testing.T) {
	const now = 30_000_000 * MinuteMillis
	minute := func(n int64) Due { return Due{Minute: now/MinuteMillis + n, Hash: math.MaxUint64} }
	started := Clock{Started: true, Watermark: now, Fired: minute(0)}
	far := FutureEvent{Customer: 1, Time: now + 3*DayMillis, Seen: now}
	claimed := started
	claimed.Future = []FutureEvent{far}
	var waiting Clock
	waiting.Observe(1, now-7*MinuteMillis, 0, false, 0)
	for name, c := range map[string]struct {
		clock  Clock
		to     int64 // minutes from now
		want   Clock
		claims int
	}{
		"on":                         {started, 5, Clock{Started: true, Watermark: now + 5*MinuteMillis, Fired: minute(0)}, 0},
		"back":                       {started, -5, started, 0},
		"a claim is still far":       {claimed, 5, Clock{Started: true, Watermark: now + 5*MinuteMillis, Fired: minute(0)}, 1},
		"a claim is reached":         {claimed, 2 * 1440, Clock{Started: true, Watermark: now + 2*DayMillis, Fired: minute(0)}, 0},
		"never an event":             {Clock{}, 5, Clock{Started: true, Watermark: now + 5*MinuteMillis, Fired: minute(5)}, 0},
		"events, and not yet a time": {waiting, 5, Clock{Started: true, Watermark: now + 5*MinuteMillis, Fired: minute(-7)}, 0},
	} {
		got := c.clock.Clone()
		got.Pass(now+c.to*MinuteMillis, 0)
		if got.Started != c.want.Started || got.Watermark != c.want.Watermark || got.Fired != c.want.Fired ||
			len(got.Future) != c.claims || got.Start != (Start{}) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
