package sources

import (
	"slices"

	"ebb/scoring/exact"
)

// Source is one source of events: what it usually sends, whether it does, and for how long it did not.
type Source struct {
	Number uint8
	Hash   uint64
	Name   string // empty: of events that name none

	Rate

	// Evidence is, while the source is well, that it sends too little: by how much more likely a quarter of the usual is
	// than the usual, in log-odds, since the time for which that is most likely (a CUSUM test). While it is stalled, it is
	// the same evidence the other way round: that it is back.
	Evidence float64
	Since    int64   // minute since which there is evidence, or since which it is stalled
	Expected float64 // events since then
	Seen     uint64

	Bar float64 // evidence from which it is stalled: each stall raises it, so that one that is often silent for a while may be

	Trickles bool   // while it is stalled some events came, and no more followed
	Marks    []Mark // in order; never changed in place. The last one holds now

	Count   uint32 // events in the open hour
	HeardAt int64  // ms: the watermark at its newest event
}

// Mark is what holds of a source from a minute on.
type Mark struct {
	From   int64
	Frozen int64 // minutes: how long it was stalled up to From
	State  State
}

// State is whether a source is stalled.
type State uint8

// States.
const (
	Well    State = iota
	Stalled       // and its customers' time stands still
	Halted        // stalled, but something came: it may be back, so nothing is added to the frozen time until that is known
)

func newSource(number uint8, hash uint64, name string) Source {
	return Source{Number: number, Hash: hash, Name: name, Marks: []Mark{{}}, Rate: Rate{Part: true}}
}

const (
	// The evidence of an hour is the log-likelihood ratio of a quarter of the expected events against all of them:
	// .75 x expected - ln 4 x seen. That it is back: of half of them against a quarter, ln 2 x seen - .25 x expected.
	lost    = 0.75
	ln4     = 0x1.62e42fefa39efp+00
	present = 0.25
	ln2     = 0x1.62e42fefa39efp-01

	few = 0.25 // of the expected, above which a source is not stalled, but sends less than it did

	// certain is the evidence, -ln of a bound of its chance, from which a source is stalled: the chance that a well source
	// sends so little in such a time is at most 1e-7. A stall raises it for that source, and that fades within a year.
	certain = 16
	raised  = 1.5
	barFade = 1 - 1.0/900 // a day
	// in doubtful hours nothing is learnt of what is usual.
	doubtful = 6

	// evidence that a source is back which had sent nothing: its second event, if that comes soon.
	back        = 1.3
	backTrickle = 6.0 // or which had sent some

	// After a stall a source sends what it kept back for as long as more than so many times the usual comes, but this long.
	catchUp     = 2
	catchUpMost = 2 * day

	longest = 5 * week // a source that was stalled for so long is learnt anew
)

// Stalled reports whether the source is stalled now.
func (s *Source) Stalled() bool { return s.last().State != Well }

func (s *Source) last() *Mark { return &s.Marks[len(s.Marks)-1] }

// frozen is how much of the time up to a minute it was stalled, and whether it is stalled then.
func (s *Source) frozen(minute int64) (minutes int64, stalled bool) {
	i := len(s.Marks) - 1
	for i > 0 && s.Marks[i].From > minute {
		i--
	}
	m := &s.Marks[i]
	if m.State == Stalled && minute > m.From {
		return m.Frozen + minute - m.From, true
	}
	return m.Frozen, m.State != Well
}

// mark begins a state at a minute, at which the frozen time is that of now and some minutes more.
func (s *Source) mark(at int64, state State, more int64) {
	frozen, _ := s.frozen(at)
	s.Marks = append(slices.Clip(s.Marks), Mark{From: max(at, s.last().From), Frozen: frozen + more, State: state})
}

// close judges the source as of the end of an hour.
func (s *Source) close(end int64) (turn *Turn) {
	n, expected := uint64(s.Count), s.expected(end)
	s.Count = 0
	if end%day == 0 {
		s.Bar *= barFade
	}
	well := !s.Stalled()
	switch {
	case s.Learnt < enough:
	case s.Stalled():
		turn = s.doubt(n, expected, end)
	default:
		turn = s.suspect(n, expected, end)
	}
	if well {
		s.vary(n, expected)
	}
	catching := s.catchesUp(n, expected, end)
	s.learn(n, expected, end, s.Stalled() || s.Evidence > 0 && s.falls(end, doubtful), s.stalledFor(end))
	s.Part = catching
	return turn
}

// catchesUp reports whether what the source kept back in a stall still comes: the next hour is none to learn from either.
func (s *Source) catchesUp(n uint64, expected float64, end int64) bool {
	return s.Part && !s.Stalled() && end-s.last().From < catchUpMost && expected > 0 &&
		float64(n) > float64(catchUp*expected)
}

