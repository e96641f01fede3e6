package pipeline

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// worked is a partition in the middle of its work: what its store holds, and what of that is published.
type worked struct {
	st        State
	published []bool // by outbox entry
	mark      Mark   // the true one
}

// work draws decisions at records and deadlines, commits and publishes them in parts, and stops anywhere.
func work(r *rapid.T) worked {
	p := NewProtocol(Identity{Topic: "t"}, func() Token { return Token{} })
	p.next, p.mark = StepCommit, Mark{Topic: "t"}
	m := Meta{Clock: Clock{Started: true}}
	var stored [][]byte
	for range rapid.IntRange(0, 12).Draw(r, "steps") {
		if rapid.Bool().Draw(r, "publish") {
			p.Publish(Volume{Entries: rapid.IntRange(1, 6).Draw(r, "most"), Bytes: 1 << 20})
			p.Answer(Answer{Step: StepPublish})
			continue
		}
		entries := decide(r, &m)
		c := Commit{Meta: m}
		p.Commit(&c, entries)
		c.Holds = c.Meta.Holds
		stored = stored[c.Dropped:]
		for _, e := range entries {
			stored = append(stored, e.Encoded)
		}
		p.Answer(Answer{Step: StepCommit})
	}
	w := worked{st: State{Exists: true, Meta: m, Outbox: stored}, mark: p.mark}
	for i := range stored {
		w.published = append(w.published, i < len(stored)-len(p.outbox))
	}
	return w
}

// decide folds a batch into m.
func decide(r *rapid.T, m *Meta) (entries []Pending) {
	for range rapid.IntRange(1, 4).Draw(r, "moments") {
		e := Entry{Kind: EntryQuarantine, Offset: m.Next, Due: m.Clock.Fired, Code: NotJSON}
		if rapid.Bool().Draw(r, "sweep") {
			next := Due{m.Clock.Fired.Minute, m.Clock.Fired.Hash + uint64(rapid.IntRange(1, 2).Draw(r, "hash"))}
			if rapid.Bool().Draw(r, "minute") {
				next = Due{m.Clock.Fired.Minute + 1, 0}
			}
			m.Clock.Fired, m.Clock.Watermark = next, next.Minute*MinuteMillis
			e.Offset, e.Next, e.Due = -1, m.Next, next
		} else {
			m.Next++
		}
		if rapid.IntRange(0, 3).Draw(r, "time record") == 0 {
			m.Passed.Minute = m.Clock.Fired.Minute + 2
			e = AtTime(Change{Kind: ControlTime, Minute: m.Passed.Minute}, m.Clock.Fired.Minute, m.Next)
			m.Clock.Fired, m.Clock.Watermark = e.Due, e.Due.Minute*MinuteMillis
		}
		for range rapid.IntRange(0, 3).Draw(r, "entries") {
			entries = append(entries, Pending{Encoded: AppendEntry(nil, &e)})
		}
	}
	return entries
}

// TestProve: wherever work stops, the position that is found covers what is published and nothing else, as long as what
// is published of the outbox is seen, and what is not is seen not to be.
func TestProve(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := work(r)
		seen := make([]Seen, len(w.published))
		n := 0
		for i, published := range w.published {
			if seen[i] = Absent; published {
				seen[i] = Present
				n++
			}
		}
		got, err := Prove(Identity{Topic: "t"}, w.st, seen, nil)
		if err != nil || got.Published != n {
			r.Fatalf("%d of %d published, found %+v, %v", n, len(seen), got, err)
		}
		for i, b := range w.st.Outbox {
			e := MustReadEntry(b)
			if got.Mark.Covers(&e) != w.published[i] || w.mark.Covers(&e) != w.published[i] {
				r.Fatalf("entry %d, published %v: found %+v, was %+v", i, w.published[i], got.Mark, w.mark)
			}
		}
		if got.Mark.behind(w.mark.at()) && n == len(seen) && len(seen) > 0 &&
			got.Mark.Offset < w.mark.Offset {
			r.Fatalf("found %+v, was %+v", got.Mark, w.mark)
		}
		if got.Mark.behind(&w.st.Meta) {
			r.Fatalf("found %+v, ahead of the state at %d", got.Mark, w.st.Meta.Next)
		}
	})
}

// TestProveNeeds: the position does not follow where the next record to publish may have been published and deleted, or
// where control records were published that the state does not know.
func TestProveNeeds(t *testing.T) {
	m := Meta{Next: 9, Passed: Passed{Minute: 7}, Packs: []PackRef{{Hash: "one"}}, Pack: "one"}
	one := []Control{{Offset: 0, Change: Change{Kind: ControlPack, Pack: PackRef{Hash: "one"}, First: true}}}
	two := append(one[:1:1], Control{Offset: 9, Change: Change{Kind: ControlPack, Pack: PackRef{Hash: "two"}}})
	timeAt := func(offset, minute int64) []Control {
		return append(one[:1:1], Control{Offset: offset, Change: Change{Kind: ControlTime, Minute: minute}})
	}
	var outbox [][]byte
	for _, e := range poison(5, 2, 1) {
		outbox = append(outbox, e.Encoded)
	}
	for name, c := range map[string]struct {
		seen    []Seen
		changes []Control
		sound   bool
		next    int64
	}{
		"none published":               {[]Seen{Absent, Absent}, one, true, 5},
		"the first published":          {[]Seen{Present, Absent}, one, true, 6},
		"both published":               {[]Seen{Present, Present}, one, true, 9},
		"the last published":           {[]Seen{Untold, Present}, one, true, 9},
		"the last by somebody else":    {[]Seen{Absent, Present}, one, false, 0},
		"the first may be deleted":     {[]Seen{Untold, Absent}, one, false, 0},
		"the second may be deleted":    {[]Seen{Present, Untold}, one, false, 0},
		"a change that is not known":   {[]Seen{Present, Present}, two, false, 0},
		"time at the end":              {[]Seen{Present, Present}, timeAt(9, 7), true, 9},
		"time that is not known":       {[]Seen{Present, Present}, timeAt(9, 8), false, 0},
		"time behind the end":          {[]Seen{Present, Present}, timeAt(10, 7), false, 0},
		"the control records are gone": {[]Seen{Present, Present}, nil, false, 0},
	} {
		got, err := Prove(Identity{Topic: "t"}, State{Exists: true, Meta: m, Outbox: outbox}, c.seen, c.changes)
		if c.sound != (err == nil) || !c.sound && !errors.As(err, new(*UnprovenError)) ||
			got.Mark.Offset != c.next && c.sound {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
