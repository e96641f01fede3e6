package line

import (
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/model"
	"ebb/scoring/pack"
	"ebb/scoring/profile"
)

// Bounds of the work that one batch does besides its own events, so that a million deadlines at midnight do not hold up
// the stream.
const (
	sweepLimit  = 5_000 // deadlines looked at in a batch
	bucketLimit = 512   // due buckets loaded in a batch
)

// Line folds batches into the state of one partition. It has no service and no clock: its decisions are a function of
// the records, the pack and the state that the takeover has read. One goroutine owns it.
type Line struct {
	scorer *scoring.Scorer // of the newest pack
	epoch  uint8           // its number
	packs  *packEpochs

	configured pipeline.Settings
	settings   pipeline.Settings // in force
	homes      pipeline.Homes    // by them
	budgets    pipeline.Budgets  // the same
	partition  int
	identity   pipeline.Identity
	mark       pipeline.Mark // published when the partition was taken over: what lies below it is not decided again

	meta     pipeline.Meta // the partition's position, as of everything folded
	breaker  breaker
	folded   int64 // up to this offset records are folded, where a sweep fires deadlines in the middle of a batch
	poisoned error // why the next record is not folded: it is one unusable record too many

	ahead      []Change // of a replay: still to come
	applied    []Change // before the batch
	controlled bool     // a control record applies before the next record
	elapsed    int64    // minute to which the next batch may propose that time has passed; 0: none; see Elapse
	asked      bool     // whether anything is due or not; see Advance
	looks      int      // deadlines that this batch may still look at

	curves model.Curves // of the last closed epoch of learning

	held      heldSet
	wanted    *pipeline.Change // the owner asks for it: a release or a silence; nil: for nothing
	releasing []heldRaise      // by the controls before the batch
	expiring  []string         // keys of held raises that were out of date when these applied
	backfill  bool             // what is decided follows from a backfilled event alone

	cache  *cache
	due    *dueQueue
	number uint64 // of the batch being folded
	staged *Staged
	other  *Staged // the commit before, which may be in progress
	want   pipeline.Load
	slots  []int32 // parallel to want.Keys
	queued int     // of want.Buckets, those for the sweeps

	erased map[string]struct{} // keys of the customers whom the batch has erased so far

	place    place          // of what is being decided
	raisedBy int64          // the record by whose arrival a lapse was raised last; -1: a deadline was swept
	deciding decided        // memory of the decision that passes the stages
	ruling   pipeline.Entry // the same of the ledger's line
	repeated func(*pipeline.Entry, *pack.Pack)

	at profile.Customer // the customer that the scorer looks at
}

// Config is what the decisions of a line depend on, besides the records, the packs and the state that a takeover has
// read.
type Config struct {
	Identity       pipeline.Identity
	Settings       pipeline.Settings // configured; they begin with the next record that was not published
	Format         int               // in which state is written, which all members of the group read; see profile.Format
	CacheCustomers int               // profiles kept in memory
	// share of the last PoisonWindow records, above which unusable ones stop the partition; 0 or 1: none
	PoisonBreaker float64
	// records below this offset pass the breaker into the DLQ, however many; 0: only those that have passed before
	AcceptPoison int64
	// optional: gets each alert that is decided once more, and not published again, with the pack that decided it; both
	// are valid during the call
	Repeated func(*pipeline.Entry, *pack.Pack)
}

