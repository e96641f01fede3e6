package scoring

import "slices"

// Tier is where a risk score lies. The numbers are stored in profiles; the names are a contract.
type Tier uint8

// Tiers from calm to urgent. TierNone stands where there is none: no open episode, no activity yet.
const (
	TierNone Tier = iota
	Healthy
	Watch
	AtRisk
	Critical
	NumTiers
)

var tierNames = [NumTiers]string{"", "healthy", "watch", "at_risk", "critical"}

// TierNames are the names of the tiers, the first of none, in order.
func TierNames() []string { return slices.Clone(tierNames[:]) }

// String is the tier's stable name, empty for TierNone.
func (t Tier) String() string {
	if t >= NumTiers {
		return "unknown"
	}
	return tierNames[t]
}

// Transition is what happened to an episode. The numbers are stored in outboxes; the names are a contract.
type Transition uint8

// The closed list of transitions. Raised to Deescalated, Recovered and Expired are decided today; an episode that is
// no lapse opens by an event, moves between its openings' floors, and ends by an event or by itself.
const (
	TransitionNone Transition = iota
	Raised                    // the customer is overdue and at risk: an episode opens
	Escalated                 // an open episode reaches critical
	Deescalated               // of an episode of several openings the one with the highest floor ended
	Reminded
	Recovered // the customer is back: the episode ends
	Churned
	Expired // an episode that is no lapse ends by itself
	Cancelled
	Corrected
	NumTransitions
)

var transitionNames = [NumTransitions]string{
	"", "raised", "escalated", "deescalated", "reminded", "recovered", "churned", "expired", "cancelled", "corrected",
}

// TransitionNames are the names of the transitions, the first of none, in order.
func TransitionNames() []string { return slices.Clone(transitionNames[:]) }

// String is the transition's stable name, empty for TransitionNone.
func (t Transition) String() string {
	if t >= NumTransitions {
		return "unknown"
	}
	return transitionNames[t]
}

// Tiers are the risk scores, out of 100, at which the tiers begin. Below Watch a customer is healthy.
type Tiers struct {
	Watch    float64 `json:"watch"    yaml:"watch"`
	AtRisk   float64 `json:"at_risk"  yaml:"at_risk"`
	Critical float64 `json:"critical" yaml:"critical"`
}

// rise reports whether the tiers begin one above the other.
func (t *Tiers) rise() bool {
	return 0 < t.Watch && t.Watch < t.AtRisk && t.AtRisk < t.Critical && t.Critical < 100
}
