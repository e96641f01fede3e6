package scoring

import (
	"slices"
)

// Transition is what happened to an episode. The numbers are stored in outboxes; the names are a contract.
type Transition uint8

// The closed list of transitions, all but Cancelled in use. An episode other than a lapse opens by an event, moves between
// its openings' floors, and ends by an event or by itself.
const (
	TransitionNone Transition = iota
	Raised                    // the customer is overdue, and the score in the tier from which its episodes open
	Escalated                 // an open episode reaches a higher tier
	Deescalated               // in an episode of several openings the one with the highest floor ended
	Reminded                  // the next step of a lapse's play is due
	Recovered                 // the customer is back: the episode ends
	Churned                   // the customer has done nothing for a horizon since the raise: the lapse ends
	Expired                   // an episode other than a lapse ends by itself
	Cancelled
	Corrected // activity that arrived late shows that the lapse should not have been raised: it ends
	Converted // the pack's value action came within a horizon of the raise: of an open lapse, or of one that has ended
	NumTransitions
)

var transitionNames = [NumTransitions]string{
	"", "raised", "escalated", "deescalated", "reminded", "recovered", "churned", "expired", "cancelled", "corrected",
	"converted",
}

// TransitionNames are the names of the transitions in order, with that of TransitionNone first.
func TransitionNames() []string { return slices.Clone(transitionNames[:]) }

// Asks reports whether the transition asks somebody to act.
func (t Transition) Asks() bool { return t == Raised || t == Escalated || t == Reminded }

// Ends reports whether nothing is left to do after the transition: its episode ends, or has come to what it was raised
// for.
func (t Transition) Ends() bool {
	switch t {
	case Recovered, Churned, Expired, Cancelled, Corrected, Converted:
		return true
	default:
		return false
	}
}

// String is the transition's stable name, empty for TransitionNone.
func (t Transition) String() string {
	if t >= NumTransitions {
		return "unknown"
	}
	return transitionNames[t]
}
