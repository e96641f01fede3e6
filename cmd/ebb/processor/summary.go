package processor

import (
	"time"

	"ebb/pipeline/line"
	"ebb/scoring"
	"ebb/scoring/profile"
)

// Summary is the last line of run --until-end.
type Summary struct {
	Events      uint64            `json:"events"`  // input records whose effect is committed, quarantined ones included
	Seconds     float64           `json:"seconds"` // from the start of the first takeover to the last publication
	Alerts      uint64            `json:"alerts"`
	Transitions map[string]uint64 `json:"transitions"`
	Quarantined uint64            `json:"quarantined"`
	Late        uint64            `json:"late"`
	// events older than every window of the features that they would have counted in
	TooLate uint64 `json:"too_late,omitempty"`
	// events more than a day ahead of the watermark, which they did not move alone
	Future     uint64 `json:"future,omitempty"`
	Duplicates uint64 `json:"duplicates"`
	// events of erased customers, of up to then, which count for nothing
	Erased uint64 `json:"erased,omitempty"`
	// events whose customer is the subject of a CloudEvent, for nothing else in it names one
	BySubject uint64 `json:"by_subject,omitempty"`
	// events with money in another currency than their customer's, which is not added up
	OtherCurrency uint64 `json:"other_currency,omitempty"`
	// decided again after the state was rolled back, and not published again
	Suppressed uint64 `json:"suppressed"`
	// decisions that a stage withheld, by kind and transition; those of Suppressed are not among them
	Withheld map[string]map[string]uint64 `json:"withheld,omitempty"`
	// held raises that never become an alert: their episode ended first, or their customer is gone
	Withdrawn uint64 `json:"withdrawn,omitempty"`
	Held      int    `json:"held,omitempty"` // raises that are held at the end
	// events of customers whom the pack did not alert about yet
	Ineligible uint64           `json:"ineligible,omitempty"`
	Unnamed    uint64           `json:"unnamed"`       // events of types that the pack does not name
	Types      []line.TypeCount `json:"unnamed_types"` // the most frequent of these
	Shadows    []ShadowSummary  `json:"shadows,omitempty"`
}

// noSummary is the summary of a processor that has done nothing: no list or map in it is null.
func noSummary() Summary {
	return Summary{Transitions: map[string]uint64{}, Types: []line.TypeCount{}}
}

func (p *Processor) Summary() Summary {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := noSummary()
	t := &p.tally
	s.Events, s.Seconds, s.Alerts, s.Quarantined = t.Records, p.seconds().Seconds(), t.AllAlerts(), t.AllQuarantined()
	s.Late, s.Duplicates, s.Suppressed, s.Unnamed = t.Late, t.Duplicates, t.Withheld[line.Repeated], t.Unnamed
	s.TooLate, s.Future, s.Erased = t.TooLate, t.Future, t.Forgotten
	s.Withdrawn = t.AllWithdrawn()
	s.BySubject, s.OtherCurrency, s.Ineligible = t.BySubject, t.OtherCurrency, t.Ineligible
	for _, n := range p.held {
		s.Held += n
	}
	if p.tally.Types != nil {
		s.Types = p.tally.Types.Top(typesInSummary)
	}
	for i, n := range p.tally.Alerts {
		if n > 0 {
			s.Transitions[transitionName(i)] = n
		}
	}
	for kind := range t.Unsent {
		for i, n := range t.Unsent[kind] {
			s.withheld(profile.Kind(kind).String(), transitionName(i), n)
		}
	}
	return s
}

// withheld adds decisions that a stage withheld.
func (s *Summary) withheld(kind, transition string, n uint64) {
	switch {
	case n == 0:
		return
	case s.Withheld == nil:
		s.Withheld = map[string]map[string]uint64{}
	}
	if s.Withheld[kind] == nil {
		s.Withheld[kind] = map[string]uint64{}
	}
	s.Withheld[kind][transition] = n
}

// typesInSummary bounds the list of types that the pack does not name. It keeps the most frequent.
const typesInSummary = 20

// seconds is how long partitions were at work.
func (p *Processor) seconds() time.Duration { return p.ended.Sub(p.began) }

func transitionName(i int) string { return scoring.Transition(i).String() }
