package profile

import (
	"ebb/scoring/moment"
)

// Probe is what a customer's profile remembers of its probes. The zero value has no instant yet: the customer's next
// activity gives it one.
type Probe struct {
	Next uint32 // minute since the epoch of the customer's next instant: what is pending resolves, and another begins
	Cell uint8  // 1 + cell of the score a horizon before Next; 0: nothing is pending
}

// At is the next instant, in ms since the epoch.
func (p *Probe) At() int64 { return int64(p.Next) * moment.MinuteMillis }
