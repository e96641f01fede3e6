package line

import (
	"cmp"
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/scoring/profile"
)

// A raise may be held (decided.Hold): its episode goes on in the profile, nothing of it is published, and later it is
// decided anew (release). Or its episode ends first: then nothing is said of it at all.

// goneHorizons is after how many horizons of silence a customer is gone: an initial alert about it would come too late.
const goneHorizons = 2

// goneLimit is how many held raises of customers who are gone a commit removes.
const goneLimit = 5_000

// heldSet is a partition's held raises. The store holds the same.
type heldSet struct {
	meta    *pipeline.Meta           // the partition's: which silences are in force
	all     map[string]pipeline.Held // by customer's key and kind
	before  int                      // how many there were as of the commit before
	changed map[string]struct{}      // since then

	lanes map[laneName]*lane
	gone  []string // of a history that is over: never to be released; some are held no more
}

// laneName is why raises are held, and for a budget whose.
type laneName struct {
	reason pipeline.HoldReason
	budget string
}

// lane is what is held for one reason, and for one budget.
type lane struct {
	count   int
	reviews map[review]int // how many by when they may be released
	ranks   map[int]int    // how many by priority

	// what a release has left of those up to a minute, in the order in which they are released; some are held no more. It
	// is made by the first release that needs it, and follows from what is held.
	queue []heldRaise
	until int64
	whole bool // nothing was added since
}

// review is when a raise may be released: from a minute on, or as soon as its silence is over, and before the hour in which
// it is out of date; 0: it never is.
type review struct{ minute, silence, expires int64 }

func reviewOf(raise *pipeline.Held) review {
	return review{raise.Review, raise.Silence, pipeline.FloorDiv(raise.Expires, pipeline.HourMillis)}
}

// heldRaise is a held raise on its way out.
type heldRaise struct {
	key      string // of the customer and the kind
	hash     uint64 // of the customer
	priority int
	number   int64 // of the release
	slot     int32 // where the customer is cached
}

func (r *heldRaise) customer() []byte {
	customer, _ := pipeline.SplitHeldKey(r.key)
	return []byte(customer)
}

// ReadHeld reads what the store holds. Errors: pipeline.ErrHeldDamaged.
func ReadHeld(entries []pipeline.HeldEntry) (map[string]pipeline.Held, error) {
	all := make(map[string]pipeline.Held, len(entries))
	for _, e := range entries {
		h, err := pipeline.ReadHeld(e)
		if err != nil {
			return nil, fmt.Errorf("%w: %x", err, e.Key)
		}
		all[string(e.Key)] = h
	}
	return all, nil
}

func newHeldSet(all map[string]pipeline.Held, m *pipeline.Meta) heldSet {
	if all == nil {
		all = map[string]pipeline.Held{}
	}
	h := heldSet{meta: m, all: all, before: len(all), changed: map[string]struct{}{}, lanes: map[laneName]*lane{}}
	for _, raise := range all {
		h.count(raise, 1)
	}
	if f := &m.First; f.Over {
		h.giveUp(f.Gone)
	}
	return h
}

// count notes that there are n more raises like one.
func (h *heldSet) count(raise pipeline.Held, n int) {
	l := h.lane(raise.Reason, raise.Lane)
	l.count += n
	if l.ranks[raise.Priority] += n; l.ranks[raise.Priority] == 0 {
		delete(l.ranks, raise.Priority)
	}
	at := reviewOf(&raise)
	if l.reviews[at] += n; l.reviews[at] == 0 {
		delete(l.reviews, at)
	}
}

// lane is that of a reason, and of a budget; empty: it is held for no budget.
func (h *heldSet) lane(reason pipeline.HoldReason, budget string) *lane {
	name := laneName{reason, budget}
	if h.lanes[name] == nil {
		h.lanes[name] = &lane{reviews: map[review]int{}, ranks: map[int]int{}}
	}
	return h.lanes[name]
}

