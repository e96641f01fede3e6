package pipeline

import (
	"fmt"
	"math"
	"slices"

	"ebb/scoring"
)

// Bounds of the work that one batch does besides its own events, so that a million deadlines at midnight do not stop the stream.
const (
	sweepLimit  = 5_000 // deadlines looked at in a batch
	bucketLimit = 512   // due buckets loaded in a batch
)

// line folds batches into the state of one partition. It holds no service and no clock: what it decides is a function of
// the records, the pack and the state that the takeover found. One goroutine owns it.
type line struct {
	scorer     *scoring.Scorer // of the newest pack
	generation uint8           // its number
	packs      *generations
	begins     []*scoring.Pack // that begin with the batch

	lateness  int64 // ms
	retention int64 // ms; 0: state is kept for ever
	partition int
	identity  Identity
	mark      Mark // published when the partition was taken over: what lies below it is not decided again

	next       int64 // offset of the next record
	clock      Clock
	population scoring.Population
	poison     Poison
	breaker    breaker
	poisoned   error // why the record at next is not folded: it is one unusable record too many

	turning bool // a pack begins before the next record
	looks   int  // at deadlines that this batch may still take

	learnt  Learnt
	curve   scoring.Curve // of the last closed epoch
	probing bool          // profiles have a place for probes

	cache  *cache
	due    *dueQueue
	number uint64 // of the batch being folded
	staged *staged
	other  *staged // the commit before, which may be under way
	want   Load
	slots  []int32 // parallel to want.Keys

	at scoring.Customer // that the scorer looks at
}

func newLine(c *Config, s *Standing) *line {
	g := s.generations
	if g == nil {
		g = newGenerations(c.Pack)
	}
	return &line{
		scorer: g.newest(), generation: uint8(len(g.scorers) - 1), packs: g, lateness: c.Lateness.Milliseconds(), retention: c.Retention.Milliseconds(),
		partition: c.Identity.Partition, mark: s.Mark,
		next: s.Meta.Next, clock: s.Meta.Clock, population: s.Meta.Population,
		learnt: s.Meta.Learnt, curve: s.Meta.Learnt.Curve(), probing: c.Profiles == scoring.NewestProfile, identity: c.Identity,
		poison: s.Meta.Poison, breaker: breaker{limit: breakerLimit(c.PoisonBreaker), passed: max(s.Mark.Offset, c.AcceptPoison)},
		cache: newCache(c.CacheCustomers), due: newDueQueue(), number: 1,
		staged: newStaged(c.Profiles), other: newStaged(c.Profiles),
	}
}

// wanted finds each event's customer in the cache and says what is to be loaded first: the profiles of those not found, of
// customers whose deadlines a sweep is about to look at, and the due buckets that the watermark has entered.
func (l *line) wanted(b *batch) *Load {
	l.number++
	if l.next >= l.mark.Offset {
		l.clock.reach(&l.mark)
	}
	l.want.Keys, l.slots = l.want.Keys[:0], l.slots[:0]
	newest := int64(0)
	for i := range b.events {
		if i%ahead == 0 {
			l.cache.warmFind(len(b.hashes)-i, func(n int) uint64 { return b.hashes[i+n].key })
		}
		b.slots[i] = -1
		if e := &b.events[i]; e.Code == Usable {
			b.slots[i] = l.locate(b.hashes[i].key, e.Key)
			newest = max(newest, e.Time)
		}
	}
	l.due.upcoming(l.sweepTo(), sweepLimit, func(few []dueItem) {
		l.cache.warmFind(len(few), func(n int) uint64 { return few[n].Hash })
		for _, item := range few {
			l.locate(item.Hash, item.key)
		}
	})
	l.want.Buckets = l.due.wanted(l.want.Buckets[:0], &l.clock, l.within((newest-l.lateness)/minuteMillis), bucketLimit)
	return &l.want
}

