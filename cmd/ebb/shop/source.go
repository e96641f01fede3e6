package shop

import "time"

// source is where an event comes from. Each has a feed of its own, and feeds fail.
type source uint8

const (
	website source = iota
	backOffice
	helpdesk
	sources
)

// String is the source's name.
func (s source) String() string { return [...]string{"website", "back office", "helpdesk"}[s] }

// span is a stretch of time, from the first moment to before the last.
type span struct{ from, to int64 }

// cutFeeds draws when feeds are cut: for some days, after which nothing that was lost is sent again. A feed works for
// two months before it first fails, so a short shop loses nothing.
func (s *Shop) cutFeeds() {
	for i := range s.cuts {
		d := newDice(s.cfg.Seed, -1-i)
		for at := s.start + 60*day + d.below(400*day); at < s.end; at += d.logNormal(400*day, 0.4) {
			s.cuts[i] = append(s.cuts[i], span{at, at + d.between(day, 5*day)})
		}
	}
}

// lost reports that the event happens while its feed is cut.
func (s *Shop) lost(a action) bool {
	for _, cut := range s.cuts[s.business.events[a.what].source] { // a few
		if a.at < cut.to {
			return cut.from <= a.at
		}
	}
	return false
}

// Cut is a time in which a source's feed was cut.
type Cut struct {
	Source   string
	From, To time.Time
}

// Cuts are the times in which feeds were cut, by source and time.
func (s *Shop) Cuts() (all []Cut) {
	for i, cuts := range s.cuts {
		for _, c := range cuts {
			all = append(all, Cut{source(i).String(), time.UnixMilli(c.from).UTC(), time.UnixMilli(c.to).UTC()})
		}
	}
	return all
}