// New makes the line of a partition from what a takeover has read, with the packs of its customers.
func New(c *Config, s *pipeline.Standing, h *History) *Line {
	packs := newPackEpochs(h)
	s.Meta.Packs = h.Refs
	if s.Meta.First == (pipeline.FirstStart{}) {
		s.Meta.First = h.First
	}
	if s.Meta.Settings == (pipeline.Settings{}) {
		s.Meta.Settings = h.Settings
	}
	s.Meta.Storms = s.Meta.Storms.Clone() // it changes in place
	s.Meta.Storms.Number = max(s.Meta.Storms.Number, h.Storms)
	s.Meta.Silences = append(slices.Clip(s.Meta.Silences), h.Silences...)
	if s.Meta.Lanes = s.Meta.Lanes.Clone(); len(s.Meta.Lanes) == 0 {
		s.Meta.Lanes = h.Lanes
	}
	l := &Line{
		scorer: packs.newest(), epoch: uint8(len(packs.scorers) - 1), packs: packs, ahead: h.Ahead,
		configured: c.Settings,
		partition:  c.Identity.Partition, mark: s.Mark,
		meta: s.Meta, curves: s.Meta.Learnt.Curves(), identity: c.Identity,
		breaker: breaker{limit: breakerLimit(c.PoisonBreaker), passed: max(s.Mark.Offset, c.AcceptPoison)},
		cache:   newCache(c.CacheCustomers), due: newDueQueue(), number: 1,
		staged: newStaged(c.Format), other: newStaged(c.Format), repeated: c.Repeated,
		erased: map[string]struct{}{},
	}
	for _, e := range h.Erased {
		l.meta.Erased = l.meta.Erased.With(e)
	}
	l.beginSettings(s.Meta.Settings)
	l.held = newHeldSet(h.Held, &l.meta)
	return l
}

// Next is the offset of the next record to fold.
func (l *Line) Next() int64 { return l.meta.Next }

// Poisoned is why the record at Next is not folded: it is an unusable one over the limit. nil: it may be folded.
func (l *Line) Poisoned() error { return l.poisoned }

// Pack is the newest pack.
func (l *Line) Pack() *pack.Pack { return l.scorer.Pack }

// packOf is the pack of a customer.
func (l *Line) packOf(c *customer) *pack.Pack { return l.packs.scorers[c.profile.PackEpoch].Pack }

// Packs are the packs of the partition's customers, by number, as of now.
func (l *Line) Packs() []*pack.Pack {
	all := make([]*pack.Pack, len(l.packs.scorers))
	for i, s := range l.packs.scorers {
		all[i] = s.Pack
	}
	return all
}

// Size is how much there is of the partition.
func (l *Line) Size() Size {
	return Size{
		Due: l.due.size(), Customers: l.cache.count, Poisoned: l.meta.Poison.Count,
		Profiles: l.meta.Holds.Profiles, Ineligible: l.meta.Ineligible, Held: l.held.counts(),
	}
}

// Size is how much there is of a partition.
type Size struct {
	Due       int                          // armed deadlines in the hours that the watermark has reached
	Customers int                          // profiles in memory
	Poisoned  int                          // unusable ones among the last PoisonWindow records
	Held      [pipeline.NumHoldReasons]int // raises, by reason

	Profiles   int64 // in the store
	Ineligible int64 // of these, of customers whom the pack does not alert about yet
}

// Watermark is the partition's event time, in ms since the epoch; false before it has started.
func (l *Line) Watermark() (int64, bool) { return l.meta.Clock.Watermark, l.meta.Clock.Started }

// Wanted finds each event's customer in the cache and returns what has to be loaded first: the profiles of customers
// not found, those of customers whose deadlines a sweep is about to fire, and the due buckets that the watermark has
// entered.
func (l *Line) Wanted(b *Batch) *pipeline.Load {
	l.number++
	if !l.replaying() && !l.restAhead() {
		l.meta.Clock.Reach(&l.mark)
	}
	l.want.Keys, l.slots = l.want.Keys[:0], l.slots[:0]
	newest, erases := int64(0), false
	for i := range b.Events {
		if i%ahead == 0 {
			l.cache.warmFind(len(b.hashes)-i, func(n int) uint64 { return b.hashes[i+n].key })
		}
		b.slots[i] = -1
		if e := &b.Events[i]; e.Counts() {
			b.slots[i] = l.locate(b.hashes[i].key, e.Key)
			newest, erases = max(newest, e.Time), erases || e.Erase
		}
	}
	for i := range l.releasing {
		l.releasing[i].slot = l.locate(l.releasing[i].hash, l.releasing[i].customer())
	}
	l.due.upcoming(l.sweepTo(), sweepLimit, func(few []dueItem) {
		l.cache.warmFind(len(few), func(n int) uint64 { return few[n].Hash })
		for _, item := range few {
			l.locate(item.Hash, item.key)
		}
	})
	l.want.Buckets = l.due.wanted(
		l.want.Buckets[:0],
		&l.meta.Clock,
		max(l.within((newest-l.settings.LatenessMillis)/pipeline.MinuteMillis), l.elapsed),
		bucketLimit,
	)
	if l.queued = len(l.want.Buckets); erases {
		l.wantAll()
	}
	return &l.want
}