// locate returns the customer's slot, having noted that its profile is to be loaded if it was not there.
func (l *line) locate(hash uint64, key []byte) int32 {
	slot := l.cache.find(hash, key)
	if slot < 0 {
		l.cache.misses++
		slot = l.cache.insert(hash, key, l.number-1)
		l.want.Keys = append(l.want.Keys, l.cache.key(l.cache.at(slot)))
		l.slots = append(l.slots, slot)
	} else {
		l.cache.hits++
	}
	l.cache.at(slot).used = l.number
	return slot
}

// loaded takes in what the store answered. Errors: *HardStop where it cannot be read.
func (l *line) loaded() error {
	for i, b := range l.want.Profiles {
		if b == nil {
			continue
		}
		c := l.cache.at(l.slots[i])
		l.at.Profile = &c.profile
		err := scoring.ReadProfile(b, &l.at)
		if err == nil {
			err = l.fits(&l.at)
		}
		if err != nil {
			return unreadable(fmt.Errorf("profile of customer with key hash %016x: %w", c.hash, err))
		}
		l.cache.keep(c, l.at.Features)
	}
	for i, bucket := range l.want.Buckets {
		// What the commit before appended may not have been there yet when the bucket was read.
		if err := l.due.load(bucket, l.clock.Fired, l.want.Due[i], l.other.due[bucket]); err != nil {
			return unreadable(err)
		}
	}
	return nil
}

// fits refuses the state of a customer that is none of its pack's.
func (l *line) fits(c *scoring.Customer) error {
	if n := len(l.packs.scorers); int(c.Generation) >= n {
		return fmt.Errorf("generation %d of %d: %w", c.Generation, n, scoring.ErrProfileDamaged)
	}
	return l.packs.scorers[c.Generation].Fits(c)
}

func unreadable(err error) error {
	return &HardStop{Code: "state_unreadable", Detail: err.Error(), Do: "run the version of ebb that wrote it; if it is damaged, restore a backup or run: ebb rebuild --from earliest"}
}

// fold is the line for one batch whose customers are loaded: each event in order, then the deadlines that fell due. What it
// changes is staged for one commit. What is left in the batch was not folded: it lies beyond a barrier, or begins with the
// record that trips the breaker.
func (l *line) fold(b *batch) *staged {
	s := l.staged
	s.reset()
	l.announce()
	limit := l.sweepTo() // as of before these events: what fell due by then has been loaded
	l.looks = 2 * sweepLimit
	n := 0
	for ; n < len(b.events) && !(l.atBarrier() && !l.pass()); n++ {
		if n%ahead == 0 {
			l.cache.warm(b.slots[n:min(n+ahead, len(b.slots))])
		}
		e := &b.events[n]
		if l.poisoned = l.admit(e); l.poisoned != nil {
			break
		}
		if e.Code != Usable {
			l.quarantine(e, &b.fetched.Records[n])
			continue
		}
		l.event(e, b.hashes[n], l.cache.at(b.slots[n]))
	}
	s.tally.Records = uint64(n)
	l.next = b.fetched.Next
	if n < len(b.events) {
		l.next = b.events[n].Offset
	}
	b.skip(n)
	l.sweep(limit)
	l.stage()
	l.staged, l.other = l.other, s
	return s
}

