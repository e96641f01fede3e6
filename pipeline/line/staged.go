package line

import (
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

// Staged is a commit being built, then applied. Two take turns, so that one is built while the other is in progress.
// Their buffers are reused, except those of the outbox, which live until they are published.
type Staged struct {
	format  int // version of the profiles
	Commit  pipeline.Commit
	Pending []pipeline.Pending // the commit's outbox
	slots   []int32            // customers to write
	due     map[int64][]byte
	whole   map[int64]bool // buckets of due that hold nothing else
	new     []int64        // buckets of due that the store does not hold before this commit
	Tally   Tally
	Told    []pipeline.Change // announced with the commit: sources that turn, and storms

	profiles []byte // arena of encoded profiles
	ends     []int  // where each ends
	out      []byte // arena of encoded outbox entries
	outEnds  []int
	spare    [][]byte // buffers of due entries to reuse
}

// usualProfile is a size in bytes that few encoded profiles of a pack without features exceed.
const usualProfile = 256

// Tally counts the outcomes of a batch. They are final once its commit is applied.
type Tally struct {
	Records uint64 // input records passed
	// of these, messages of visitors who are not known: they count for nothing
	Anonymous  uint64
	Heartbeats uint64 // of these, events by which a source shows that it lives
	// of these, events of erased customers, of up to then, and what erases them once more: they count for nothing
	Forgotten  uint64
	Duplicates uint64 // events dropped: their id was among the customer's latest
	Late       uint64 // events folded though older than the watermark
	TooLate    uint64 // events folded though older than every window of the features that they would have counted in
	Future     uint64 // events folded though they did not move the watermark
	Unnamed    uint64 // events folded whose type the pack does not name
	BySubject  uint64 // events folded whose customer is a CloudEvent's subject
	NoZone     uint64 // events folded that name a time zone which is none
	NoChannel  uint64 // events folded that name a channel which is none
	// events folded with money in another currency than their customer's, which is not added up
	OtherCurrency uint64
	Types         *Types // the most frequent of these types; nil: none
	// by reason: decisions withheld by a stage; with Repeated also quarantined records
	Withheld map[string]uint64
	Decided  uint64                          // decisions; one that is held counts here, and not again when it is released
	Repeats  uint64                          // decisions withheld as Repeated
	Gone     uint64                          // held raises withheld for good, since their customers are gone
	Released [pipeline.NumHoldReasons]uint64 // held raises that were raised after all, by why they were held
	// held raises that never become an alert, the same
	Withdrawn [pipeline.NumHoldReasons]uint64
	// decisions withheld, other than as Repeated
	Unsent      [profile.NumKinds][scoring.NumTransitions]uint64
	Ineligible  uint64 // events folded of customers whom the pack does not alert about yet
	Passed      uint64 // time records proposed
	Woken       uint64 // deadlines looked at
	Armed       uint64 // deadlines stored
	Removed     uint64 // customers whose state was removed, see Config.Retention
	Erased      uint64 // customers who were erased
	Alerts      [scoring.NumTransitions]uint64
	Tiers       [profile.NumTiers]uint64 // of alerts
	Arms        [alert.NumArms]uint64    // of alerts
	Quarantined [pipeline.NumCodes]uint64
}

func (t *Tally) observe(late, future bool) {
	if late {
		t.Late++
	}
	if future {
		t.Future++
	}
}

// Add adds o to t.
func (t *Tally) Add(o *Tally) {
	t.Records += o.Records
	t.Anonymous += o.Anonymous
	t.Heartbeats += o.Heartbeats
	t.Forgotten += o.Forgotten
	t.Duplicates += o.Duplicates
	t.Late += o.Late
	t.TooLate += o.TooLate
	t.Future += o.Future
	t.BySubject += o.BySubject
	t.NoZone += o.NoZone
	t.NoChannel += o.NoChannel
	t.OtherCurrency += o.OtherCurrency
	t.Unnamed += o.Unnamed
	if o.Unnamed > 0 {
		if t.Types == nil {
			t.Types = &Types{}
		}
		t.Types.Add(o.Types)
	}
	for why, n := range o.Withheld {
		t.withholdAll(why, n)
	}
	for kind := range o.Unsent {
		for i, n := range o.Unsent[kind] {
			t.Unsent[kind][i] += n
		}
	}
	t.Decided += o.Decided
	t.Repeats += o.Repeats
	t.Gone += o.Gone
	for i, n := range o.Released {
		t.Released[i] += n
	}
	for i, n := range o.Withdrawn {
		t.Withdrawn[i] += n
	}
	t.Ineligible += o.Ineligible
	t.Passed += o.Passed
	t.Woken += o.Woken
	t.Armed += o.Armed
	t.Removed += o.Removed
	t.Erased += o.Erased
	for i, n := range o.Alerts {
		t.Alerts[i] += n
	}
	for i, n := range o.Tiers {
		t.Tiers[i] += n
	}
	for i, n := range o.Arms {
		t.Arms[i] += n
	}
	for i, n := range o.Quarantined {
		t.Quarantined[i] += n
	}
}

// withhold counts a withheld decision.
func (t *Tally) withhold(why string) { t.withholdAll(why, 1) }

func (t *Tally) withholdAll(why string, n uint64) {
	if t.Withheld == nil {
		t.Withheld = map[string]uint64{}
	}
	t.Withheld[why] += n
}

// withholdDecision counts a withheld decision by its transition as well.
func (t *Tally) withholdDecision(why string, kind profile.Kind, transition scoring.Transition) {
	t.withhold(why)
	t.Unsent[kind][transition]++
}

// repeat counts a decision that was published before.
func (t *Tally) repeat() {
	t.withhold(Repeated)
	t.Repeats++
}

// AllUnsent is the number of decisions withheld, other than as Repeated.
func (t *Tally) AllUnsent() (n uint64) {
	for kind := range t.Unsent {
		for _, u := range t.Unsent[kind] {
			n += u
		}
	}
	return n
}

// conserve checks that every decision so far is published, held, withheld for a reason, or withdrawn: none is lost.
// before and after are how many were held.
func (t *Tally) conserve(before, after int) {
	if t.Held() != int64(after-before) {
		panic(
			fmt.Sprintf("BUG: of %d decisions and %d held ones, %d are published, %d and %d withheld, %d withdrawn, %d held",
				t.Decided, before, t.AllAlerts(), t.AllUnsent(), t.Repeats, t.AllWithdrawn(), after),
		)
	}
}

// Held is by how many there are more raises held than before: what was decided, and neither published, withheld nor
// withdrawn.
func (t *Tally) Held() int64 {
	return int64(t.Decided - t.AllAlerts() - t.AllUnsent() - t.Repeats - t.AllWithdrawn())
}

// AllWithdrawn is the number of held raises that never become an alert.
func (t *Tally) AllWithdrawn() (n uint64) {
	for _, w := range t.Withdrawn {
		n += w
	}
	return n
}

// AllAlerts is the number of alerts of all transitions.
func (t *Tally) AllAlerts() (n uint64) {
	for _, a := range t.Alerts {
		n += a
	}
	return n
}

// AllQuarantined is the number of quarantined records of all codes.
func (t *Tally) AllQuarantined() (n uint64) {
	for _, q := range t.Quarantined {
		n += q
	}
	return n
}

func newStaged(format int) *Staged {
	return &Staged{format: format, due: map[int64][]byte{}, whole: map[int64]bool{}, Tally: Tally{Types: &Types{}}}
}

func (s *Staged) reset() {
	for b, entries := range s.due {
		s.spare = append(s.spare, entries[:0])
		delete(s.due, b)
	}
	clear(s.whole)
	c := &s.Commit
	*c = pipeline.Commit{
		Keys: c.Keys[:0], Profiles: c.Profiles[:0], Due: c.Due[:0], Swept: c.Swept[:0], Outbox: c.Outbox[:0],
		Held: c.Held[:0], Answered: c.Answered[:0],
	}
	clear(s.Pending)
	s.Pending, s.out, s.outEnds = s.Pending[:0], make([]byte, 0, len(s.out)+len(s.out)/4), s.outEnds[:0]
	s.new, s.Told = s.new[:0], s.Told[:0]
	s.slots, s.profiles, s.ends = s.slots[:0], s.profiles[:0], s.ends[:0]
	s.Tally.Types.reset()
	clear(s.Tally.Withheld)
	s.Tally = Tally{Types: s.Tally.Types, Withheld: s.Tally.Withheld}
}

// arm appends a deadline to its bucket.
func (s *Staged) arm(minute int64, key []byte) {
	b := pipeline.BucketOf(minute)
	entries, ok := s.due[b]
	if n := len(s.spare); !ok && n > 0 {
		entries, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	s.due[b] = pipeline.AppendDue(entries, minute, key)
}

// sweep removes a bucket all of whose deadlines have fired, those that this commit would have appended included.
func (s *Staged) sweep(bucket int64) {
	delete(s.due, bucket)
	delete(s.whole, bucket)
	s.Commit.Swept = append(s.Commit.Swept, bucket)
}

// replace has a bucket hold entries, and what this commit appends, in the place of all before.
func (s *Staged) replace(bucket int64, entries []byte) {
	if entries = append(entries, s.due[bucket]...); len(entries) == 0 {
		s.sweep(bucket)
		return
	}
	s.due[bucket], s.whole[bucket] = entries, true
}

// begun reports whether the store may not hold the bucket yet, for this commit is the first to append to it.
func (s *Staged) begun(bucket int64) bool { return slices.Contains(s.new, bucket) }

// append adds an entry to the outbox, and of a quarantined one the input record.
func (s *Staged) append(e *pipeline.Entry, record *pipeline.Record) {
	s.out = pipeline.AppendEntry(s.out, e)
	s.outEnds = append(s.outEnds, len(s.out))
	s.Pending = append(s.Pending, pipeline.Pending{Record: record})
}

// profile writes a customer's state, or removes it where it is empty.
func (s *Staged) profile(key []byte, c *profile.Customer) {
	s.Commit.Keys = append(s.Commit.Keys, key)
	if !c.Empty() {
		s.profiles = profile.Append(s.profiles, c, s.format)
	}
	s.ends = append(s.ends, len(s.profiles))
}

// finish cuts the arenas into the slices of the commit.
func (s *Staged) finish() {
	c := &s.Commit
	c.Profiles = cutInto(c.Profiles, s.profiles, s.ends)
	c.Outbox = cutInto(c.Outbox, s.out, s.outEnds)
	for i, b := range c.Outbox {
		s.Pending[i].Encoded = b
	}
	for b, entries := range s.due {
		c.Due = append(c.Due, pipeline.DueEntries{Bucket: b, Entries: entries, Whole: s.whole[b]})
	}
	slices.SortFunc(c.Due, func(a, b pipeline.DueEntries) int { return int(a.Bucket - b.Bucket) })
}

// cutInto appends the pieces of arena to dst; an empty one is nil.
func cutInto(dst [][]byte, arena []byte, ends []int) [][]byte {
	from := 0
	for _, end := range ends {
		piece := arena[from:end:end]
		if from == end {
			piece = nil
		}
		dst = append(dst, piece)
		from = end
	}
	return dst
}

// Changes reports whether the commit holds anything besides a new wall clock.
func (s *Staged) Changes(before *pipeline.Meta) bool {
	c := &s.Commit
	return len(c.Keys) > 0 || len(c.Outbox) > 0 || len(c.Due) > 0 || len(c.Swept) > 0 || len(c.Held) > 0 ||
		len(c.Answered) > 0 || c.Meta.First != before.First ||
		c.Meta.Next != before.Next || c.Meta.Clock.Fired != before.Clock.Fired
}
