package profile

import (
	"slices"
)

// Stage is a customer's position in its life with the business. The names are a contract.
type Stage uint8

// Stages. A customer is always in the first one that fits, in the order of Model.stage.
const (
	StageActive Stage = iota
	StageNew
	StageOnboarding
	StageAtRisk
	StageDormant
	StageChurned
	StageResurrected
	NumStages
)

var stageNames = [NumStages]string{"active", "new", "onboarding", "at_risk", "dormant", "churned", "resurrected"}

// StageNames are the names of the stages, in order.
func StageNames() []string { return slices.Clone(stageNames[:]) }

// String is the stage's stable name.
func (s Stage) String() string {
	if s >= NumStages {
		return "unknown"
	}
	return stageNames[s]
}

// StageSet is a set of stages, a bit each.
type StageSet uint8

// AllStages are all of them.
const AllStages StageSet = 1<<NumStages - 1

// Has reports whether s is in the set.
func (set StageSet) Has(s Stage) bool { return set&(1<<s) != 0 }