// event is the line for one event: dedupe, move the watermark, fire what was due before it, fold, decide.
func (l *line) event(e *Event, h hashes, c *customer) {
	s := l.staged
	known, armed, probing := !c.profile.Empty(), c.profile.Armed, l.probeMinute(c)
	if minute := l.clock.Minute(); l.gone(c, minute) { // as a sweep would have found it, with the ids that it knew
		l.fire(c, e, minute)
		l.arm(c, armed, probing)
		l.touch(c)
	}
	if h.id != 0 && c.profile.Seen(h.id) {
		s.tally.Duplicates++
		return
	}
	late, future := l.clock.Observe(h.key, e.Time, l.lateness, e.AppendTime, e.Timestamp)
	s.tally.observe(late, future)

	// The arriving event counts for its own customer even where it does not move the watermark alone.
	reached := floorDiv(max(l.clock.Watermark, e.Time-l.lateness), minuteMillis)
	l.fire(c, e, reached)
	if c.profile.Generation != l.generation {
		l.migrate(c, e)
	}
	l.probe(c, e.Time-1)
	signal := scoring.Signal{Known: true}
	if !e.Control {
		signal = l.scorer.Pack.Signal(e.Type, e.Properties...)
	}
	if !signal.Known {
		s.tally.Unnamed++
		s.tally.Types.observe(e.Type)
	}
	decisions := l.scorer.Observe(l.look(c), &l.population, &scoring.Observation{
		Time: e.Time, Signal: signal, Value: e.Value, HasValue: e.HasValue, Properties: e.Properties,
	})
	l.cache.keep(c, l.at.Features)
	if !known && c.profile.Empty() { // an event without effect, of a customer without state: nothing to keep
		return
	}
	if h.id != 0 && !c.profile.Empty() {
		c.profile.Remember(h.id)
	}
	for i := range decisions {
		l.decide(c, &decisions[i], e.Offset, Due{}, l.cause(e))
	}
	l.fire(c, e, reached) // a late event may have brought a deadline to before the watermark
	l.retire(c, reached)
	l.arm(c, armed, probing)
	l.touch(c)
}

// look makes c the customer that the scorer looks at.
func (l *line) look(c *customer) *scoring.Customer {
	l.at = scoring.Customer{Profile: &c.profile, Features: l.cache.features(c), Draw: c.hash}
	return &l.at
}

// fire looks at the customer at each of its deadlines and probes up to minute, by the arrival of its event e.
func (l *line) fire(c *customer, e *Event, minute int64) {
	for c.profile.Armed != 0 && c.profile.Armed <= minute {
		l.wake(c, e.Offset, Due{})
	}
	l.probe(c, minute*minuteMillis)
}

// wake looks at the customer at its armed minute.
func (l *line) wake(c *customer, offset int64, due Due) {
	l.staged.tally.Woken++
	minute := c.profile.Armed
	l.probe(c, minute*minuteMillis)
	decisions := l.packs.scorers[c.profile.Generation].Wake(l.look(c))
	for i := range decisions {
		l.decide(c, &decisions[i], offset, due, scoring.Cause{Deadline: true, Time: minute * minuteMillis})
	}
	l.retire(c, minute)
}

// sweep fires deadlines in their order up to limit, as far as their customers are loaded, and notes how far it came.
func (l *line) sweep(limit Due) {
	if !l.clock.Started || l.due.loaded == math.MinInt64 {
		return
	}
	if end := bucketEnd(l.due.loaded); end.Compare(limit) < 0 {
		limit = end
	}
	for n := 0; l.looks > 0; l.looks-- {
		if n++; n%ahead == 1 {
			next := l.due.sorted
			l.cache.warm(l.cache.warmFind(len(next), func(n int) uint64 { return next[n].Hash }))
		}
		item, ok := l.due.peek(limit)
		if !ok {
			l.fired(limit)
			return
		}
		slot := l.cache.find(item.Hash, item.key)
		if slot < 0 {
			return // its profile is loaded for the next batch
		}
		l.due.drop()
		l.fired(item.Due)
		c := l.cache.at(slot)
		armed, probing := c.profile.Armed, l.probeMinute(c)
		if armed != item.Minute && probing != item.Minute || c.profile.Empty() {
			continue
		}
		l.probe(c, item.Minute*minuteMillis)
		if armed == item.Minute {
			l.wake(c, -1, item.Due)
		}
		l.arm(c, armed, probing)
		l.touch(c)
	}
}

// fired moves the mark of fired deadlines on, and drops the buckets that lie wholly below it.
func (l *line) fired(to Due) {
	if to.Compare(l.clock.Fired) <= 0 {
		return
	}
	from := bucketOf(l.clock.Fired.Minute)
	l.clock.Fired = to
	l.swept(to.Minute)
	for b := from; bucketEnd(b).Compare(to) <= 0; b++ {
		l.staged.sweep(b)
	}
}

