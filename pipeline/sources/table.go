package sources

import (
	"bytes"
	"slices"
)

// Units of event time: minutes since the epoch, unless a name says ms.
const (
	minuteMillis = 60_000
	hour         = 60 // what a source sends is judged at the end of each hour
	hourMillis   = hour * minuteMillis
	day          = 24 * hour
	week         = 7 * day
)

// Rules is the version of what this package decides. It is among the settings that a replay decides by.
const Rules = 1

// Numbers of sources, by which a customer's profile names the one that it depends on.
const (
	Own   = 0   // of events that name no source
	Other = 255 // of all sources that are not guarded
)

// Bounds of a table.
const (
	most    = 16 // sources guarded at a time
	maxName = 64 // bytes kept of a source's name, for people
)

// Table is what a partition knows of its sources.
type Table struct {
	Until int64 // ms: end of the open hour; 0: none is open, the watermark has not started
	Given uint8 // numbers given so far; none is given twice
	Froze bool  // a source was stalled before
	All   []Source

	Turns  []Turn // not taken yet; not stored
	Newest int    // index of the source heard last; not stored
}

// Turn is a source that stalls or resumes.
type Turn struct {
	Source   string
	Stalled  bool    // false: it resumes
	At       int64   // the minute from which that holds
	Since    int64   // the minute since which nothing, or too little, came
	Expected float64 // events from there to At
	Seen     uint64
	GivenUp  bool // it resumes for it has been stalled for so long that this is how it is now
}

// Clone is a copy that later events do not change.
func (t *Table) Clone() Table {
	c := *t
	c.All, c.Turns = slices.Clone(t.All), nil
	return c
}

// Heard notes an event of a source, which arrives while the watermark is w, in ms, and returns the source's number.
// Reach has been called with w. name is empty where the event names none.
func (t *Table) Heard(hash uint64, name []byte, w int64) uint8 {
	i := t.Newest
	if i >= len(t.All) || t.All[i].Hash != hash {
		if i = t.find(hash, name); i < 0 {
			return Other
		}
		t.Newest = i
	}
	s := &t.All[i]
	s.Count++
	s.HeardAt = w
	if s.Stalled() {
		t.note(s.hearAgain(w / minuteMillis))
	}
	return s.Number
}

// Number is the number of the source of an event that says nothing of whether the source lives.
func (t *Table) Number(hash uint64, name []byte) uint8 {
	if i := t.find(hash, name); i >= 0 {
		return t.All[i].Number
	}
	return Other
}

// find is the index of a source. It gives a new one a number while there is room; -1: there is none.
func (t *Table) find(hash uint64, name []byte) int {
	for i := range t.All {
		if t.All[i].Hash == hash {
			return i
		}
	}
	switch {
	case len(t.All) == most, len(name) > 0 && t.Given == Other-1:
		return -1
	}
	number := uint8(Own)
	if len(name) > 0 {
		t.Given++
		number = t.Given
	}
	t.All = append(t.All, newSource(number, hash, string(bytes.ToValidUTF8(name[:min(len(name), maxName)], nil))))
	return len(t.All) - 1
}

// mostHours is how many hours of a gap are judged. In a longer one every stall has come to its end.
const mostHours = (longest + 2*week) / hour

// Reach closes the hours that the watermark w, in ms, has passed: each source is judged as of the end of each.
func (t *Table) Reach(w int64) {
	if w < t.Until {
		return
	}
	if t.Until == 0 {
		t.open(w)
		return
	}
	for n := 0; t.Until <= w; n++ {
		if n == mostHours {
			t.open(w)
			return
		}
		for i := range t.All {
			t.note(t.All[i].close(t.Until / minuteMillis))
		}
		if t.Until/minuteMillis%week == 0 {
			t.dropFew()
		}
		t.Until += hourMillis
	}
}

// open opens the hour of w, with nothing counted.
func (t *Table) open(w int64) {
	for i := range t.All {
		t.All[i].interrupt()
	}
	t.Until = (w/hourMillis + 1) * hourMillis
}

// dropFew makes room for other sources, where there is none, at the end of a week in which one has sent next to nothing.
func (t *Table) dropFew() {
	few := func(s Source) bool { return s.Number != Own && !s.Stalled() && s.sent() < fewest }
	if len(t.All) == most {
		t.All, t.Newest = slices.DeleteFunc(t.All, few), 0
	}
	for i := range t.All {
		t.All[i].Week = 0
	}
}

// Rest ends what is stalled as of the watermark w, in ms, and forgets what is open: the guard is switched off.
func (t *Table) Rest(w int64) {
	for i := range t.All {
		s := &t.All[i]
		if s.Stalled() {
			t.note(s.resume(max(w/minuteMillis, s.last().From), true))
		}
		s.interrupt()
	}
	t.Until = 0
}

// note keeps a turn until it is taken; nil: there was none.
func (t *Table) note(turn *Turn) {
	if turn != nil {
		t.Turns = append(t.Turns, *turn)
		t.Froze = true
	}
}

// Take returns the turns since the last call.
func (t *Table) Take() []Turn {
	turns := t.Turns
	t.Turns = nil
	return turns
}

// Frozen is, in minutes, how much of the time up to a minute the source of a number was stalled in all, and whether it
// is stalled then. The minute is not later than the watermark, or what comes between the two is not known yet.
func (t *Table) Frozen(number uint8, minute int64) (minutes int64, stalled bool) {
	if !t.Froze {
		return 0, false
	}
	for i := range t.All {
		if t.All[i].Number == number {
			return t.All[i].frozen(minute)
		}
	}
	return 0, false
}

// Now calls f with the name of each guarded source and whether it is stalled.
func (t *Table) Now(f func(name string, stalled bool)) {
	for i := range t.All {
		f(t.All[i].Name, t.All[i].Stalled())
	}
}

// Turned reports whether a source has turned, and not all that was due by then may have been looked at: until Settle.
func (t *Table) Turned() bool {
	if !t.Froze {
		return false
	}
	for i := range t.All {
		if len(t.All[i].Marks) > 1 {
			return true
		}
	}
	return false
}

// Settle forgets what only matters to minutes that are over: all that was due up to the watermark was looked at.
func (t *Table) Settle() {
	for i := range t.All {
		s := &t.All[i]
		s.Marks = slices.Clone(s.Marks[len(s.Marks)-1:])
	}
}
