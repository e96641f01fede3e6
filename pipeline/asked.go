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
}

// AskRelease asks for all that is held for a reason to be released at once.
const AskRelease = "release"

// Encode is what is stored of a.
func (a *Asked) Encode() []byte { return encoded(a) }

// ReadAsked reads what is stored under an id. Errors: it is damaged, or of a newer build.
func ReadAsked(id string, b []byte) (a Asked, err error) {
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("what is asked as %s is damaged: %w", id, err)
	}
	if a.ID = id; a.Kind != AskRelease || HoldReasonOf(a.Reason) == 0 {
		return a, fmt.Errorf("what is asked as %s, %q of %q, is not known to this build", id, a.Kind, a.Reason)
	}
	return a, nil
}