// sweepTo is how far a sweep may fire: to the watermark; but while a rolled-back state is replayed, not beyond what the
// published position says was swept, so that what fires by a sweep and what by an event is as it was.
func (l *line) sweepTo() Due {
	to := Due{Minute: l.clock.Minute(), Hash: math.MaxUint64}
	if l.next < l.mark.Offset && l.mark.Fired.Compare(to) < 0 {
		return l.mark.Fired
	}
	return to
}

// sweeping reports whether there are deadlines to fire without waiting for a record.
func (l *line) sweeping() bool { return l.clock.Started && l.due.pending(l.sweepTo()) }

// atEdge reports whether no further record may be folded before a sweep has come as far as it has to: to the end of an epoch
// (atBarrier), to the watermark before another pack begins (turn), or in a replay that has reached the published offset as far
// as was published. A record would fire its customer's deadline, and what a sweep fired and published before the state was
// rolled back would be decided again under an offset that says it was not.
func (l *line) atEdge() bool {
	return l.atBarrier() || l.turning && l.sweeping() || l.next >= l.mark.Offset && l.clock.Fired.Compare(l.mark.Fired) < 0
}

// arm notes when to look at the customer again in its bucket, if that is another minute than before: at its deadline, and at its
// probe. They are two, so that probes neither move deadlines nor keep a customer from being removed.
func (l *line) arm(c *customer, armed, probing int64) {
	l.note(c, c.profile.Armed, armed)
	l.note(c, l.probeMinute(c), probing)
}

func (l *line) note(c *customer, minute, before int64) {
	if minute == before || minute == 0 {
		return
	}
	key := l.cache.key(c)
	l.staged.arm(minute, key)
	if bucketOf(minute) <= l.due.loaded {
		l.due.add(Due{Minute: minute, Hash: c.hash}, key)
	}
	l.staged.tally.Armed++
}

// decide appends a decision to the outbox, unless it was published before the state was rolled back.
func (l *line) decide(c *customer, d *scoring.Decision, offset int64, due Due, cause scoring.Cause) {
	s := l.staged
	if by := l.packs.scorers[c.profile.Generation]; l.probing && d.Score.Visits > 0 && by.Pack.Horizon == l.scorer.Pack.Horizon {
		d.Reading = l.curve.At(d.Score.Sum())
	}
	e := Entry{Kind: EntryAlert, Offset: offset, Due: due, Key: l.cache.key(c), Alert: scoring.Alert{Decision: *d, Cause: cause}, Generation: c.profile.Generation}
	if l.mark.Covers(&e) {
		s.tally.Suppressed++
		return
	}
	s.append(&e, nil)
	s.tally.Alerts[d.Transition]++
	s.tally.Tiers[d.Tier]++
}

// quarantine notes an unusable record. Its bytes are kept in memory until they are published; after a takeover they are
// read from the input again.
func (l *line) quarantine(e *Event, r *Record) {
	q := Entry{Kind: EntryQuarantine, Offset: e.Offset, Code: e.Code}
	if l.mark.Covers(&q) {
		l.staged.tally.Suppressed++
		return
	}
	l.staged.tally.Quarantined[e.Code]++
	l.staged.append(&q, r.clone())
}

// touch marks the customer as changed by the batch.
func (l *line) touch(c *customer) {
	c.used = l.number
	if !c.dirty {
		c.dirty = true
		l.staged.slots = append(l.staged.slots, c.slot)
	}
}

// stage completes the commit with the profiles that changed and with where the partition stands.
func (l *line) stage() {
	s := l.staged
	s.profiles = slices.Grow(s.profiles, usualProfile*len(s.slots))
	for i, slot := range s.slots {
		if i%ahead == 0 {
			l.cache.warm(s.slots[i:min(i+ahead, len(s.slots))])
		}
		c := l.cache.at(slot)
		c.dirty = false
		s.profile(l.cache.key(c), l.look(c))
	}
	s.finish()
	m := &s.commit.Meta
	m.Next, m.Clock, m.Population, m.Poison, m.Learnt = l.next, l.clock.clone(), l.population, l.poison, l.learnt
	m.Pack, m.Packs = l.scorer.Pack.Hash, slices.Clip(l.packs.refs)
}
