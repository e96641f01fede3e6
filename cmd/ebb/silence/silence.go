// Package silence follows customers from one activity to the next, and measures what alerts are worth by what becomes
// of the silences they fall into.
//
//   - A silence runs from one activity of a customer to its next, if that is half a day later or more. The last one is
//     open.
//   - An alert belongs to the silence in which it comes; the first one of each counts.
//   - It is right when the customer is not back within a horizon after it. One so late that nobody can tell yet is left
//     out.
//   - A customer who is silent is caught within a span when an alert came that soon after the last activity.
//   - A customer's class is that at the silence's start.
package silence

import (
	"math"

	"ebb/scoring/profile"
)

// Lengths of time, in ms.
const (
	day = int64(24 * 60 * 60 * 1000)

	Least = day / 2 // a silence; activity closer than this to the last belongs to the same visit

	Never = int64(math.MaxInt64) // the end of an open silence, and the alert of one without
)

// Silence is a stretch of time in which a customer does nothing. Times are in ms since the epoch.
type Silence struct {
	Start, Next int64 // the last activity before it, and the first after it; Never: there is none
	Visits      int   // so far, at least half a day apart; 1: the customer has come once
	Typical     int64 // median of the customer's last 20 gaps between visits; 0: it has none
}

// Lasts reports that the silence goes on for longer than a length, in ms.
func (s *Silence) Lasts(length int64) bool { return s.Next == Never || s.Next-s.Start > length }

// Class tells customers apart by how often they have come.
type Class = profile.Class

// Classes.
const (
	OneTimer   = profile.OneTimer   // came once
	Occasional = profile.Occasional // neither of the others
	Regular    = profile.Regular    // came five times or more, with a typical gap of at most a sixth of the horizon
	Classes    = profile.NumClasses
)

// Class is the customer's at the silence's start, for a horizon in ms.
func (s *Silence) Class(horizon int64) Class { return ClassOf(s.Visits, s.Typical, horizon) }

// ClassOf is the class of a customer after so many visits, with a typical gap and for a horizon, in ms.
func ClassOf(visits int, typical, horizon int64) Class {
	const perHorizon = 6
	return profile.ClassOf(visits, typical*perHorizon <= horizon)
}
