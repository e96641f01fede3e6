package profile

import (
	"math/bits"
	"slices"
)

// Kind is what an episode is about. The numbers are stored, the names are a contract.
type Kind uint8

// Kinds of episodes. A customer has at most one open of each.
const (
	Lapse          Kind = iota // falls silent
	Explicit                   // gives notice
	Involuntary                // cannot pay
	ServiceFailure             // was failed
	NumKinds
)

var kindNames = [NumKinds]string{"lapse", "explicit", "involuntary", "service_failure"}

// KindNames are the names of the kinds, in order.
func KindNames() []string { return slices.Clone(kindNames[:]) }

// String is the kind's stable name.
func (n Kind) String() string {
	if n >= NumKinds {
		return "unknown"
	}
	return kindNames[n]
}

// KindSet is a set of kinds, a bit each.
type KindSet uint8

// All are the kinds in the set, in order.
func (s KindSet) All(yield func(Kind) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(Kind(bits.TrailingZeros8(uint8(s)))) {
			return
		}
	}
}