// locate returns the customer's slot. If the customer is not cached, locate notes that its profile has to be loaded.
func (l *Line) locate(hash uint64, key []byte) int32 {
	slot := l.cache.find(hash, key)
	if slot < 0 {
		l.cache.misses++
		slot = l.cache.insert(hash, key, l.number-1)
		l.cache.at(slot).erased = l.wasErased(key)
		l.want.Keys = append(l.want.Keys, l.cache.key(l.cache.at(slot)))
		l.slots = append(l.slots, slot)
	} else {
		l.cache.hits++
	}
	l.cache.at(slot).used = l.number
	return slot
}

// Loaded takes in the store's answer. Errors: *HardStop where it cannot be read.
func (l *Line) Loaded() error {
	for i, b := range l.want.Profiles {
		if b == nil {
			continue
		}
		c := l.cache.at(l.slots[i])
		c.stored = true
		l.at.Profile = &c.profile
		err := profile.Read(b, &l.at)
		if err == nil {
			err = l.fits(&l.at)
		}
		if err != nil {
			return pipeline.StateUnreadable(fmt.Errorf("profile of customer with key hash %016x: %w", c.hash, err))
		}
		c.ineligible = !l.packOf(c).Alerts(&c.profile)
		l.cache.keep(c, &l.at)
	}
	for i, bucket := range l.want.Buckets {
		if l.want.Due[i] == nil && l.meta.Buckets.Has(bucket) && !l.other.begun(bucket) {
			return l.identity.Lacks(&l.meta, l.meta.Holds, []int64{bucket})
		}
		var err error
		if i < l.queued {
			err = l.due.load(bucket, l.meta.Clock.Fired, l.stored(i)...)
		} else {
			err = l.soundDue(i)
		}
		if err != nil {
			return pipeline.StateUnreadable(err)
		}
	}
	return nil
}

// fits refuses a customer's state that does not belong to its pack.
func (l *Line) fits(c *profile.Customer) error {
	if n := len(l.packs.scorers); int(c.PackEpoch) >= n {
		return fmt.Errorf("pack %d of %d: %w", c.PackEpoch, n, profile.ErrDamaged)
	}
	return l.packs.scorers[c.PackEpoch].Fits(c)
}

// Fold is the line for one batch whose customers are loaded: each event in order, then the deadlines that are due. Its
// changes are staged for one commit. Records left in the batch are not folded: they lie beyond a barrier, or begin with
// the record that trips the breaker.
func (l *Line) Fold(b *Batch) *Staged {
	s := l.staged
	s.reset()
	l.proposeTime()
	l.folded = l.meta.Next
	l.announce()
	l.release()
	limit := l.sweepTo() // as of before these events, since what was due by then is loaded
	l.looks = 2 * sweepLimit
	n := 0
	for ; n < len(b.Events); n++ {
		if n%ahead == 0 {
			l.cache.warm(b.slots[n:min(n+ahead, len(b.slots))])
		}
		e := &b.Events[n]
		if l.folded = e.Offset; l.atBarrier() && !l.passBarrier() || !l.settled() {
			break
		}
		if l.poisoned = l.admit(e); l.poisoned != nil {
			break
		}
		switch {
		case e.Code != pipeline.Usable:
			l.quarantine(e, &b.Fetched.Records[n])
		case e.Anonymous:
			s.Tally.Anonymous++
		case e.Heartbeat:
			s.Tally.Heartbeats++
			l.clock(e, b.hashes[n].source)
			l.hear(e, b.hashes[n].source)
		case e.Erase:
			l.erase(e, &b.Fetched.Records[n], l.cache.at(b.slots[n]))
		default:
			l.event(e, b.hashes[n], l.cache.at(b.slots[n]))
			l.backfill = false
		}
	}
	s.Tally.Records = uint64(n)
	l.meta.Next = b.Fetched.Next
	if n < len(b.Events) {
		l.meta.Next = b.Events[n].Offset
	}
	b.skip(n)
	l.folded = l.meta.Next
	l.sweep(limit)
	l.leaveHistory()
	l.complete()
	l.staged, l.other = l.other, s
	return s
}

