package profile

// Class tells customers apart by how often they have come.
type Class uint8

// Classes.
const (
	OneTimer   Class = iota // came once
	Occasional              // neither of the others
	Regular                 // came five times or more, and often
	NumClasses
)

// RegularVisits is how many visits make a rhythm of one's own.
const RegularVisits = 5

// String is the class's name.
func (c Class) String() string { return [...]string{"one-timer", "occasional", "regular"}[c] }

// ClassOf is the class of a customer after so many visits. Often means that a horizon holds several of its typical
// gaps. Whoever asks measures that: a score by the gap law, where a fifth of a horizon is often (model.Model.Class), a
// log by the median of the last gaps, where a sixth is (package silence of cmd/ebb).
func ClassOf(visits int, often bool) Class {
	switch {
	case visits == 1:
		return OneTimer
	case visits >= RegularVisits && often:
		return Regular
	default:
		return Occasional
	}
}
