package pipeline

import (
	"cmp"
	"fmt"
	"math"
)

// Seen is what the topics show of an outbox entry.
type Seen uint8

// What they may show.
const (
	Untold  Seen = iota // nothing: its record is not of this group alone, or could have been deleted
	Absent              // its record is not there, and nothing that was there has been deleted
	Present             // its record is there
)

// Proof is a published position that follows from what the store holds and from what the topics show.
type Proof struct {
	Mark      Mark
	Published int // oldest outbox entries that it covers
}

// UnprovenError is why a published position does not follow.
type UnprovenError struct{ Why string }

func (e *UnprovenError) Error() string { return e.Why }

func unproven(format string, args ...any) error { return &UnprovenError{fmt.Sprintf(format, args...)} }

// Prove finds the published position of a partition whose committed offset is lost or was overwritten. Everything that
// was decided before the oldest outbox entry was published, or it would still be in the outbox; of the outbox a
// transaction publishes the oldest entries, so what is published of it is a front. seen says what the topics show of
// each entry. changes are the published control records of the partition, in their order. Errors: *UnprovenError,
// *HardStop for an entry that cannot be read.
//
// The position need not be the one that was committed: between the two nothing was decided.
func Prove(id Identity, st State, seen []Seen, changes []Control) (Proof, error) {
	entries := make([]Entry, len(st.Outbox))
	for i, b := range st.Outbox {
		e, err := ReadEntry(b)
		if err != nil {
			return Proof{}, id.Stop("state_unreadable", fmt.Sprintf("outbox entry %d: %v", i, err),
				"run the version of ebb that wrote it")
		}
		entries[i] = e
	}
	n, err := front(entries, seen)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{Mark: wholeMark(&st.Meta, id.Topic), Published: n}
	if n < len(entries) {
		p.Mark = before(&st.Meta, id.Topic, entries[n:], changes)
	}
	for i := range entries {
		if p.Mark.Covers(&entries[i]) != (i < n) {
			return Proof{}, unproven("outbox entry %d of %d is out of order", i, len(entries))
		}
	}
	return p, p.Mark.follows(changes)
}

// front is how many of the oldest entries are published: all up to the last one that is there. None of them may be proven
// absent, and the next has to be.
func front(entries []Entry, seen []Seen) (n int, err error) {
	groups := inseparable(entries)
	next := 0 // group behind the last that is there
	for g := range groups {
		for i := groups[g].from; i < groups[g].to; i++ {
			if seen[i] == Present {
				next, n = g+1, groups[g].to
			}
		}
	}
	for i := range n {
		if seen[i] == Absent {
			return 0, unproven(
				"outbox entry %d (%s) was never published, though one behind it was: another group, or an earlier "+
					"one of this name, has published the same",
				i,
				entries[i].place(),
			)
		}
	}
	if next == len(groups) {
		return n, nil
	}
	for i := groups[next].from; i < groups[next].to; i++ {
		if seen[i] == Absent {
			return n, nil
		}
	}
	e := &entries[groups[next].from]
	return 0, unproven("the record of outbox entry %d (%s) is not there, and could have been deleted since", n, e.place())
}

// run is a stretch of entries.
type run struct{ from, to int }

// inseparable are the stretches of entries that were decided at one record or one deadline, which one transaction
// publishes.
func inseparable(entries []Entry) (groups []run) {
	var reach int64 // the record that all entries so far leave to be folded next
	for i := range entries {
		e := &entries[i]
		if i == 0 || e.apart(&entries[i-1], reach) {
			groups = append(groups, run{i, i})
		}
		groups[len(groups)-1].to++
		reach = max(reach, e.ends())
	}
	return groups
}

// apart reports whether a mark tells e from what was decided before it: last, and all that leaves reach to be folded
// next.
func (e *Entry) apart(last *Entry, reach int64) bool {
	return e.Begins() >= reach && (e.Offset >= 0 || e.Due.Compare(last.Due) > 0 || e.Release > last.Release)
}

// place is where e was decided, for people.
func (e *Entry) place() string {
	if e.Offset >= 0 {
		return fmt.Sprintf("of record %d", e.Offset)
	}
	if e.Release > 0 {
		return fmt.Sprintf("of release %d", e.Release)
	}
	return fmt.Sprintf("of the deadline in minute %d", e.Due.Minute)
}