// event is the line for one event: dedupe, clock, fire, fold, score, decide, stages, outbox.
func (l *Line) event(e *pipeline.Event, h hashes, c *customer) {
	if c.erased && l.forgotten(e) {
		return
	}
	l.place = place{offset: e.Offset}
	known, armed, probing := !c.profile.Empty(), c.profile.Armed, l.probeMinute(c)
	defer l.arm(c, armed, probing)
	// as a sweep would have removed it, together with its recent ids
	if minute := l.meta.Clock.Minute(); l.gone(c, minute) {
		l.fire(c, minute)
		l.touch(c)
	}
	if l.duplicate(c, h.id) {
		return
	}
	reached := l.clock(e, h.key)
	source := l.hear(e, h.source)
	l.fire(c, reached)
	if c.profile.PackEpoch != l.epoch {
		l.migrate(c, e)
	}
	l.probe(c, e.Time-1)
	l.backfill = e.Backfill
	decisions := l.observe(c, e, source)
	if !known && c.profile.Empty() { // an event without effect on a customer without state: there is nothing to store
		return
	}
	l.remember(c, h.id)
	l.tellArm(c)
	for i := range decisions {
		l.decided(c, &decisions[i], l.cause(e)) // through the stages to the outbox
	}
	l.fire(c, reached) // a late event may have moved a deadline before the watermark
	l.retire(c, reached)
	l.touch(c)
}

// duplicate reports, and counts, an event whose id is among the customer's latest.
func (l *Line) duplicate(c *customer, id uint64) bool {
	if id == 0 || !c.profile.Seen(id) {
		return false
	}
	l.staged.Tally.Duplicates++
	return true
}

// remember notes the id of an event, if it has one, for a customer with state.
func (l *Line) remember(c *customer, id uint64) {
	if id != 0 && !c.profile.Empty() {
		c.profile.Remember(id)
	}
}

// clock moves the watermark by an event, and returns the minute that its own customer has reached: for its customer the
// event counts even where it does not move the watermark alone.
func (l *Line) clock(e *pipeline.Event, key uint64) (reached int64) {
	lateness := l.settings.LatenessMillis
	late, future := l.meta.Clock.Observe(key, e.Time, lateness, e.AppendTime, e.Timestamp)
	l.staged.Tally.observe(late, future)
	return pipeline.FloorDiv(max(l.meta.Clock.Watermark, e.Time-lateness), pipeline.MinuteMillis)
}

// observe folds an event into its customer, and returns the decisions.
func (l *Line) observe(c *customer, e *pipeline.Event, source uint8) []scoring.Decision {
	signal := pack.Signal{Known: true}
	if !e.Control {
		signal = l.scorer.Pack.Signal(e.Type, e.Properties...)
	}
	if e.BySubject {
		l.staged.Tally.BySubject++
	}
	if e.NoZone {
		l.staged.Tally.NoZone++
	}
	if e.NoChannel {
		l.staged.Tally.NoChannel++
	}
	if !signal.Known {
		l.staged.Tally.Unnamed++
		l.staged.Tally.Types.Observe(e.Type)
	}
	l.thaw(c, pipeline.FloorDiv(e.Time, pipeline.MinuteMillis))
	if signal.Activity {
		c.profile.ReturnAt(e.Time)
	}
	other := c.profile.Money.Other
	decisions := l.scorer.Observe(l.look(c), &l.meta.Population, &scoring.Observation{
		Time: e.Time, Signal: signal, Value: e.Value, HasValue: e.HasValue, Currency: e.Currency, Properties: e.Properties,
		Texts: e.Texts, Contact: e.Contact,
	})
	if l.scorer.TooLate {
		l.staged.Tally.TooLate++
	}
	l.staged.Tally.OtherCurrency += uint64(c.profile.Money.Other - other)
	l.cache.keep(c, &l.at)
	if signal.Activity && c.profile.Last == e.Time {
		l.meta.Sources.Depend(&c.profile, source, pipeline.FloorDiv(e.Time, pipeline.MinuteMillis))
	}
	if !l.scorer.Pack.Alerts(&c.profile) {
		l.staged.Tally.Ineligible++
	}
	return decisions
}

