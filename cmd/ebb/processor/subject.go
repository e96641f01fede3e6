package processor

import (
	"context"
	"time"

	"github.com/rs/zerolog"
)

// subjects is what the log says of CloudEvents that name their customer in their subject alone: it may be an order or a
// document, and every one would count as a customer.
type subjects struct {
	log   zerolog.Logger
	total uint64    // events that the newest line counted
	at    time.Time // of that line
}

// subjectsRepeat is how often the log repeats it while more of them come.
const subjectsRepeat = 10 * time.Minute

// tellSubjects warns of such events, until stop is called, which does so for the last time.
func (p *Processor) tellSubjects(ctx context.Context) (stop func()) {
	s := subjects{log: p.log}
	end := beside(ctx, unnamedEvery, func(context.Context) { s.tell(time.Now(), p.metrics.Folded().BySubject) })
	return func() {
		end()
		s.tell(time.Now(), p.metrics.Folded().BySubject)
	}
}

// tell writes a line if there are more such events than the newest one counted, and it is old.
func (s *subjects) tell(now time.Time, total uint64) {
	if total == s.total || s.total > 0 && now.Sub(s.at) < subjectsRepeat {
		return
	}
	s.total, s.at = total, now
	s.log.Warn().
		Str("do", "if the subject is not the customer: have producers name the customer in the attribute customer or in data.customer").
		Uint64("events", total).
		Msg("the customer of CloudEvents is their subject, for nothing else in them names one")
}
