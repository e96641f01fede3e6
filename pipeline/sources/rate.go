package sources

import "slices"

// Rate is what a source usually sends, by the hour of the week, and how far that varies.
type Rate struct {
	Cells  [7 * 24]uint64 // events expected in each hour of the week, in units of 1/cellUnit
	Learnt uint32         // hours learnt

	// Sums over its own hours, fading, of the squared difference between what was expected and what came, of that by the
	// expected, of the expected, of its square, and of 1.
	Squares, Relative, Expect, Expect2, Hours float64

	Low []LowDay // days of the last year with less than half of the usual; never changed in place

	Day   uint64  // events so far in the open day
	DayBy float64 // of the expected
	Part  bool    // some of the open hour was passed over, or a stall ended and what was kept back still comes
	Week  uint64  // events so far in the open week
}

// LowDay is a day with less than half of the usual events.
type LowDay struct {
	Day   uint16 // days since the epoch
	Share uint8  // of the usual, in 1/256
}

const (
	cellUnit = 1024
	enough   = 4 * 7 * 24 // hours: before four weeks nothing is judged
	memory   = 6          // weeks that a cell remembers
	fewest   = 20         // events a week, below which a source gives way to another

	fade = 1 - 1.0/1024 // an hour, of the sums: six weeks

	leastVariance = 0.01 // a tenth of the usual is no surprise, however steady a source was

	maxLow  = 48
	lowDays = 400 // days that a low one is kept
	// a stall of more days is no holiday, and the days are not taken for one in the next year.
	holidays = 14 * day
)

// expected is how many events an hour that ends at a minute is to hold.
func (r *Rate) expected(end int64) float64 {
	at := end - hour
	return float64(float64(r.Cells[at/hour%(7*24)]) / cellUnit * r.share(at/day))
}

// ordinary is the share of a day that is no holiday.
const ordinary = 256

// share is what a day of last year that corresponds to a day sent of the usual, where that was little: a holiday. It
// corresponds by its date, or by its place in the week.
func (r *Rate) share(today int64) float64 {
	least := ordinary
	for _, l := range r.Low {
		if ago := today - int64(l.Day); ago >= 364 && ago <= 366 {
			least = min(least, max(int(l.Share), 1))
		}
	}
	return float64(least) / ordinary
}

// sent is how many events have come in the open week.
func (r *Rate) sent() uint64 { return r.Week }

// learn takes in an hour that ends at a minute. Where it is doubtful whether the source is well, what came is not usual.
func (r *Rate) learn(n uint64, expected float64, end int64, doubtful bool, stalledFor int64) {
	if !r.Part && !doubtful && r.share((end-1)/day) == 1 { // a holiday is no such day of the week
		cell := &r.Cells[(end/hour-1)%(7*24)]
		weeks := int64(min(r.Learnt/(7*24), memory-1)) + 1
		*cell = uint64(int64(*cell) + (int64(n*cellUnit)-int64(*cell))/weeks)
		r.Learnt++
	}
	r.Part = false
	r.Day, r.DayBy, r.Week = r.Day+n, r.DayBy+expected, r.Week+n
	if end%day == 0 {
		if r.Learnt >= enough {
			r.noteLow(end/day-1, stalledFor)
		}
		r.Day, r.DayBy = 0, 0
	}
}

// vary learns from an hour how far what comes varies.
func (r *Rate) vary(n uint64, expected float64) {
	if r.Learnt < enough/2 || r.Part || expected < 1.0/16 {
		return
	}
	off := float64(n) - expected
	off = float64(off * off)
	for _, sum := range [...]struct {
		of  *float64
		add float64
	}{
		{&r.Squares, off},
		{&r.Relative, off / expected},
		{&r.Expect, expected},
		{&r.Expect2, float64(expected * expected)},
		{&r.Hours, 1},
	} {
		*sum.of = float64(*sum.of*fade) + sum.add
	}
}

// noteLow keeps a day on which less than half of the usual came. Of an outage longer than any holiday none is kept.
func (r *Rate) noteLow(today, stalledFor int64) {
	usual := r.DayBy / r.share(today)
	old := func(l LowDay) bool {
		return int64(l.Day) < today-lowDays || stalledFor > holidays && int64(l.Day) > today-stalledFor/day-1
	}
	low := slices.DeleteFunc(slices.Clone(r.Low), old)
	if usual >= fewest && float64(r.Day) < usual/2 && stalledFor <= holidays {
		low = append(low, LowDay{Day: uint16(today), Share: uint8(float64(ordinary*r.Day) / usual)})
	}
	r.Low = low[max(0, len(low)-maxLow):]
}

// spread is how what comes varies, as events that come in bursts of a size, at a rate of a relative variance: of those
// two, with which bursts x expected + variance x expected² fits the squared differences best. Neither is less than chance.
func (r *Rate) spread() (burst, variance float64) {
	if r.Hours == 0 {
		return 1, leastVariance
	}
	det := float64(r.Expect*r.Expect) - float64(r.Expect2*r.Hours)
	if det < 0 {
		burst = (float64(r.Squares*r.Expect) - float64(r.Expect2*r.Relative)) / det
		variance = (float64(r.Expect*r.Relative) - float64(r.Hours*r.Squares)) / det
	}
	switch {
	case det >= 0 || variance < 0:
		burst, variance = r.Squares/r.Expect, 0
	case burst < 1:
		variance = (r.Squares - r.Expect) / r.Expect2
	}
	return max(burst, 1), max(variance, leastVariance)
}

// interrupt leaves the open hour and day out of what is learnt.
func (r *Rate) interrupt() { r.Day, r.DayBy, r.Part = 0, 0, true }
