package pipeline

import (
	"encoding/base64"
	"fmt"

	"ebb/scoring"
)

// A partition's customers share what became of their probes (scoring.Calibration), and sweeps may be late; yet what an alert
// says must not depend on when a sweep came round. So what has been learnt is used an epoch at a time, and epochs close at
// barriers. With W the watermark and E the end of the open epoch:
//
//   - The record that takes W to E or beyond is the last to be folded until the sweep has fired every deadline before E. Then
//     the epoch closes, its counts join the table, the curve is worked out once, and folding goes on.
//   - What resolves is counted in the epoch that is open, decisions are read off the curve of the last that closed.
//
// Which epoch a probe is counted in, and which curve a decision reads, then follows from the records alone:
//
//   - By an event at offset X: the one that is open at X, which is that of W as of the records before X, since no barrier lies
//     open before X and none further has been reached.
//   - By a deadline in minute m: it fires by a sweep, or by its customer's next event, and both give the epoch that m lies in.
//     A sweep passes E only where the epoch closes, so it fires m before the one and after the other. An event that comes
//     before the sweep finds m at most W, or a sweep could not have fired it at all. Had W left m's epoch before the event,
//     the barrier would have had the sweep fire it; so the epoch open at the event is m's. A deadline between W and the
//     event's own time only that event can fire.
//   - A late event may arm a minute of a closed epoch. The same event fires it, so it counts as the event's.
//
// Counts are whole numbers, so within an epoch no order matters. Table and counts are part of Meta: a state that was rolled back
// takes them back along, and comes through the same barriers again. While it is replayed a sweep does not pass what was
// published (line.sweepTo). That is no obstacle to a barrier: had records behind it been published, so had its sweep. Where
// the published sweep did stop before E, there are no records left below the published offset, or a build without barriers
// folded them; then the barrier waits for that offset.

// Learnt is what a partition has learnt from the probes of its customers.
type Learnt struct{ scoring.Calibration }

// MarshalText encodes l for JSON.
func (l *Learnt) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, scoring.AppendCalibration(nil, &l.Calibration)), nil
}

// UnmarshalText is the inverse of MarshalText.
func (l *Learnt) UnmarshalText(text []byte) error {
	b, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err == nil {
		err = scoring.ReadCalibration(b, &l.Calibration)
	}
	if err != nil {
		return fmt.Errorf("what was learnt from probes: %w", err)
	}
	return nil
}

// atBarrier reports whether the open epoch is over: no further record may be folded before the sweep has closed it. Epochs begin
// when event time does.
func (l *line) atBarrier() bool {
	if l.clock.Watermark < l.learnt.End*minuteMillis || !l.probing || !l.clock.Started {
		return false
	}
	if l.learnt.End == 0 {
		l.scorer.Pack.Model.Advance(&l.learnt.Calibration, l.clock.Minute())
		return false
	}
	return l.next >= l.mark.Offset || l.mark.Fired.Minute >= l.learnt.End
}

// pass takes the line over a barrier within a batch, where all that is due before it is at hand. False: the rest of the batch has
// to wait for sweeps of its own.
func (l *line) pass() bool {
	for end := l.learnt.End; l.atBarrier(); end = l.learnt.End {
		l.sweep(Due{Minute: end})
		if l.learnt.End == end {
			return false
		}
	}
	return true
}

// within is the minute up to which a batch needs its due buckets: the watermark as of before it, and if its events reach as far,
// the end of the open epoch (pass). They may reach farther by clocks that are years ahead.
func (l *line) within(reach int64) int64 {
	minute := l.clock.Minute()
	if l.probing && l.learnt.End != 0 && reach >= l.learnt.End {
		return max(minute, l.learnt.End)
	}
	return minute
}

// swept closes the epochs that a sweep up to the beginning of a minute has left behind.
func (l *line) swept(minute int64) {
	if l.probing && l.learnt.End != 0 && minute >= l.learnt.End && l.scorer.Pack.Model.Advance(&l.learnt.Calibration, minute) {
		l.curve = l.learnt.Curve()
	}
}

// probe brings the customer's probes up to an instant. The table is the newest pack's, so customers of another are not probed.
func (l *line) probe(c *customer, until int64) {
	if next := int64(c.profile.Probe.Next); next != 0 && next*minuteMillis <= until && l.probing && c.profile.Generation == l.generation {
		l.scorer.Eval.Probe(l.look(c), until, &l.learnt.Calibration)
	}
}

// probeMinute is the minute at which to bring the customer's probes up to date; 0: none.
func (l *line) probeMinute(c *customer) int64 {
	if !l.probing || c.profile.Generation != l.generation {
		return 0
	}
	return l.scorer.Pack.Model.ProbeMinute(&c.profile)
}
