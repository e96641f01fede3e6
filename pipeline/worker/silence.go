package worker

import (
	"time"

	"ebb/pipeline"
)

// silence is for how long the log has verifiably held nothing new. Only answers of the broker verify it: where none
// comes, because the broker, the network or this process stands still, the silence begins anew.
type silence struct {
	since    time.Time // when it began; zero: there is none
	answered time.Time // when the latest answer confirmed it
}

// attentive is how far apart answers may be for the time between them to count. A fetch without records is answered
// within a fraction of a second.
const attentive = 5 * time.Second

// heard takes in an answer. It confirms the silence if it was about the very end of the log: a quota that lets nothing
// through is no end, and behind the last stable offset there may be records of a transaction that hangs.
func (s *silence) heard(now time.Time, f *pipeline.Fetched) {
	if f.Throttled || len(f.Records) > 0 || f.End < 0 || f.Next != f.End || f.Stable != f.End {
		*s = silence{}
		return
	}
	if s.since.IsZero() || now.Sub(s.answered) > attentive {
		s.since = now
	}
	s.answered = now
}

// lasts reports whether it has lasted for d, and still does.
func (s *silence) lasts(now time.Time, d time.Duration) bool {
	return !s.since.IsZero() && now.Sub(s.answered) <= attentive && now.Sub(s.since) >= d
}
