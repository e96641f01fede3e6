package pipeline

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// runningProtocol is a protocol after its takeover.
func runningProtocol(t *testing.T, outbox []Pending) *Protocol {
	t.Helper()
	p := NewProtocol(Identity{}, func() Token { return Token{} })
	p.next, p.outbox = StepCommit, outbox
	p.Weigh()
	return p
}

// commit applies a commit in a store that holds what it should.
func commit(p *Protocol, meta *Meta, entries []Pending) {
	c := &Commit{Meta: *meta}
	p.Commit(c, entries)
	c.Holds = c.Meta.Holds
	p.Answer(Answer{Step: StepCommit})
}

// poison is the outbox of a batch of unusable records, the first at offset.
func poison(offset int64, records, bytes int) (entries []Pending) {
	for i := range records {
		e := Entry{Kind: EntryQuarantine, Offset: offset + int64(i), Code: NotJSON}
		entries = append(entries, Pending{Encoded: AppendEntry(nil, &e), Record: &Record{Value: make([]byte, bytes)}})
	}
	return entries
}

// TestPublishWithinBytes: one transaction carries no more bytes of quarantined records than it has time for, whatever
// has gathered, but for a record that alone holds more.
func TestPublishWithinBytes(t *testing.T) {
	const kib = 1 << 10
	limit := Volume{Entries: 100, Bytes: 16 * kib}
	p := runningProtocol(t, poison(0, 3, kib))
	for i, bytes := range []int{6 * kib, 8 * kib, 20 * kib, kib} {
		commit(p, &Meta{Next: int64(i + 4)}, poison(int64(i+3), 1, bytes))
	}
	if got, want := p.Unpublished(), (Volume{Entries: 7, Bytes: 38 * kib}); got != want {
		t.Errorf("%+v gathered, want %+v", got, want)
	}
	if !p.Unpublished().Reaches(limit) {
		t.Error("no reason to fold no further")
	}
	for i, want := range []int{4, 1, 1, 1} { // 9 KiB, 8 KiB, 20 KiB, 1 KiB
		r := p.Publish(limit)
		if len(r.Entries) != want {
			t.Errorf("publication %d of %d entries, want %d", i, len(r.Entries), want)
		}
		p.Answer(Answer{Step: StepPublish})
	}
	if got := p.Unpublished(); got != (Volume{}) || p.Unpublished().Reaches(limit) {
		t.Errorf("%+v left", got)
	}
}

// TestPublishInParts: however an outbox is cut, each mark covers what was published up to it and nothing behind it, and
// the last one is the state's own.
func TestPublishInParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var entries []Entry
		passed, next, due := int64(0), int64(rapid.IntRange(0, 3).Draw(t, "first")), Due{Minute: 10}
		p := NewProtocol(Identity{Topic: "t"}, func() Token { return Token{} })
		p.next, p.mark = StepCommit, Mark{Offset: next, Fired: due, Topic: "t"}
		for range rapid.IntRange(1, 5).Draw(t, "commits") {
			var pending []Pending
			add := func(e Entry) {
				for range rapid.IntRange(0, 2).Draw(t, "decisions at one place") {
					entries = append(entries, e)
					pending = append(pending, Pending{Encoded: AppendEntry(nil, &e)})
				}
			}
			least := 0
			if rapid.Bool().Draw(t, "control record") {
				least = 1 // and what a barrier's sweep fires between it and its record
				add(Entry{Kind: EntryControl, Offset: next, Due: due, Change: Change{Kind: ControlPack, Pack: PackRef{Hash: "h"}}})
				due.Minute++
				add(Entry{Kind: EntryQuarantine, Code: NotJSON, Offset: -1, Due: due, Next: next})
			}
			for range rapid.IntRange(least, 4).Draw(t, "records") {
				add(Entry{Kind: EntryQuarantine, Code: NotJSON, Offset: next, Due: due})
				next++
			}
			for range rapid.IntRange(0, 4).Draw(t, "deadlines") {
				due.Minute += int64(rapid.IntRange(0, 1).Draw(t, "later"))
				due.Hash++
				add(Entry{Kind: EntryQuarantine, Code: NotJSON, Offset: -1, Due: due, Next: next})
			}
			if rapid.Bool().Draw(t, "time record") {
				passed = due.Minute + 2
				e := AtTime(Change{Kind: ControlTime, Minute: passed}, due.Minute, next)
				due = e.Due
				entries, pending = append(entries, e), append(pending, Pending{Encoded: AppendEntry(nil, &e)})
				due.Hash += uint64(rapid.IntRange(0, 1).Draw(t, "what it lets fire"))
				add(Entry{Kind: EntryQuarantine, Code: NotJSON, Offset: -1, Due: due, Next: next})
			}
			clock := Clock{Fired: due, Watermark: due.Minute * MinuteMillis}
			commit(p, &Meta{Next: next, Clock: clock, Passed: Passed{Minute: passed}}, pending)
		}
		for n := 0; n < len(entries) || p.Lagging(); {
			before := p.Published()
			r := p.Publish(Volume{Entries: rapid.IntRange(1, 6).Draw(t, "most"), Bytes: 1})
			n += len(r.Entries)
			for i := range entries {
				if r.Mark.Covers(&entries[i]) != (i < n) {
					t.Fatalf("%d published, but entry %d %+v is covered by %+v: %v", n, i, entries[i], r.Mark, i >= n)
				}
			}
			if before.behind(r.Mark.at()) || r.Mark.Watermark < before.Watermark {
				t.Fatalf("%+v follows %+v", r.Mark, before)
			}
			p.Answer(Answer{Step: StepPublish})
		}
		if p.Published().Passed != passed {
			t.Fatalf("%+v is published in the end, and time has passed to %d", p.Published(), passed)
		}
		if p.Lagging() || p.Unpublished().Entries > 0 || p.Published().Offset != next || p.Published().Fired != due {
			t.Fatalf("%+v is published in the end, want %d and %+v", p.Published(), next, due)
		}
	})
}

// TestCommitFindsLess: what the store lacks after a commit stops the partition before that commit is published.
func TestCommitFindsLess(t *testing.T) {
	for name, lack := range map[string]func(*Holdings){
		"profiles":          func(h *Holdings) { h.Profiles-- },
		"outbox":            func(h *Holdings) { h.Outbox-- },
		"a foreign profile": func(h *Holdings) { h.Profiles++ },
	} {
		t.Run(name, func(t *testing.T) {
			p := runningProtocol(t, poison(0, 3, 10))
			c := &Commit{Meta: Meta{Next: 9, Holds: Holdings{Profiles: 5}}}
			p.Commit(c, poison(4, 2, 10))
			c.Holds = Holdings{Profiles: 5, Outbox: 5}
			lack(&c.Holds)
			p.Answer(Answer{Step: StepCommit})
			if stop, ok := errors.AsType[*HardStop](p.Failed()); !ok || stop.Code != "state_incomplete" || p.CanPublish() {
				t.Errorf("%v; may it publish? %v", p.Failed(), p.CanPublish())
			}
		})
	}
}

// at is a state of which m is the mark.
func (m Mark) at() *Meta {
	return &Meta{Next: m.Offset, Clock: Clock{Fired: m.Fired}, First: FirstStart{Releases: m.Releases}}
}
