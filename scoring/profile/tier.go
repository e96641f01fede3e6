package profile

import (
	"slices"
)

// Tier is the range of a risk score. The numbers are stored in profiles; the names are a contract.
type Tier uint8

// Tiers from calm to urgent. TierNone is used where there is none: no open episode, no activity yet.
const (
	TierNone Tier = iota
	Healthy
	Watch
	AtRisk
	Critical
	NumTiers
)

var tierNames = [NumTiers]string{"", "healthy", "watch", "at_risk", "critical"}

// TierNames are the names of the tiers in order, with that of TierNone first.
func TierNames() []string { return slices.Clone(tierNames[:]) }

// String is the tier's stable name, empty for TierNone.
func (t Tier) String() string {
	if t >= NumTiers {
		return "unknown"
	}
	return tierNames[t]
}
