package scoring

import (
	"cmp"
	"slices"
	"strconv"
)

// Reason says why an alert was raised, or ended. The codes are a contract.
type Reason uint8

// The closed list of reasons.
const (
	ReasonOverdue        Reason = iota // silent for longer than usual
	ReasonRareVisitor                  // long gaps even when nothing is wrong
	ReasonLittleActivity               // little activity of late
	ReasonNewCustomer                  // no long history
	ReasonFriction                     // recent negative events
	ReasonBack                         // came back
	NumReasons
)

var reasonCodes = [NumReasons]string{"overdue", "rare_visitor", "little_activity", "new_customer", "friction", "back"}

// String is the reason's stable code.
func (r Reason) String() string {
	if r >= NumReasons {
		return "unknown"
	}
	return reasonCodes[r]
}

const (
	maxReasons = 3   // in an alert
	minShare   = 0.1 // log-odds below which a term is no reason
)

// Terms of a customer that gives no cause for concern: comes about every third of a horizon, was active in one recent
// spell, has been known for a horizon. What a term has above it speaks for the reason.
const (
	calmRhythm = -1.5
	calmLevel  = -0.18
	calmTenure = -0.02
)

// weighed is a reason with the log-odds that speak for it.
type weighed struct {
	reason Reason
	share  float64
}

// reasons are those of an alert: what it was raised for, then the weightiest of what speaks for it.
func (d *Decision) reasons(dst []weighed) []weighed {
	if d.Transition == Recovered {
		return append(dst, weighed{reason: ReasonBack})
	}
	t := &d.Score.Terms
	more := []weighed{
		{ReasonRareVisitor, t[TermRhythm] - calmRhythm},
		{ReasonLittleActivity, t[TermLevel] - calmLevel},
		{ReasonNewCustomer, t[TermTenure] - calmTenure},
		{ReasonFriction, t[TermFriction]},
	}
	slices.SortStableFunc(more, func(a, b weighed) int { return cmp.Compare(b.share, a.share) })
	dst = append(dst, weighed{ReasonOverdue, t[TermSilence]})
	for _, w := range more[:maxReasons-1] {
		if w.share >= minShare {
			dst = append(dst, w)
		}
	}
	return dst
}

// appendSentence appends the reason in English, with its numbers and without anything that JSON would escape.
func (k *Pack) appendSentence(dst []byte, d *Decision, r Reason) []byte {
	s := &d.Score
	if s.Visits == 1 && (r == ReasonOverdue || r == ReasonRareVisitor) { // its usual gap is but an assumption
		if r == ReasonRareVisitor {
			return append(dst, "has not come back yet"...)
		}
		return appendSpan(append(dst, "came once, silent for "...), s.Silence)
	}
	switch r {
	case ReasonOverdue:
		dst = appendEvery(append(dst, "usually back every "...), exp(s.LnTypical))
		return appendSpan(append(dst, ", silent for "...), s.Silence)
	case ReasonRareVisitor:
		return appendEvery(append(dst, "comes back no more often than every "...), exp(s.LnTypical))
	case ReasonLittleActivity:
		dst = appendCount(append(dst, "little recent activity: "...), uint64(s.Visits), "visit")
		return appendSpan(append(dst, " in all, none for "...), s.Silence)
	case ReasonNewCustomer:
		return append(appendSpan(append(dst, "still new: first seen "...), s.Tenure), " ago"...)
	case ReasonFriction:
		dst = append(dst, "recent trouble, such as a failed payment, of weight "...)
		return strconv.AppendFloat(dst, float64(s.Friction*exp(-s.Idle/k.horizon)), 'f', 1, 64)
	case ReasonBack:
		return appendSpan(append(dst, "back after "...), days(d.Silence))
	default:
		return dst
	}
}

// appendSpan appends a span in whole days, or hours where it is under a day and a half.
func appendSpan(dst []byte, days float64) []byte {
	n, unit := wholeUnits(days)
	return appendCount(dst, n, unit)
}

// appendEvery appends a span as it follows "every": without the number 1.
func appendEvery(dst []byte, days float64) []byte {
	n, unit := wholeUnits(days)
	if n == 1 {
		return append(dst, unit...)
	}
	return appendCount(dst, n, unit)
}

func wholeUnits(days float64) (n uint64, unit string) {
	if days < 1.5 {
		if h := uint64(float64(days*24) + 0.5); h != 24 {
			return max(h, 1), "hour"
		}
	}
	return uint64(days + 0.5), "day"
}

func appendCount(dst []byte, n uint64, unit string) []byte {
	dst = append(strconv.AppendUint(dst, n, 10), ' ')
	dst = append(dst, unit...)
	if n != 1 {
		dst = append(dst, 's')
	}
	return dst
}
