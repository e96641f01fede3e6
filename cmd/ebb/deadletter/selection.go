package deadletter

import (
	"slices"

	"ebb/pipeline"
	"ebb/sinks/format"
)

// Selection is which records are meant.
type Selection struct {
	Codes []string // nil: all
	Input Span     // where they stood
	DLQ   Span     // where they stand
	Since int64    // quarantined then or later, ms since the epoch
	Until int64    // and earlier
}

// Span is a stretch of offsets of one partition, or of all.
type Span struct {
	Partition int32 // -1: all, and then all offsets
	From, To  int64 // both included
}

// Takes reports whether the span contains a place.
func (s *Span) Takes(p *format.Place) bool {
	return s.Partition < 0 || p.Partition == s.Partition && p.Offset >= s.From && p.Offset <= s.To
}

// Takes reports whether the selection contains a record.
func (s *Selection) Takes(l *Letter) bool {
	return (s.Codes == nil || slices.Contains(s.Codes, l.Code)) && s.Input.Takes(&l.Source) && s.DLQ.Takes(&l.At) &&
		l.Since >= s.Since && l.Since < s.Until
}

// Within is the part to read of a partition of the DLQ that holds [from, end).
func (s *Selection) Within(partition int32, from, end int64) (int64, int64) {
	switch {
	case s.DLQ.Partition < 0:
		return from, end
	case s.DLQ.Partition != partition:
		return end, end
	}
	if s.DLQ.To < end {
		end = s.DLQ.To + 1
	}
	return max(from, s.DLQ.From), end
}

// CodeNames are the codes of records that cannot be used, and of alerts that were not delivered.
func CodeNames() (names []string) {
	for c := pipeline.Usable + 1; c < pipeline.NumCodes; c++ {
		names = append(names, c.String())
	}
	return append(names, format.ReasonExpired, format.ReasonUnreadable)
}
