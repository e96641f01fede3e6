package line

import (
	"ebb/pipeline"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

// Held raises are released some at a time, as the owner's clock allows. The line knows no clock: the owner asks, and a
// control record says how many are released before which record, or at the end of the log. Which ones they are, and what
// becomes of each, follows from the state: a replay repeats it.

// hour is in minutes.
const hour = pipeline.HourMillis / pipeline.MinuteMillis

// MayRelease reports whether held raises may be released now: not in history, nor in a replay.
func (l *Line) MayRelease() bool {
	return l.MayChange() && l.meta.First.Raises() && l.meta.Clock.Started
}

// Waiting is how many raises that are held for a reason may be released now.
func (l *Line) Waiting(reason pipeline.HoldReason) int {
	if !l.MayRelease() {
		return 0
	}
	return l.held.waiting(l.held.lane(reason, ""), l.meta.Clock.Minute())
}

// First is how far the partition is with its history.
func (l *Line) First() *pipeline.FirstStart { return &l.meta.First }

// Release asks for a release of n raises that are held for a reason, as of at, by the owner's clock. It applies as soon
// as what is due by the watermark has fired.
func (l *Line) Release(reason pipeline.HoldReason, n int, at int64) {
	r := pipeline.Release{Number: l.meta.First.Releases + 1, Until: l.meta.Clock.Minute(), Count: n, At: at}
	if reason != pipeline.HeldHistory {
		r.Reason = reason.String()
	}
	l.wanted = &pipeline.Change{Kind: pipeline.ControlRelease, Release: r}
}

// ReleaseAsked asks for a release of n of those that are held for a reason, whether they may be released yet or not, since
// a person asks for it. last: with it all that was asked is done.
func (l *Line) ReleaseAsked(a *pipeline.Asked, n int, last bool, at int64) {
	reason := pipeline.HoldReasonOf(a.Reason)
	l.Release(reason, n, at)
	r := &l.wanted.Release
	r.Until = max(r.Until, l.held.lastReview(reason))
	r.Asked, r.Last, r.By, r.Why = a.ID, last, a.By, a.Why
}

// Changing reports whether a release or a silence is to be applied.
func (l *Line) Changing() bool { return l.wanted != nil }

// proposeWanted is the control record that the owner asked for; nil: for none.
func (l *Line) proposeWanted() *Change {
	if l.wanted == nil {
		return nil
	}
	return &Change{Offset: l.meta.Next, Change: *l.wanted}
}

// beginRelease takes the raises of a release out of the queue. The batch then loads their customers.
func (l *Line) beginRelease(r *pipeline.Release) {
	l.wanted = nil
	f := &l.meta.First
	if f.Releases = r.Number; r.Of() == pipeline.HeldHistory {
		f.At = r.At
	}
	if r.Of() == pipeline.HeldBudget {
		l.beginBudget(r)
	}
	l.releasing = l.held.pop(l.releasing, r)
}

// release decides the raises anew that the control records before the batch release.
func (l *Line) release() {
	l.expire()
	for i := range l.releasing {
		r := &l.releasing[i]
		if l.held.has(r.key) { // else another raise of its customer was released
			l.releaseOne(r, l.cache.at(r.slot))
		}
	}
	clear(l.releasing)
	l.releasing = l.releasing[:0]
}

// releaseOne raises what is held, as of the watermark, unless its customer is gone by now, or its source is stalled: then
// nobody can say whether it is silent, and it is held until the next full hour. One of history takes the place of all that
// history holds of the customer. A silence that matches it holds it once more.
func (l *Line) releaseOne(r *heldRaise, c *customer) {
	held, minute := l.held.all[r.key], l.meta.Clock.Minute()
	l.place = place{release: r.number}
	defer l.arm(c, c.profile.Armed, l.probeMinute(c))
	switch stalled := l.thaw(c, minute); {
	case stalled:
		held.Review = (pipeline.FloorDiv(minute, hour) + 1) * hour
		l.held.put(r.key, held)
		return
	case l.left(c, held):
		l.staged.Tally.Gone++
		l.withdraw(r.key, pipeline.EndGone, minute*pipeline.MinuteMillis)
		return
	}
	if l.raiseHeld(r, c); held.Reason == pipeline.HeldHistory && !l.held.has(r.key) {
		l.cover(c, minute)
	}
	l.touch(c)
}

// cover ends all else that history holds of a customer.
func (l *Line) cover(c *customer, minute int64) {
	for n := range profile.NumKinds {
		if other := heldKey(l.cache.key(c), n); l.held.all[other].Reason == pipeline.HeldHistory {
			l.withdraw(other, pipeline.EndCovered, minute*pipeline.MinuteMillis)
		}
	}
}

// left reports whether a customer of history is gone by now: an initial alert would come too late.
func (l *Line) left(c *customer, held pipeline.Held) bool {
	return held.Initial &&
		l.meta.Clock.Watermark-held.Since > goneHorizons*l.packOf(c).Horizon.Milliseconds()
}

// raiseHeld decides a held raise anew.
func (l *Line) raiseHeld(r *heldRaise, c *customer) {
	_, kind := pipeline.SplitHeldKey(r.key)
	held := l.held.all[r.key]
	decisions := l.packs.scorers[c.profile.PackEpoch].Release(l.look(c), kind, l.meta.Clock.Minute())
	c.profile.Withheld &^= 1 << kind
	if len(decisions) == 0 { // its silence, less what its source was stalled, is too short
		l.withdraw(r.key, pipeline.EndUnseen, l.meta.Clock.Minute()*pipeline.MinuteMillis)
		l.retire(c, l.meta.Clock.Minute())
	}
	for i := range decisions {
		d := &decisions[i]
		if d.Initial = held.Initial; !d.Initial {
			d.HeldFor = max((d.At-held.At)/1000, 1)
		}
		l.held.drop(r.key)
		on := l.decision(c, d, alert.Cause{Deadline: true, Time: d.At})
		on.Was = held
		if l.conclude(on, pass(released[:], on)); on.Hold == 0 {
			l.spend(on)
			l.staged.Tally.Released[held.Reason]++
			l.recordDecision(on, pipeline.Released, held.Reason.String())
		}
	}
}