func (s *Source) stalledFor(end int64) int64 {
	if !s.Stalled() {
		return 0
	}
	return end - s.Since
}

// suspect takes in an hour of a source that is well.
func (s *Source) suspect(n uint64, expected float64, end int64) *Turn {
	if s.Evidence == 0 {
		s.Since, s.Expected, s.Seen = end-hour, 0, 0
	}
	s.Evidence = max(s.Evidence+float64(lost*expected)-float64(ln4*float64(n)), 0)
	s.Expected += expected
	s.Seen += n
	if s.Evidence == 0 || !s.falls(end, max(s.Bar, certain)) {
		return nil
	}
	return s.stall(end)
}

// stall begins a stall, which is known at a minute and has begun at an earlier one.
func (s *Source) stall(at int64) *Turn {
	s.Trickles = s.Seen > 0
	if heard := (s.HeardAt + minuteMillis - 1) / minuteMillis; heard <= s.Since+hour {
		s.Since, s.Trickles = max(s.Since, heard), false // nothing at all came since
	}
	s.Since = max(s.Since, s.last().From) // not in a stall before it
	s.Evidence = 0
	s.Bar = float64(max(s.Bar, certain) * raised)
	s.mark(at, Stalled, at-s.Since)
	return s.turn(at)
}

// hearAgain takes in an event of a source that is stalled: if it had sent nothing, its customers' time halts until it is
// known whether it is back.
func (s *Source) hearAgain(at int64) *Turn {
	if s.Trickles {
		return nil
	}
	if s.last().State == Stalled {
		s.mark(at, Halted, 0)
	}
	if s.Evidence+float64(ln2*float64(s.Count)) >= back {
		return s.resume(at, false)
	}
	return nil
}

// doubt takes in an hour of a source that is stalled.
func (s *Source) doubt(n uint64, expected float64, end int64) *Turn {
	s.Expected += expected
	s.Seen += n
	came, bar := float64(n), back
	if s.Trickles {
		burst, _ := s.spread()
		came, expected, bar = came/burst, expected/burst, backTrickle
	}
	s.Evidence = max(s.Evidence+float64(ln2*came)-float64(present*expected), 0)
	switch halted := s.last(); {
	case s.Evidence >= bar:
		return s.resume(end, false)
	case end-s.Since >= longest:
		return s.resume(end, true)
	case halted.State == Halted && s.Evidence == 0:
		s.Trickles = true
		s.mark(end, Stalled, end-halted.From)
	}
	return nil
}

// resume ends a stall. Nothing is learnt from the hour of the return, nor while what was kept back still comes.
// Given up: what the source sends now is all that will come, so it is learnt anew.
func (s *Source) resume(at int64, givenUp bool) *Turn {
	s.mark(at, Well, 0)
	t := s.turn(at)
	t.GivenUp = givenUp
	s.Evidence, s.Since, s.Expected, s.Seen, s.Trickles = 0, 0, 0, 0, false
	if s.Part = true; givenUp {
		s.Rate = Rate{Part: true}
	}
	return t
}

func (s *Source) turn(at int64) *Turn {
	return &Turn{
		Source: s.Name, Stalled: s.Stalled(), At: at, Since: s.Since, Expected: s.Expected, Seen: s.Seen,
	}
}

// interrupt forgets what is counted but not judged: time was passed over.
func (s *Source) interrupt() {
	s.Count = 0
	if !s.Stalled() {
		s.Evidence, s.Since, s.Expected, s.Seen = 0, 0, 0, 0
	}
	s.Rate.interrupt()
}

// falls reports whether far less came than is expected since there is evidence, and by chance it would not.
func (s *Source) falls(end int64, bar float64) bool {
	return float64(s.Seen) <= float64(few*s.Expected) && s.deviance(end) >= bar
}

// deviance bounds from above how probable it is that a well source sends at most what was seen since there is evidence: it
// is -ln of Chernoff's bound for a negative binomial law of the expected mean, whose variance is that of the source's own
// past. Events that come in bursts count as so many fewer, and over several days what a day has in common averages out.
func (s *Source) deviance(end int64) float64 {
	burst, variance := s.spread()
	n, mean := float64(s.Seen)/burst, s.Expected/burst
	if n >= mean {
		return 0
	}
	k := max(float64(end-s.Since)/day, 1) / variance
	d := -float64((n + k) * exact.Log((n+k)/(mean+k)))
	if n > 0 {
		d += float64(n * exact.Log(n/mean))
	}
	return d
}