// wholeMark is the mark once everything applied is published.
func wholeMark(m *Meta, topic string) Mark {
	mark := Mark{
		Offset: m.Next, Watermark: m.Clock.Watermark, Fired: m.Clock.Fired, Wall: m.WallMillis,
		Topic: topic, Settings: m.Settings.Hash(), Passed: m.Passed.Minute, Live: m.Passed.Live,
		Releases: m.First.Releases, Storms: m.Storms.Number,
	}
	if len(m.Packs) > 0 {
		mark.Pack = m.Pack
	}
	return mark
}

// before is the mark directly before the first of the entries that are left to publish.
func before(m *Meta, topic string, left []Entry, changes []Control) Mark {
	first := &left[0]
	mark := wholeMark(m, topic)
	mark.Offset, mark.Fired = first.Begins(), first.Due
	if first.Offset < 0 && first.Release == 0 {
		mark.Fired = first.Due.Before()
	}
	mark.Releases = m.First.Releases
	for i := range left {
		if r := left[i].Release; r > 0 {
			mark.Releases = r - 1
			break
		}
	}
	mark.Watermark = max(0, mark.Fired.Minute*MinuteMillis)
	packs := m.Packs
	for i := range left {
		if left[i].Kind != EntryControl {
			continue
		}
		switch left[i].Change.Kind {
		case ControlPack:
			packs = packs[:max(0, len(packs)-1)]
		case ControlSettings:
			mark.Settings = Newest(changes).Settings
		case ControlTime:
			mark.Passed = Newest(changes).Passed
		case ControlStorm:
			mark.Storms = Newest(changes).Storms
		}
	}
	if mark.Pack = ""; len(packs) > 0 {
		mark.Pack = packs[len(packs)-1].Hash
	}
	return mark
}

// Before is the position directly before d.
func (d Due) Before() Due {
	if d.Hash > 0 {
		return Due{d.Minute, d.Hash - 1}
	}
	return Due{d.Minute - 1, math.MaxUint64}
}

// Newest is the part of a mark that control records lead to: pack, settings, time, releases and storms.
func Newest(changes []Control) (m Mark) {
	for i := range changes {
		switch c := &changes[i]; c.Kind {
		case ControlPack:
			m.Pack = c.Pack.Hash
			if c.First {
				m.Settings, m.Passed, m.Releases, m.Storms = "", 0, 0, 0 // those of an earlier group of this name
			}
		case ControlSettings:
			m.Settings = c.Settings.Hash()
		case ControlTime:
			m.Passed = c.Minute
		case ControlRelease, ControlSilence:
			m.Releases = c.Number()
		case ControlStorm:
			m.Storms = c.Storm.Number
		}
	}
	return m
}

// follows checks a mark against the published control records: they lead to its pack and settings, and reach no
// farther.
func (m Mark) follows(changes []Control) error {
	for i := range changes {
		if c := &changes[i]; c.Beyond(m.Offset) {
			return unproven("a control record before offset %d is published, and the state in Redis is at %d: it is older "+
				"than what was published", c.Offset, m.Offset)
		}
	}
	at := Newest(changes)
	if m.Pack != "" && at.Passed > m.Passed {
		return unproven("a time record of minute %d is published, the state in Redis knows of %d: it is older than what was "+
			"published", at.Passed, m.Passed)
	}
	if m.Pack != "" && at.Releases > m.Releases {
		return unproven("release %d is published, the state in Redis knows of %d: it is older than what was published",
			at.Releases, m.Releases)
	}
	if m.Pack != "" && at.Storms > m.Storms {
		return unproven("storm %d is published, the state in Redis knows of %d: it is older than what was published",
			at.Storms, m.Storms)
	}
	if m.Pack != "" && (at.Pack != m.Pack || at.Settings != m.Settings) {
		return unproven(
			"the published control records lead to pack %.12s and settings %s, the state in Redis to %.12s and %s",
			cmp.Or(at.Pack, "none"),
			cmp.Or(at.Settings, "none"),
			cmp.Or(m.Pack, "none"),
			cmp.Or(m.Settings, "none"),
		)
	}
	return nil
}
