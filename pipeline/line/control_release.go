package line

import (
	"ebb/pipeline"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

// Held raises are released some at a time, as the owner's clock allows. The line knows no clock: the owner asks, and a
// control record says how many are released before which record, or at the end of the log. Which ones they are, and what
// becomes of each, follows from the state: a replay repeats it.

// Waiting is how many held raises may be released, by what rules of the first start. 0 where none may be released now: in
// history, or in a replay.
func (l *Line) Waiting() (n int, f pipeline.FirstStart) {
	if !l.meta.First.Over || !l.meta.Clock.Started || len(l.ahead) > 0 || l.replaying() || l.AtEdge() {
		return 0, l.meta.First
	}
	return l.held.waiting, l.meta.First
}

// Release asks for a release of n held raises as of at, by the owner's clock. It applies as soon as what is due by the
// watermark has fired.
func (l *Line) Release(n int, at int64) {
	l.toRelease = &pipeline.Release{Number: l.meta.First.Releases + 1, Count: n, At: at}
}

// Releasing reports whether a release is to be applied.
func (l *Line) Releasing() bool { return l.toRelease != nil }

// proposeRelease is the control record of the release that the owner asked for; nil: it did not.
func (l *Line) proposeRelease() *Change {
	if l.toRelease == nil {
		return nil
	}
	return &Change{Offset: l.meta.Next, Change: pipeline.Change{Kind: pipeline.ControlRelease, Release: *l.toRelease}}
}

// beginRelease takes the raises of a release out of the queue. The batch then loads their customers.
func (l *Line) beginRelease(r pipeline.Release) {
	l.toRelease = nil
	l.meta.First.Releases, l.meta.First.At = r.Number, r.At
	l.releasing = l.held.pop(l.releasing, r.Count, r.Number)
}

// release decides the raises anew that the control records before the batch release.
func (l *Line) release() {
	for i := range l.releasing {
		r := &l.releasing[i]
		if l.held.has(r.key) { // else another raise of its customer was released
			l.releaseOne(r, l.cache.at(r.slot))
		}
	}
	clear(l.releasing)
	l.releasing = l.releasing[:0]
}

// releaseOne raises what is held, as of the watermark, unless its customer is gone by now. It takes the place of all that
// is held of the customer for the same reason.
func (l *Line) releaseOne(r *heldRaise, c *customer) {
	_, kind := pipeline.SplitHeldKey(r.key)
	held, k := l.held.all[r.key], l.packOf(c)
	if l.meta.Clock.Watermark-held.Since > goneHorizons*k.Horizon.Milliseconds() {
		l.staged.Tally.Gone++
		l.forgo(r.key)
		return
	}
	armed, probing := c.profile.Armed, l.probeMinute(c)
	l.thaw(c, l.meta.Clock.Minute())
	l.arm(c, armed, probing)
	decisions := l.packs.scorers[c.profile.PackEpoch].Release(l.look(c), kind, l.meta.Clock.Minute())
	for i := range decisions {
		d := &decisions[i]
		d.Initial = true
		c.profile.Withheld &^= 1 << kind
		l.held.drop(r.key)
		on := l.decision(c, d, alert.Cause{Deadline: true, Time: d.At})
		on.Offset, on.Due, on.Next, on.Release = -1, l.meta.Clock.Fired, l.meta.Next, r.number
		l.conclude(on, pass(released[:], on))
	}
	for n := range profile.NumKinds {
		if other := heldKey(l.cache.key(c), n); l.held.all[other].Reason == held.Reason {
			l.forgo(other)
		}
	}
	l.touch(c)
}
