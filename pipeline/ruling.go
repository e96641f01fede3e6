package pipeline

import (
	"encoding/binary"
	"math"
	"slices"

	"ebb/scoring"
	"ebb/scoring/alert"
	"ebb/scoring/encode"
	"ebb/scoring/profile"
)

// Outcome is what became of a decision that is no alert at once. The outbox holds the number.
type Outcome uint8

// Outcomes.
const (
	Withheld  Outcome = 1 // it never becomes an alert
	Hold      Outcome = 2 // a raise that may become one later
	Released  Outcome = 3 // a held raise that is an alert now
	Withdrawn Outcome = 4 // a held raise that never becomes one

	numOutcomes Outcome = 5
)

var outcomes = [numOutcomes]string{"", "withheld", "held", "released", "withdrawn"}

// String is the outcome's stable name.
func (o Outcome) String() string {
	if o == 0 || o >= numOutcomes {
		return "unknown"
	}
	return outcomes[o]
}

// OutcomeNames are the names of the outcomes.
func OutcomeNames() []string { return slices.Clone(outcomes[1:]) }

// Why a held raise is withdrawn, where its episode has not ended: else it is the name of the transition that ended it.
const (
	EndGone    = "gone"    // its customer is silent for so long that nobody need act
	EndCovered = "covered" // another raise of its customer was released in its place
	EndErased  = "erased"  // its customer is erased
	EndUnseen  = "unseen"  // less what its source was stalled, the silence is too short
)

// Ruling is what became of a decision that is no alert at once: a line of the ledger (ADR 32).
type Ruling struct {
	Outcome Outcome
	Reason  string // of the stage that withholds or holds it, in snake_case
	End     string // Withdrawn: a constant of above, or the name of a transition

	Kind              profile.Kind
	Transition        scoring.Transition
	Tier              profile.Tier
	Priority          int
	Episode, Sequence uint32
	Since             int64  // see scoring.Decision
	Opener            uint16 // the same
	Decided           int64  // event time of the decision, ms since the epoch
	At                int64  // event time of the outcome, ms
	Review            int64  // Hold: minute from which it is tried again; 0: not known
	// Hold for a budget: how many of the partition wait for it that are no less important, itself included
	Place   uint32
	Expires int64 // the same: event time from which it is out of date, ms; 0: never
}

// RulingOf is the ruling on a decision of a priority.
func RulingOf(o Outcome, reason string, d *scoring.Decision, priority int) Ruling {
	return Ruling{
		Outcome: o, Reason: reason, Kind: d.Kind, Transition: d.Transition, Tier: d.Tier, Priority: priority,
		Episode: d.Episode, Sequence: d.Sequence, Since: d.Since, Opener: d.Opener, Decided: d.At, At: d.At,
	}
}

// Ruling is the ruling on a held raise of a kind, as of an event time in ms.
func (h *Held) Ruling(o Outcome, n profile.Kind, at int64) Ruling {
	return Ruling{
		Outcome: o, Reason: h.Reason.String(), Kind: n, Transition: scoring.Raised, Tier: h.Tier, Priority: h.Priority,
		Episode: h.Episode, Sequence: 1, Since: h.Since, Opener: h.Opener, Decided: h.At, At: at,
	}
}

// About is the alert that r is about, as far as its ids follow from it.
func (r *Ruling) About(tenant, customer []byte) alert.Alert {
	return alert.Alert{
		Tenant: tenant, Customer: customer,
		Decision: scoring.Decision{
			Kind: r.Kind, Transition: r.Transition, Sequence: r.Sequence, Since: r.Since, Opener: r.Opener,
		},
	}
}

// appendRuling appends r's encoding to dst.
func appendRuling(dst []byte, r *Ruling) []byte {
	dst = append(dst, byte(r.Outcome), byte(r.Kind), byte(r.Transition), byte(r.Tier))
	dst = binary.LittleEndian.AppendUint16(dst, r.Opener)
	for _, n := range [...]uint64{uint64(r.Priority), uint64(r.Episode), uint64(r.Sequence)} {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, n := range [...]int64{r.Since, r.Decided, r.At, r.Review} {
		dst = binary.AppendVarint(dst, n)
	}
	dst = binary.AppendVarint(binary.AppendUvarint(dst, uint64(r.Place)), r.Expires)
	return encode.AppendParts(dst, r.Reason, r.End)
}

// readRuling is the inverse of appendRuling. sound: it may have been written by this build.
func readRuling(r *encode.Reader) (out Ruling, sound bool) {
	out = Ruling{
		Outcome:    Outcome(r.Byte()),
		Kind:       profile.Kind(r.Byte()),
		Transition: scoring.Transition(r.Byte()),
		Tier:       profile.Tier(r.Byte()),
		Opener:     r.Uint16(),
		Priority:   int(r.UvarintUpTo(1000)),
		Episode:    uint32(r.UvarintUpTo(math.MaxUint32)),
		Sequence:   uint32(r.UvarintUpTo(math.MaxUint32)),
		Since:      r.Varint(),
		Decided:    r.Varint(),
		At:         r.Varint(),
		Review:     r.Varint(),
		Place:      uint32(r.UvarintUpTo(math.MaxUint32)),
		Expires:    r.Varint(),
		Reason:     r.Text(),
		End:        r.Text(),
	}
	sound = out.Outcome != 0 && out.Outcome < numOutcomes && out.Kind < profile.NumKinds &&
		out.Transition < scoring.NumTransitions && out.Tier < profile.NumTiers && out.Reason != ""
	return out, sound
}