// look makes c the customer that the scorer looks at.
func (l *Line) look(c *customer) *profile.Customer {
	l.at = profile.Customer{
		Profile: &c.profile, Features: l.cache.features.of(c.slot), Facts: l.cache.facts.of(c.slot),
		Contact: l.cache.contacts.of(c.slot), Hash: c.hash,
	}
	return &l.at
}

// cause is the part of an alert about the event that caused it.
func (l *Line) cause(e *pipeline.Event) alert.Cause {
	return alert.Cause{EventID: e.ID, EventType: e.Type, Partition: l.partition, Offset: e.Offset, Time: e.Time}
}

// quarantine notes an unusable record. Its bytes are kept in memory until they are published; after a takeover they are
// read again from the input.
func (l *Line) quarantine(e *pipeline.Event, r *pipeline.Record) {
	q := pipeline.Entry{Kind: pipeline.EntryQuarantine, Offset: e.Offset, Due: l.meta.Clock.Fired, Code: e.Code}
	if l.mark.Covers(&q) {
		l.staged.Tally.withhold(Repeated)
		return
	}
	l.staged.Tally.Quarantined[e.Code]++
	l.staged.append(&q, r.Clone())
}

// touch marks the customer as changed by the batch.
func (l *Line) touch(c *customer) {
	c.used = l.number
	if !c.dirty {
		c.dirty = true
		l.staged.slots = append(l.staged.slots, c.slot)
	}
}

// complete completes the commit with the changed profiles and the partition's position.
func (l *Line) complete() {
	s := l.staged
	s.profiles = slices.Grow(s.profiles, usualProfile*len(s.slots))
	for i, slot := range s.slots {
		if i%ahead == 0 {
			l.cache.warm(s.slots[i:min(i+ahead, len(s.slots))])
		}
		c := l.cache.at(slot)
		c.dirty = false
		l.count(c)
		s.profile(l.cache.key(c), l.look(c))
	}
	l.unarm()
	for b := range s.due {
		if l.meta.Buckets.Add(b) {
			s.new = append(s.new, b)
		}
	}
	for _, b := range s.Commit.Swept {
		l.meta.Buckets.Remove(b)
	}
	l.meta.Storms.Forget(l.meta.Clock.Watermark)
	s.Commit.Held = l.held.changes(s.Commit.Held)
	l.meta.Holds.Held = int64(len(l.held.all))
	s.Tally.conserve(l.held.before, len(l.held.all))
	l.held.before = len(l.held.all)
	s.finish()
	l.meta.Pack = l.scorer.Pack.Hash
	l.meta.Format = s.format
	s.Commit.Meta = l.meta.Clone()
}

// count keeps the number of profiles in the store along with the customer's.
func (l *Line) count(c *customer) {
	switch holds := !c.profile.Empty(); {
	case holds && !c.stored:
		l.meta.Holds.Profiles++
	case !holds && c.stored:
		l.meta.Holds.Profiles--
	}
	c.stored = !c.profile.Empty()
	ineligible := c.stored && !l.packOf(c).Alerts(&c.profile)
	switch {
	case ineligible && !c.ineligible:
		l.meta.Ineligible++
	case !ineligible && c.ineligible:
		l.meta.Ineligible--
	}
	c.ineligible = ineligible
}