// place is how many wait for a budget that are no less important than a priority.
func (l *lane) place(priority int) (n int) {
	for of, waiting := range l.ranks {
		if of >= priority {
			n += waiting
		}
	}
	return n
}

// has reports whether a raise is held.
func (h *heldSet) has(key string) bool {
	_, is := h.all[key]
	return is
}

func (h *heldSet) put(key string, raise pipeline.Held) {
	if before, is := h.all[key]; is {
		h.count(before, -1)
	}
	h.count(raise, 1)
	if l := h.lane(raise.Reason, raise.Lane); h.due(reviewOf(&raise), l.until) {
		l.whole = false
	}
	h.all[key], h.changed[key] = raise, struct{}{}
}

func (h *heldSet) drop(key string) {
	h.count(h.all[key], -1)
	delete(h.all, key)
	h.changed[key] = struct{}{}
}

// counts is how many are held, by reason.
func (h *heldSet) counts() (n [pipeline.NumHoldReasons]int) {
	for name, l := range h.lanes {
		n[name.reason] += l.count
	}
	return n
}

// waiting is how many of a lane may be released by a minute.
func (h *heldSet) waiting(l *lane, minute int64) (n int) {
	for at, of := range l.reviews {
		if h.due(at, minute) {
			n += of
		}
	}
	return n
}

// due reports whether what waits for a review may be released by a minute.
func (h *heldSet) due(at review, minute int64) bool {
	return (at.minute <= minute || at.silence != 0 && !h.meta.Silences.Has(at.silence)) && !at.expired(minute)
}

// expired reports whether what expires is out of date, in the hour of a minute.
func (at review) expired(minute int64) bool {
	return at.expires != 0 && at.expires <= pipeline.FloorDiv(minute, hour)
}

// expired is how many of a lane are out of date, in the hour of a minute.
func (l *lane) expired(minute int64) (n int) {
	for at, of := range l.reviews {
		if at.expired(minute) {
			n += of
		}
	}
	return n
}

// lastReview is the last minute from which any of a reason may be released.
func (h *heldSet) lastReview(reason pipeline.HoldReason) (last int64) {
	for at := range h.lane(reason, "").reviews {
		last = max(last, at.minute)
	}
	return last
}

// reviewed reports whether any may be released from a minute on that lies behind one and not behind another.
func (h *heldSet) reviewed(after, until int64) bool {
	for _, l := range h.lanes {
		for at := range l.reviews {
			if after < at.minute && at.minute <= until {
				return true
			}
		}
	}
	return false
}

// changes appends to dst what has changed since the commit before.
func (h *heldSet) changes(dst []pipeline.HeldEntry) []pipeline.HeldEntry {
	for key := range h.changed {
		e := pipeline.HeldEntry{Key: []byte(key)}
		if raise, ok := h.all[key]; ok {
			e.Value = pipeline.AppendHeld(nil, raise)
		}
		dst = append(dst, e)
	}
	clear(h.changed)
	return dst
}

// giveUp sets those aside of a history that is over which began before an instant: nothing releases them.
func (h *heldSet) giveUp(before int64) {
	for key, raise := range h.all {
		if raise.Reason == pipeline.HeldHistory && raise.Since < before {
			h.gone = append(h.gone, key)
		}
	}
}

// pop moves to dst what a release takes: the most important of those that may be released.
func (h *heldSet) pop(dst []heldRaise, r *pipeline.Release) []heldRaise {
	l := h.lane(r.Of(), r.Lane)
	if !l.whole || r.Until < l.until || r.Lane != "" && r.Until > l.until ||
		h.waiting(l, r.Until) > h.waiting(l, l.until) {
		l.queue = h.arrange(l.queue[:0], r)
	}
	l.until, l.whole = r.Until, true
	for n := r.Count; n > 0 && len(l.queue) > 0; l.queue = l.queue[1:] {
		if next := l.queue[0]; h.takes(r, h.all[next.key]) {
			next.number = r.Number
			dst = append(dst, next)
			n--
		}
	}
	return dst
}

