package line

import (
	"ebb/pipeline"
	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/profile"
)

// assignArm gives each alert its customer's arm while a holdout is on. It withholds nothing: what is decided about the
// held-out arm is published, in a topic of its own. The arm of an episode is drawn when it is raised and holds to its
// end and beyond, so that whoever reads one of the topics sees whole episodes.
func assignArm(d *decided) string {
	h, kind := &d.Customer.Holdout, profile.KindSet(1)<<d.Alert.Kind
	if d.Alert.Transition == scoring.Raised {
		h.Assigned &^= kind
		h.HeldOut &^= kind
		if d.Settings.Holdout.On() {
			d.drawArm(kind)
		}
		return ""
	}
	switch {
	case h.HeldOut&kind != 0:
		d.Alert.Assigned.Arm = alert.HeldOut
	case h.Assigned&kind != 0:
		d.Alert.Assigned.Arm = alert.Treated
	}
	return ""
}

// drawArm draws the arm of an episode that is raised.
func (d *decided) drawArm(kind profile.KindSet) {
	by, h := &d.Settings.Holdout, &d.Customer.Holdout
	d.Alert.Assigned = by.Assign(d.Key, by.Epoch(d.Alert.At))
	d.Tells = h.Newer(by.Rules(), d.Alert.Assigned.Epoch)
	h.Assigned |= kind
	if d.Alert.Assigned.Arm == alert.HeldOut {
		h.HeldOut |= kind
	}
}

// tellArm publishes the arm of a customer whose event is folded, the first time in an epoch. The epoch is that of the
// watermark: an event may be late, or its clock wrong. In history nobody acts on anything yet.
func (l *Line) tellArm(c *customer) {
	by := &l.settings.Holdout
	if !by.On() || !l.meta.Clock.Started || !l.meta.First.Raises() || c.profile.Empty() {
		return
	}
	if epoch := by.Epoch(l.meta.Clock.Watermark); c.profile.Holdout.Newer(by.Rules(), epoch) {
		key := l.cache.key(c)
		l.announceArm(key, by.Assign(key, epoch))
	}
}

// forgetArm has the arm of a customer whose state is removed removed from the topic, too.
func (l *Line) forgetArm(c *customer) {
	if c.profile.Holdout.Epoch != 0 {
		l.announceArm(l.cache.key(c), alert.Assignment{})
	}
}

// announceArm appends an arm of a customer to the outbox, unless it was published before the state was rolled back.
func (l *Line) announceArm(key []byte, arm alert.Assignment) {
	e := pipeline.Entry{Kind: pipeline.EntryAudience, Key: key}
	if e.Alert.Assigned = arm; arm.Epoch != 0 {
		e.Until = l.settings.Holdout.Ends(arm.Epoch)
	}
	if l.put(&e); !l.mark.Covers(&e) {
		l.staged.append(&e, nil)
	}
}
