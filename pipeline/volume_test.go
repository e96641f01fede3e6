package pipeline

import (
	"testing"
)

// runningProtocol is a protocol after its takeover.
func runningProtocol(t *testing.T, outbox []Pending) *Protocol {
	t.Helper()
	p := NewProtocol(Identity{}, func() Token { return Token{} })
	p.next, p.outbox, p.applied = StepCommit, outbox, []applied{{}}
	p.Weigh()
	return p
}

// poison is the outbox of a batch of unusable records.
func poison(records, bytes int) (entries []Pending) {
	for range records {
		entries = append(entries, Pending{Record: &Record{Value: make([]byte, bytes)}})
	}
	return entries
}

// TestPublishWithinBytes: one transaction carries no more bytes of quarantined records than it has time for, however
// many wait, except where one commit alone holds more.
func TestPublishWithinBytes(t *testing.T) {
	const kib = 1 << 10
	limit := Volume{Entries: 100, Bytes: 16 * kib}
	p := runningProtocol(t, poison(3, kib))
	for i, bytes := range []int{6 * kib, 8 * kib, 20 * kib, kib} {
		p.Commit(&Commit{Meta: Meta{Next: int64(i + 1)}}, poison(1, bytes))
		p.Answer(Answer{Step: StepCommit})
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
