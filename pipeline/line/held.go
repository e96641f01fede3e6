package line

import (
	"cmp"
	"fmt"
	"slices"

	"ebb/pipeline"
	"ebb/scoring"
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
	all     map[string]pipeline.Held // by customer's key and kind
	before  int                      // how many there were as of the commit before
	changed map[string]struct{}      // since then

	// once history is over:
	cut     int64       // see pipeline.FirstStart.Gone
	queue   []heldRaise // to be released, in that order; some are held no more
	gone    []string    // not to be released; some are held no more
	waiting int         // held ones of queue
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

func newHeldSet(all map[string]pipeline.Held, f *pipeline.FirstStart) heldSet {
	if all == nil {
		all = map[string]pipeline.Held{}
	}
	h := heldSet{all: all, before: len(all), changed: map[string]struct{}{}}
	if f.Over {
		h.arrange(f.Gone)
	}
	return h
}

// has reports whether a raise is held.
func (h *heldSet) has(key string) bool {
	_, is := h.all[key]
	return is
}

func (h *heldSet) put(key string, raise pipeline.Held) {
	h.all[key], h.changed[key] = raise, struct{}{}
}

func (h *heldSet) drop(key string) {
	if h.queue != nil && h.all[key].Since >= h.cut {
		h.waiting--
	}
	delete(h.all, key)
	h.changed[key] = struct{}{}
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

// arrange divides what is held at the end of history into what began before cut, and what is released: the most
// important first.
func (h *heldSet) arrange(cut int64) {
	h.cut, h.queue = cut, make([]heldRaise, 0, len(h.all))
	for key, raise := range h.all {
		if raise.Since < cut {
			h.gone = append(h.gone, key)
			continue
		}
		customer, _ := pipeline.SplitHeldKey(key)
		h.queue = append(h.queue, heldRaise{
			key: key, hash: pipeline.KeyHash([]byte(customer)), priority: raise.Priority,
		})
	}
	slices.SortFunc(h.queue, func(a, b heldRaise) int {
		return cmp.Or(b.priority-a.priority, cmp.Compare(a.hash, b.hash), cmp.Compare(a.key, b.key))
	})
	h.waiting = len(h.queue)
}

// pop moves the next n of the queue to dst, for a release of that number.
func (h *heldSet) pop(dst []heldRaise, n int, number int64) []heldRaise {
	for ; n > 0 && len(h.queue) > 0; h.queue = h.queue[1:] {
		if next := h.queue[0]; h.has(next.key) {
			next.number = number
			dst = append(dst, next)
			n--
		}
	}
	return dst
}

// hold keeps a raise that a stage holds.
func (l *Line) hold(on *decided) {
	readProbability(on)
	l.held.put(heldKey(on.Key, on.Alert.Kind), pipeline.Held{
		Reason: on.Hold, Priority: on.Alert.Priority(on.Pack), Since: on.Alert.Since,
	})
}

// follow brings a held raise up to date with what its episode has come to.
func (l *Line) follow(on *decided) {
	key := heldKey(on.Key, on.Alert.Kind)
	raise, held := l.held.all[key]
	switch {
	case !held:
	case !on.Customer.Episode(on.Alert.Kind).Open():
		l.forgo(key)
	case l.held.queue == nil: // then its place is fixed
		readProbability(on)
		raise.Priority = on.Alert.Priority(on.Pack)
		l.held.put(key, raise)
	}
}

// forgo withholds a held raise for good.
func (l *Line) forgo(key string) {
	_, kind := pipeline.SplitHeldKey(key)
	l.staged.Tally.withholdDecision(l.held.all[key].Reason.String(), kind, scoring.Raised)
	l.held.drop(key)
}

// forgoAll withholds all held raises of a customer.
func (l *Line) forgoAll(c *customer) {
	for n := range c.profile.Withheld.All {
		if key := heldKey(l.cache.key(c), n); l.held.has(key) {
			l.forgo(key)
		}
	}
}

func heldKey(customer []byte, n profile.Kind) string {
	return string(pipeline.AppendHeldKey(make([]byte, 0, len(customer)+1), customer, n))
}
