package breakable

import "time"

// Trouble is what a link does to its connections for a while.
type Trouble struct {
	Kind   TroubleKind
	Delay  time.Duration // Slow: of each piece, at most
	Chance float64       // LoseRequests, LoseAnswers: per piece
	Hard   bool          // Stall: of answers too
}

// TroubleKind is a name for people.
type TroubleKind string

// Kinds of trouble.
const (
	Cut          TroubleKind = "cut"           // connections closed
	Refuse       TroubleKind = "refused"       // connections closed, none accepted for a while
	Slow         TroubleKind = "delayed"       // every piece
	Stall        TroubleKind = "stalled"       // nothing passes for a while, then everything does, late
	Hole         TroubleKind = "swallowed"     // nothing passes for a while, then the connections are closed
	LoseRequests TroubleKind = "requests lost" // with their connections
	LoseAnswers  TroubleKind = "answers lost"  // after the request was applied, with their connections
)

// Worsen begins trouble.
func (l *Link) Worsen(t Trouble) {
	requests, answers := weather{}, weather{}
	switch t.Kind {
	case Cut:
		l.cut()
		return
	case Refuse:
		l.refuse()
		return
	case Slow:
		requests.delay, answers.delay = t.Delay, t.Delay
	case Stall:
		requests.stall, answers.stall = true, t.Hard
	case Hole:
		requests.hole, answers.hole = true, true
	case LoseRequests:
		requests.losing = t.Chance
	case LoseAnswers:
		answers.losing = t.Chance
	}
	l.set(requests, answers)
}

// Mend ends it.
func (l *Link) Mend(t Trouble) error {
	switch t.Kind {
	case Cut:
		return nil
	case Refuse:
		return l.accept()
	default:
	}
	l.set(weather{}, weather{})
	if t.Kind == Hole {
		l.cut() // nothing may follow after swallowed bytes
	}
	return nil
}
