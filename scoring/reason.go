package scoring

import (
	"strconv"
)

// Reason says in words why an alert was raised, or ended. The codes are a contract.
type Reason uint8

// The closed list of reasons.
const (
	ReasonOverdue        Reason = iota // silent for longer than usual
	ReasonRareVisitor                  // long typical gaps
	ReasonLittleActivity               // little activity of late
	ReasonNewCustomer                  // no long history to lean on
	ReasonFriction                     // recent negative events
	ReasonBack                         // came back
	numReasons
)

var reasonCodes = [numReasons]string{"overdue", "rare_visitor", "little_activity", "new_customer", "friction", "back"}

// String is the reason's stable code.
func (r Reason) String() string {
	if r >= numReasons {
		return "unknown"
	}
	return reasonCodes[r]
}

// Reasons lists all reason codes.
func Reasons() []string { return reasonCodes[:] }

var _ = strconv.Itoa