// takes reports whether a release may take a raise.
func (h *heldSet) takes(r *pipeline.Release, raise pipeline.Held) bool {
	return raise.Reason == r.Of() && raise.Lane == r.Lane && h.due(reviewOf(&raise), r.Until)
}

// arrange appends to dst all that a release may take, in order.
func (h *heldSet) arrange(dst []heldRaise, r *pipeline.Release) []heldRaise {
	for key, raise := range h.all {
		if h.takes(r, raise) {
			customer, _ := pipeline.SplitHeldKey(key)
			dst = append(dst, heldRaise{key: key, hash: pipeline.KeyHash([]byte(customer)), priority: raise.Priority})
		}
	}
	slices.SortFunc(dst, func(a, b heldRaise) int {
		return cmp.Or(b.priority-a.priority, cmp.Compare(a.hash, b.hash), cmp.Compare(a.key, b.key))
	})
	return dst
}

// hold keeps a raise that a stage holds.
func (l *Line) hold(on *decided) {
	readProbability(on)
	raise := pipeline.Held{
		Reason: on.Hold, Tier: on.Alert.Tier, Priority: on.Alert.Priority(on.Pack), Episode: on.Alert.Episode,
		Opener: on.Alert.Opener, Since: on.Alert.Since, At: on.Alert.At, Review: on.Review, Silence: on.Silence,
		Initial: on.Was.Initial || on.Hold == pipeline.HeldHistory, Lane: on.Lane,
	}
	if on.Hold == pipeline.HeldBudget {
		raise.Expires = on.Alert.Expires
	}
	if on.Was.Reason != 0 { // it is held on
		raise.At = on.Was.At
	}
	l.held.put(heldKey(on.Key, on.Alert.Kind), raise)
}

// follow brings a held raise up to date with what its episode has come to.
func (l *Line) follow(on *decided) {
	key := heldKey(on.Key, on.Alert.Kind)
	raise, held := l.held.all[key]
	switch {
	case !held:
	case !on.Customer.Episode(on.Alert.Kind).Open():
		l.withdraw(key, on.Alert.Transition.String(), on.Alert.At)
	case !l.placed(raise, on.Alert.At):
		readProbability(on)
		raise.Priority = on.Alert.Priority(on.Pack)
		if lane := on.lane(); raise.Reason == pipeline.HeldBudget && lane != "" {
			raise.Lane = lane
		}
		l.held.put(key, raise)
	}
}

// placed reports whether the place of a held raise among the others is fixed as of an instant: it may be released. One that
// waits for a budget may wait for days.
func (l *Line) placed(raise pipeline.Held, at int64) bool {
	switch raise.Reason {
	case pipeline.HeldHistory:
		return l.meta.First.Over
	case pipeline.HeldBudget:
		return false
	default:
		return at >= raise.Review*pipeline.MinuteMillis
	}
}

// withdraw ends what is held: it never becomes an alert, for its end has come at an event time in ms.
func (l *Line) withdraw(key, end string, at int64) {
	customer, kind := pipeline.SplitHeldKey(key)
	held := l.held.all[key]
	r := held.Ruling(pipeline.Withdrawn, kind, at)
	r.End = end
	l.record([]byte(customer), r)
	l.forgo(key)
}

// forgo withdraws a held raise without a word.
func (l *Line) forgo(key string) {
	l.staged.Tally.Withdrawn[l.held.all[key].Reason]++
	l.held.drop(key)
}

// withdrawAll ends all that is held of a customer, who is gone, or erased, as of a minute.
func (l *Line) withdrawAll(c *customer, end string, minute int64) {
	for n := range c.profile.Withheld.All {
		if key := heldKey(l.cache.key(c), n); l.held.has(key) {
			l.withdraw(key, end, minute*pipeline.MinuteMillis)
		}
	}
}

func heldKey(customer []byte, n profile.Kind) string {
	return string(pipeline.AppendHeldKey(make([]byte, 0, len(customer)+1), customer, n))
}
