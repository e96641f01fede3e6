package pipeline

import (
	"encoding/binary"

	"ebb/scoring/encode"
)

// FirstStart is how far a partition is with the history that its group found when it first started there (ADR 27).
// Records below Until build state and raise nothing. Once all of them are folded, and every deadline up to the watermark
// has fired, history is over: those still held are released in order of priority, a few at a time.
type FirstStart struct {
	Until    int64 // offset; 0: there is no history
	Over     bool
	Gone     int64 // ms since the epoch: held ones whose silence, or episode, began before it are never released
	Waiting  int64 // held ones that are to be released, as of when history was over
	Releases int64 // number of the latest release, of history or of others that are held
	At       int64 // our clock at the latest of history, ms since the epoch, or the watermark where that was later
}

// Raises reports whether decisions are published: the partition is not in its history.
func (f *FirstStart) Raises() bool { return f.Until == 0 || f.Over }

// Release is a number of held customers that are released before a record, or at the end of the log: the owner's clock
// leads to it, and a replay repeats it. Its fields are a contract.
type Release struct {
	Number int64  `json:"number"`           // of the partition's releases, from 1
	Reason string `json:"reason,omitempty"` // name of a HoldReason: what is released; empty: history
	Until  int64  `json:"until"`            // minute: only what may be released from then on, or earlier; see Held.Review
	Count  int    `json:"count"`            // held customers, in order of their priority
	At     int64  `json:"at"`               // see FirstStart.At

	// reason budget: only raises of this lane, which spend the budget of a day of event time, since the epoch
	Lane  string `json:"lane,omitempty"`
	Day   int64  `json:"day,omitempty"`
	Grant *Grant `json:"grant,omitempty"` // of partition 0: nothing is released, but all partitions may, later

	Asked string `json:"asked,omitempty"` // id of the Asked that leads to it; empty: the clock does
	Last  bool   `json:"last,omitempty"`  // with it all that was asked is done
	By    string `json:"by,omitempty"`    // of the Asked
	Why   string `json:"why,omitempty"`
}

// Of is why what r releases was held; 0: this build knows no such reason.
func (r *Release) Of() HoldReason {
	if r.Reason == "" {
		return HeldHistory
	}
	return HoldReasonOf(r.Reason)
}

func appendFirstStart(dst []byte, m *Meta) []byte {
	f := &m.First
	if *f == (FirstStart{}) {
		return dst
	}
	dst = encode.AppendBool(binary.AppendVarint(dst, f.Until), f.Over)
	for _, n := range [...]int64{f.Gone, f.Waiting, f.Releases, f.At} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

func readFirstStart(r *encode.Reader, m *Meta) {
	f := &m.First
	f.Until, f.Over = r.Varint(), r.Bool()
	for _, n := range [...]*int64{&f.Gone, &f.Waiting, &f.Releases, &f.At} {
		*n = r.Varint()
	}
}
