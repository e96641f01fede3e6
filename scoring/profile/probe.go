package profile

import (
	"ebb/scoring/moment"
)

// Probe is the state of a customer's probes in its profile. The zero value has no instant yet: the customer's next
// activity sets it.
type Probe struct {
	Next uint32 // minute since the epoch of the customer's next instant: the pending probe resolves, and another begins
	Cell uint8  // 1 + cell of the score a horizon before Next; 0: nothing is pending
	// 1 + class of the customer at that time; 0: nothing is pending, or it began before classes were kept
	Class uint8
}

// At is the next instant, in ms since the epoch.
func (p *Probe) At() int64 { return int64(p.Next) * moment.MinuteMillis }
