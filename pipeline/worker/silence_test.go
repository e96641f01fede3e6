package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"ebb/pipeline"
)

// TestSilence: silence lasts while answers about the very end of the log come without a gap.
func TestSilence(t *testing.T) {
	quiet := pipeline.Fetched{Next: 9, End: 9, Stable: 9}
	for name, c := range map[string]struct {
		answer pipeline.Fetched
		pause  time.Duration // before the last answer
		lasts  bool
	}{
		"nothing":                     {quiet, time.Second, true},
		"a gap":                       {quiet, 6 * time.Second, false},
		"records":                     {pipeline.Fetched{Records: make([]pipeline.Record, 1), Next: 9, End: 9, Stable: 9}, time.Second, false},
		"records beyond":              {pipeline.Fetched{Next: 9, End: 12, Stable: 12}, time.Second, false},
		"an open transaction":         {pipeline.Fetched{Next: 9, End: 12, Stable: 9}, time.Second, false},
		"a transaction's first batch": {pipeline.Fetched{Next: 9, End: 9, Stable: 8}, time.Second, false},
		"a quota":                     {pipeline.Fetched{Next: 9, End: 9, Stable: 9, Throttled: true}, time.Second, false},
		"no end":                      {pipeline.Fetched{Next: 9, End: -1, Stable: -1}, time.Second, false},
	} {
		var s silence
		now := time.Unix(1_800_000_000, 0)
		for range 31 {
			s.heard(now, &quiet)
			now = now.Add(time.Second)
		}
		if !s.lasts(now, 30*time.Second) || s.lasts(now, 40*time.Second) {
			t.Fatal("31 s of silence are not 30 s, or 40 s")
		}
		now = now.Add(c.pause - time.Second)
		if s.heard(now, &c.answer); s.lasts(now, 30*time.Second) != c.lasts {
			t.Errorf("%s: lasts %v", name, !c.lasts)
		}
		if s.lasts(now.Add(6*time.Second), 30*time.Second) {
			t.Errorf("%s: lasts without an answer", name)
		}
	}
}

// TestWall: within a process the clock counts no faster than the monotonic one, until it is confirmed.
func TestWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var jump time.Duration
		w := NewWall(func() time.Time { return time.Unix(0, time.Now().Add(jump).UnixNano()) })
		expect := func(what string, want time.Duration) {
			t.Helper()
			if _, ahead := w.read(); ahead != want {
				t.Errorf("%s: %v ahead, want %v", what, ahead, want)
			}
		}
		expect("at the start", 0)
		<-time.After(time.Hour)
		expect("after an hour", 0)
		jump = 2 * time.Hour
		expect("a jump ahead", 2*time.Hour)
		<-time.After(time.Hour)
		expect("an hour later", 2*time.Hour)
		w.confirm()
		expect("confirmed", 0)
		jump = -time.Hour
		expect("set back", 0)
	})
}
