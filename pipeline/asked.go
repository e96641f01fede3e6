package pipeline

import (
	"encoding/json"
	"fmt"
	"time"
)

// Asked is what a person asks of a partition while an owner may be at work. It lies beside the partition's state until
// the owner has done it: it leads to a control record, and is removed in the commit that applies that. Its fields are a
// contract.
type Asked struct {
	ID     string    `json:"-"`                // under which it lies there, unique
	Kind   string    `json:"kind"`             // one of the constants below
	Reason string    `json:"reason,omitempty"` // AskRelease: name of the HoldReason
	By     string    `json:"by,omitempty"`     // who asks
	Why    string    `json:"why,omitempty"`
	At     time.Time `json:"at"`

	Silence Silence `json:"silence,omitzero"` // AskSilence: one that is to begin, or to end: its id, and Ended
}

// Kinds of what is asked.
const (
	AskRelease = "release" // all that is held for a reason is to be released at once
	AskSilence = "silence" // raises are to be held back, or no longer
)

// Silenced is the silence that a asks for.
func (a *Asked) Silenced() Silence {
	s := a.Silence
	s.By, s.Why, s.Asked = a.By, a.Why, a.ID
	return s
}

// Encode is what is stored of a.
func (a *Asked) Encode() []byte { return encoded(a) }

// ReadAsked reads what is stored under an id. Errors: it is damaged, or of a newer build.
func ReadAsked(id string, b []byte) (a Asked, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("what is asked as %s is damaged: %w", id, err)
	}
	a.ID = id
	switch s := a.Silenced(); {
	case a.Kind == AskRelease && HoldReasonOf(a.Reason) != 0 && HoldReasonOf(a.Reason) != HeldBudget:
	case a.Kind != AskSilence:
		return a, fmt.Errorf("what is asked as %s, %q of %q, is not known to this build", id, a.Kind, a.Reason)
	default:
		if err := s.Check(); err != nil {
			return a, fmt.Errorf("the silence that is asked for as %s: %w", id, err)
		}
	}
	return a, nil
}
